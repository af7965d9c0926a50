import { Mls } from './mls';
import type { MlsPort } from './port';
import type { Call, Reply } from './workerClient';

/** The worker's side: calls come in one at a time from the page and are answered in any order. */
const mls: MlsPort = new Mls();
const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = async (message: MessageEvent<Call>) => {
  const { id, method, args } = message.data;
  try {
    const run = mls[method] as (...values: unknown[]) => Promise<unknown>;
    scope.postMessage({ id, ok: await run.apply(mls, args) } satisfies Reply);
  } catch (thrown) {
    scope.postMessage({ id, failed: thrown instanceof Error ? thrown.message : String(thrown) } satisfies Reply);
  }
};
