import type { AccountKeys } from '../../identity/accountKeys';
import { unwrapKeys, wrapKeys } from '../../identity/wrappedKeys';
import { fromBase64, toBase64 } from '../../protocol/bytes';
import { ErrorCode, isCode, localError } from '../../protocol/errors';
import type { Core } from '../core';

/** Another device may store them at the same moment; more often than this it cannot be chance. */
const storeAttempts = 8;

/** What is stored: `keys` is null where there is nothing, and where the root secret does not open it. */
export type StoredKeys = { revision: number; isThere: boolean; keys: AccountKeys | null };

/**
 * The account's keys as the server keeps them, for whoever has the root secret. Whose root secret is the account's is decided
 * here, by who stored last: a device that cannot open what is stored has been overtaken, and stores nothing over it. But where a
 * registration of its own stands that it was cut off from, no PIN opens that any more: `Pins` wraps the keys again, or where
 * that would leave an archive's key behind, has the PIN set again.
 */
export class WrappedKeys {
  /** Called with a root secret that does not open what is stored: another device's is the account's by now. */
  onOvertaken: (rootSecret: Uint8Array) => Promise<void> = async () => undefined;

  constructor(readonly core: Core) {}

  /** @throws ActionError `offline`, among others */
  async open(rootSecret: Uint8Array | null): Promise<StoredKeys> {
    const { revision, wrapped } = await this.core.api.wrappedKeys();
    const { account } = this.core.device;
    const keys = wrapped && rootSecret ? unwrapKeys(rootSecret, account, fromBase64(wrapped)) : null;
    return { revision, isThere: wrapped !== null, keys };
  }

  /** Null where there are none, or none that this root secret opens. */
  async read(rootSecret: Uint8Array): Promise<AccountKeys | null> {
    return (await this.open(rootSecret)).keys;
  }

  /** Whether this root secret opens what is stored; one that has been overtaken is forgotten. */
  async isOwn(rootSecret: Uint8Array): Promise<boolean> {
    const { isThere, keys } = await this.open(rootSecret);
    if (isThere && !keys) {
      await this.onOvertaken(rootSecret);
    }
    return keys !== null;
  }

  /** Takes the place of a revision that was looked at. @throws ActionError `wrapped_keys_stale`: another was quicker */
  async replace(revision: number, rootSecret: Uint8Array, keys: AccountKeys): Promise<void> {
    await this.core.api.storeWrappedKeys(revision, toBase64(wrapKeys(rootSecret, this.core.device.account, keys)));
  }

  /**
   * Takes the place of what is stored, which the root secret opens, or of nothing.
   * @param choose the keys by those that are stored; null leaves them as they are
   * @throws ActionError `pin_needed` where something is stored that the root secret does not open
   */
  async change(
    rootSecret: Uint8Array,
    choose: (stored: AccountKeys | null) => Promise<AccountKeys | null>,
  ): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const { revision, isThere, keys } = await this.open(rootSecret);
      if (isThere && !keys) {
        await this.onOvertaken(rootSecret);
        throw localError('pin_needed', false);
      }
      const next = await choose(keys);
      if (!next) {
        return;
      }
      try {
        await this.replace(revision, rootSecret, next);
        return;
      } catch (thrown) {
        if (!isCode(thrown, ErrorCode.wrappedKeysStale) || attempt >= storeAttempts) {
          throw thrown;
        }
      }
    }
  }

  /**
   * Changes the archive key in what is stored, and nothing else of it.
   * @param identitySeed for where nothing is stored
   * @returns the one that was there
   * @throws ActionError `pin_needed`, as `change`
   */
  async setArchiveKey(
    rootSecret: Uint8Array,
    identitySeed: Uint8Array,
    archiveKey: Uint8Array | null,
  ): Promise<Uint8Array | null> {
    let replaced: Uint8Array | null = null;
    await this.change(rootSecret, async (stored) => {
      replaced = stored?.archiveKey ?? null;
      return { identitySeed: stored?.identitySeed ?? identitySeed, archiveKey };
    });
    return replaced;
  }
}
