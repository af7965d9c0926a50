import { startMlsWorker } from '../crypto/workerClient';
import { hubAt } from '../net/hub';
import { RestApi } from '../net/rest';
import { Engine, type EngineOptions } from './engine';
import type { Sink } from './sink';

/** The engine as the browser runs it: MLS in a worker, the session in a cookie, everything on the page's own origin. */
export function openEngine(sink: Sink, deviceName: string, overrides: Partial<EngineOptions> = {}): Promise<Engine> {
  const options: EngineOptions = {
    database: overrides.database ?? {},
    api: overrides.api ?? new RestApi({ baseUrl: '', session: 'cookie' }),
    openHub: overrides.openHub ?? hubAt('/hub', () => null),
    mls: overrides.mls ?? startMlsWorker(),
    sessionMode: overrides.sessionMode ?? 'cookie',
    deviceName,
    ...(overrides.stock !== undefined ? { stock: overrides.stock } : {}),
    ...(overrides.pins ? { pins: overrides.pins } : {}),
    ...(overrides.timing ? { timing: overrides.timing } : {}),
  };
  return Engine.open(options, sink);
}
