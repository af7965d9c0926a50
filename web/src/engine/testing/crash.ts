import type { FakeClient } from './fakeClient';
import { type TestDevice, until } from './testDevice';

/** Where a crash can fall: right after a transaction, or right after the server has done what it was asked for. */
export const crashPoints = ['write', 'call'] as const;
export type CrashPoint = (typeof crashPoints)[number];

class Crash extends Error {}

/**
 * Runs an action, killing the device at the n-th point; then opens it again as after a crash. Everything that was in
 * memory is lost, everything that was written stays. Returns whether the crash happened before the action was over.
 */
export async function crashing(
  device: TestDevice,
  client: FakeClient,
  point: CrashPoint,
  n: number,
  action: () => Promise<unknown>,
): Promise<boolean> {
  // The points that count are the action's own, not those of what went before it.
  await device.settled();
  const { db } = device.engine.services.core;
  let left = n;
  let crashed = false;
  const step = () => {
    if (--left === 0) {
      crashed = true;
      db.onWrite = null;
      client.onCall = () => undefined;
      device.engine.stop();
      client.drop();
      throw new Crash();
    }
  };
  if (point === 'write') {
    db.onWrite = step;
  } else {
    client.onCall = step;
  }
  await Promise.race([action().catch(() => undefined), until(() => crashed, 'the action ends', 60_000)]).catch(
    () => undefined,
  );
  if (!crashed) {
    await device.settled();
  }
  db.onWrite = null;
  client.onCall = () => undefined;
  if (crashed) {
    await device.open();
    await device.online();
  }
  return crashed;
}
