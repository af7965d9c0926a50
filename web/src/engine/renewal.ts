import { readCredential } from '../identity/deviceCredential';
import { fullJitterMs } from '../net/jitter';
import { equalBytes } from '../protocol/bytes';
import { isTransient } from '../protocol/errors';
import type { GroupRecord } from '../storage/records';
import type { Core } from './core';
import type { Groups, Membership } from './groups';

/** Commits that go out at once; with hundreds of conversations more would only wait at the server. */
const atOnce = 4;
/** A commit that does nothing but what every commit does: it heals, and shows the committer's credential. */
const nothing: Membership = { adds: [], removeLeaves: [] };

/**
 * Shows what certifies this device wherever its leaf still shows something else, with a commit each, and gets it into
 * conversations that waited for a certificate. Goes through all conversations once for each certificate, and where the
 * server or the connection was in the way once more.
 */
export class Renewal {
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;
  /** How far it is; null while it does nothing. */
  progress: { done: number; total: number } | null = null;
  onChange: () => void = () => undefined;

  constructor(
    readonly core: Core,
    readonly groups: Groups,
  ) {}

  stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** In the background, where there is anything to do. */
  start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
      this.#show(null);
    });
    void this.#running.catch(() => undefined);
  }

  /** A group was joined by a key package, which may have been made with an earlier certificate. */
  joined(group: GroupRecord): void {
    const key = this.#certifiedBy();
    if (key && !shows(group, key)) {
      void this.#renew(group.conversation).catch(() => undefined);
    }
  }

  #certifiedBy(): Uint8Array | null {
    const credential = this.core.deviceOrNull?.credential;
    return (credential && readCredential(credential)?.identityKey) ?? null;
  }

  async #run(): Promise<void> {
    const { core } = this;
    for (;;) {
      const { credential, renewed } = core.device;
      if (!credential || (renewed && equalBytes(renewed, credential))) {
        return;
      }
      if (!(await this.#renewAll())) {
        this.#again();
        return;
      }
      this.#attempt = 0;
      await core.updateDevice({ renewed: credential });
    }
  }

  /** Returns whether nothing is left that could be done another time. */
  async #renewAll(): Promise<boolean> {
    const ids = [...this.core.conversations.values()].filter(({ active }) => active).map(({ id }) => id);
    const { length: total } = ids;
    let isDone = true;
    let done = 0;
    const work = async () => {
      for (let id = ids.shift(); id !== undefined && this.core.online; id = ids.shift()) {
        try {
          await this.#renew(id);
        } catch (thrown) {
          // What was refused for good is so the next time as well.
          isDone &&= !isTransient(thrown);
        }
        this.#show({ done: ++done, total });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
    return isDone && this.core.online && done === total;
  }

  async #renew(id: string): Promise<void> {
    await this.core.lane.run(id, () =>
      this.groups.commit(id, (group) => {
        const key = this.#certifiedBy();
        return key && !shows(group, key) ? nothing : null;
      }),
    );
    this.groups.sync.want([id]);
  }

  /** Without a connection the next greeting begins again. */
  #again(): void {
    if (this.core.online && this.#timer === null) {
      this.#timer = setTimeout(
        () => {
          this.#timer = null;
          this.start();
        },
        200 + fullJitterMs(this.#attempt++, 500, 60_000),
      );
    }
  }

  #show(progress: { done: number; total: number } | null): void {
    this.progress = progress;
    this.onChange();
  }
}

function shows({ leaves, ownLeaf }: GroupRecord, identityKey: Uint8Array): boolean {
  const shown = leaves.find(({ leaf }) => leaf === ownLeaf)?.identityKey;
  return shown != null && equalBytes(shown, identityKey);
}
