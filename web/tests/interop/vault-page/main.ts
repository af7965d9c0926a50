import { fromBase64, toBase64 } from '../../../src/protocol/bytes';
import type { VaultAttempts, VaultExchange, VaultView } from '../../../src/protocol/wire';
import { PinStretcher } from '../../../src/vault/argon2/workerClient';
import { readPin } from '../../../src/vault/pins/pin';
import { PinVault } from '../../../src/vault/pinVault';
import type { VaultPort } from '../../../src/vault/port';

type Asked = { token: string; account: string; pin: string };

export type Recovery = (asked: Asked) => Promise<{ rootSecret: string; times: Record<string, number> }>;

/** One worker for all recoveries, as the client has it once it has been used; its program is compiled then. */
const stretcher = new PinStretcher();

/** One recovery by the client's own code, with the time that it took in all and in its parts, in milliseconds. */
const recover: Recovery = async ({ token, account, pin: typed }) => {
  const { pin } = readPin(typed);
  if (!pin) {
    throw new Error('no PIN');
  }
  let stretchMs = 0;
  let networkMs = 0;
  let waiting = 0;
  let since = 0;
  let failure = '';
  // Realms are asked at once, so what is counted is the time in which any of them is waited for.
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    since = waiting++ === 0 ? performance.now() : since;
    try {
      const response = await fetch(path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
      if (!response.ok) {
        failure = `${path}: ${response.status}`;
        throw new Error(failure);
      }
      return (await response.json()) as T;
    } finally {
      networkMs += --waiting === 0 ? performance.now() - since : 0;
    }
  };
  const port: VaultPort = {
    view: () => call<VaultView>('GET', '/v1/vault'),
    ask: async (realm, message) =>
      fromBase64(
        (await call<VaultExchange>('POST', `/v1/vault/realms/${realm}`, { message: toBase64(message) })).message,
      ),
    attempts: (realm) => call<VaultAttempts>('GET', `/v1/vault/realms/${realm}/attempts`),
  };
  const stretch = stretcher.withProgress(() => undefined);
  const vault = new PinVault(port, account, async (bytes, salt, parameters) => {
    const begun = performance.now();
    try {
      return await stretch(bytes, salt, parameters);
    } finally {
      stretchMs += performance.now() - begun;
    }
  });
  const begun = performance.now();
  const { step, rootSecret } = await vault.recover(pin);
  const total = performance.now() - begun;
  if (!rootSecret) {
    throw new Error(`the recovery ended with ${step.rejection} ${failure}`);
  }
  const times = { total, argon2id: stretchMs, checks_and_opening: total - stretchMs - networkMs, realms: networkMs };
  return { rootSecret: toBase64(rootSecret), times };
};

Object.assign(window, { recover });
