import { fromBase64, toBase64 } from '../protocol/bytes';
import type { VaultPort, VaultView } from './port';

/** One REST call of a signed-in device; throws what the client's REST throws. */
export type Call = (verb: 'GET' | 'POST', path: string, body?: unknown) => Promise<unknown>;

/**
 * The vault over REST. A message is never sent twice by itself: a second recover2 would be a second guess, so the call that is
 * given here must not repeat.
 */
export function vaultOverRest(call: Call): VaultPort {
  return {
    view: async () => (await call('GET', '/v1/vault')) as VaultView,
    ask: async (realm, message) => {
      const reply = await call('POST', `/v1/vault/realms/${realm}`, { message: toBase64(message) });
      return fromBase64((reply as { message: string }).message);
    },
  };
}
