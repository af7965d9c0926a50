import type { AccountKeys } from '../../identity/accountKeys';
import { unwrapKeys, wrapKeys } from '../../identity/wrappedKeys';
import { fromBase64, toBase64 } from '../../protocol/bytes';
import { ErrorCode, isCode } from '../../protocol/errors';
import type { Core } from '../core';

/** Another device may store them at the same moment; more often than this it cannot be chance. */
const storeAttempts = 3;

/** The account's keys as the server keeps them, for whoever has the root secret. */
export class WrappedKeys {
  constructor(readonly core: Core) {}

  /** Null where there are none, or none that this root secret opens. @throws ActionError `offline`, among others */
  async read(rootSecret: Uint8Array): Promise<AccountKeys | null> {
    const { wrapped } = await this.core.api.wrappedKeys();
    return wrapped ? unwrapKeys(rootSecret, this.core.device.account, fromBase64(wrapped)) : null;
  }

  /**
   * Takes the place of what is stored.
   * @param choose the archive key that goes with them, by the one that is stored
   * @returns that archive key
   */
  async store(
    rootSecret: Uint8Array,
    identitySeed: Uint8Array,
    choose: (stored: Uint8Array | null) => Promise<Uint8Array | null>,
  ): Promise<Uint8Array | null> {
    const { account } = this.core.device;
    for (let attempt = 1; ; attempt++) {
      const { revision, wrapped } = await this.core.api.wrappedKeys();
      const stored = wrapped ? unwrapKeys(rootSecret, account, fromBase64(wrapped)) : null;
      const archiveKey = await choose(stored?.archiveKey ?? null);
      try {
        const next = wrapKeys(rootSecret, account, { identitySeed, archiveKey });
        await this.core.api.storeWrappedKeys(revision, toBase64(next));
        return archiveKey;
      } catch (thrown) {
        if (!isCode(thrown, ErrorCode.wrappedKeysStale) || attempt >= storeAttempts) {
          throw thrown;
        }
      }
    }
  }
}
