import { unwrapKeys, wrapKeys } from '../../src/identity/wrappedKeys';
import { RestApi } from '../../src/net/rest';
import { fromBase64, toBase64 } from '../../src/protocol/bytes';
import { stretchHere } from '../../src/vault/argon2/argon2';
import { readPin } from '../../src/vault/pins/pin';
import { PinVault } from '../../src/vault/pinVault';
import { vaultOverRest } from '../../src/vault/restPort';
import { serve } from './protocol';

type Session = { server: string; token: string; account: string; pin: string };

type Request =
  | (Session & { op: 'register'; rootSecret: Uint8Array; identitySeed: Uint8Array; archiveKey: Uint8Array | null })
  | (Session & { op: 'recover'; digest: Uint8Array })
  | (Session & { op: 'remove'; identitySeed: Uint8Array });

/** The web client's half of the PIN's interoperation tests: its own vault, REST and wrapping, at a real server. */
export async function main(): Promise<void> {
  await serve<Request>(async (request) => {
    const { server, token, account, pin: typed } = request;
    const api = new RestApi({ baseUrl: server, session: 'token', token });
    const vault = new PinVault(vaultOverRest(api), account, stretchHere);
    const { pin } = readPin(typed);
    if (!pin) {
      throw new Error('no PIN');
    }
    switch (request.op) {
      case 'register': {
        const { rootSecret, identitySeed, archiveKey } = request;
        const { step, digest } = await vault.register({ pin, rootSecret, identitySeed });
        if (digest) {
          const { revision } = await api.wrappedKeys();
          const wrapped = wrapKeys(rootSecret, account, { identitySeed, archiveKey });
          await api.storeWrappedKeys(revision, toBase64(wrapped));
        }
        return { ...step, digest };
      }
      case 'recover': {
        const { step, rootSecret } = await vault.recover(pin, request.digest);
        const { wrapped } = await api.wrappedKeys();
        const keys = rootSecret && wrapped ? unwrapKeys(rootSecret, account, fromBase64(wrapped)) : null;
        return { ...step, rootSecret, identitySeed: keys?.identitySeed ?? null, archiveKey: keys?.archiveKey ?? null };
      }
      case 'remove':
        return (await vault.delete(request.identitySeed)).step;
    }
  });
}
