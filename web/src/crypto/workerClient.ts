import type { MlsPort } from './port';

/** What travels to the worker; stopping it is the page's own business. */
type Method = Exclude<keyof MlsPort, 'stop'>;
export type Call = { id: number; method: Method; args: unknown[] };
export type Reply = { id: number; ok: unknown } | { id: number; failed: string };

type Waiting = { resolve: (value: unknown) => void; reject: (reason: Error) => void };

/** The page's side of the MLS worker: the same port, answered elsewhere, so that typing never waits for crypto. */
export function startMlsWorker(): MlsPort {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'mls' });
  const waiting = new Map<number, Waiting>();
  let count = 0;
  const failAll = (reason: string) => {
    for (const call of waiting.values()) {
      call.reject(new Error(reason));
    }
    waiting.clear();
  };
  worker.onmessage = (message: MessageEvent<Reply>) => {
    const reply = message.data;
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('failed' in reply) {
      call?.reject(new Error(reply.failed));
    } else {
      call?.resolve(reply.ok);
    }
  };
  worker.onerror = () => failAll('the MLS worker failed to load');
  const call =
    (method: Method) =>
    (...args: unknown[]) =>
      new Promise<never>((resolve, reject) => {
        const id = count++;
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
        worker.postMessage({ id, method, args } satisfies Call);
      });
  return {
    generateKeyPair: call('generateKeyPair'),
    createKeyPackages: call('createKeyPackages'),
    createGroup: call('createGroup'),
    commit: call('commit'),
    encrypt: call('encrypt'),
    apply: call('apply'),
    welcomeRefs: call('welcomeRefs'),
    join: call('join'),
    joinExternally: call('joinExternally'),
    shownBy: call('shownBy'),
    requireCertificates: call('requireCertificates'),
    stop: () => {
      worker.terminate();
      failAll('the MLS worker was stopped');
    },
  };
}
