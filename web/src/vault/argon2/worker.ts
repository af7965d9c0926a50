import { stretchHere } from './argon2';
import type { StretchCall, StretchReply } from './workerClient';

/** The worker's side: one stretching after the other, with the time that it took. */
const scope = self as unknown as DedicatedWorkerGlobalScope;

scope.onmessage = async (message: MessageEvent<StretchCall>) => {
  const { id, pin, salt, parameters } = message.data;
  try {
    const begun = performance.now();
    const stretched = await stretchHere(pin, salt, parameters);
    scope.postMessage({ id, stretched, tookMs: performance.now() - begun } satisfies StretchReply);
  } catch (thrown) {
    scope.postMessage({ id, failed: thrown instanceof Error ? thrown.message : String(thrown) } satisfies StretchReply);
  } finally {
    pin.fill(0);
  }
};
