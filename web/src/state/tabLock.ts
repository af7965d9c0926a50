/**
 * One tab of a browser runs the engine. The Web Lock says which; the database's own fence makes sure of it even in the
 * moment when the lock is taken away.
 */
export type TabLock = {
  /** Takes the lock; with `steal` also from another tab. Resolves to whether this tab has it. */
  acquire(steal: boolean): Promise<boolean>;
  /** Told when another tab has taken it. */
  onLost: () => void;
  release(): void;
};

const name = 'chatpay-engine';

export function createTabLock(locks: LockManager | undefined = globalThis.navigator?.locks): TabLock {
  let release: (() => void) | null = null;
  const lock: TabLock = {
    onLost: () => undefined,
    acquire: (steal) =>
      new Promise((resolve) => {
        if (!locks) {
          resolve(true);
          return;
        }
        let mine = false;
        const held = locks.request(name, steal ? { steal: true } : { ifAvailable: true }, (granted) => {
          if (!granted) {
            resolve(false);
            return undefined;
          }
          mine = true;
          resolve(true);
          return new Promise<void>((done) => {
            release = done;
          });
        });
        held.catch(() => {
          release = null;
          if (mine) {
            lock.onLost();
          } else {
            resolve(false);
          }
        });
      }),
    release: () => {
      release?.();
      release = null;
    },
  };
  return lock;
}
