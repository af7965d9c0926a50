import type { ServerApi } from '../net/api';
import { fromBase64, toBase64 } from '../protocol/bytes';
import type { VaultPort } from './port';

/** The vault over REST. A message is never sent twice by itself: a second recover2 would be a second guess. */
export function vaultOverRest(api: Pick<ServerApi, 'vault' | 'askRealm'>): VaultPort {
  return {
    view: () => api.vault(),
    ask: async (realm, message) => fromBase64((await api.askRealm(realm, toBase64(message))).message),
  };
}
