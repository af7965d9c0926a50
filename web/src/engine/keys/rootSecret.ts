import { archiveIdOf } from '../../archive/cipher';
import type { KeyChain } from '../../keylog/chain';
import { EntryType, readEntry } from '../../keylog/entry';
import { equalBytes } from '../../protocol/bytes';
import { ErrorCode, isCode, isNamed, localError } from '../../protocol/errors';
import type { Core } from '../core';
import { wasKeyOf } from './chainKeys';
import type { OwnKeys } from './ownKeys';
import { unwanted } from './pendingPins';

/** What a device knows of a PIN that it does not know, or that is no more. What became of a registration shows by itself. */
export const noRoot = { rootSecret: null, rootDue: false, wrapDue: false };

/**
 * What the PIN opens, as this device knows it: kept the same as the account's while other devices set other PINs, and what it
 * wraps kept the same as what this device has.
 */
export class RootSecret {
  constructor(
    readonly core: Core,
    readonly own: OwnKeys,
  ) {
    own.wrapped.onOvertaken = (rootSecret) => this.forget(rootSecret);
  }

  /** @throws ActionError `pin_needed` where there is a PIN, and this device has not what it opens */
  async require(chain: KeyChain): Promise<void> {
    const { rootSecret } = this.own.record;
    if (chain.vaultDigest && !(rootSecret && (await this.own.wrapped.isOwn(rootSecret)))) {
      throw localError('pin_needed', false);
    }
  }

  /** Another device has set a PIN, which may have another root secret, or has removed it: then it opens nothing any more. */
  async see(chain: KeyChain, foreign: readonly Uint8Array[]): Promise<void> {
    const digests = foreign
      .map(readEntry)
      .flatMap((read) =>
        'entry' in read && read.entry.type === EntryType.vaultConfigured ? [read.entry.vaultDigest] : [],
      );
    if (digests.length === 0) {
      return;
    }
    const isRemoval = digests.some((digest) => !digest?.some((byte) => byte !== 0));
    const { rootSecret, isPinVoid, pending } = this.own.record;
    if (rootSecret || isPinVoid || (isRemoval && pending.length > 0)) {
      // All at once: who has heard of the removal by half would bring back what it is about.
      await this.own.write((now) => ({
        ...(now.rootSecret ? (chain.vaultDigest ? { rootDue: true } : noRoot) : {}),
        isPinVoid: false,
        // What this device had begun before a removal is not to come back.
        pending: isRemoval ? unwanted(now.pending, now.home ?? null) : now.pending,
      }));
    }
  }

  /**
   * Does what a change of the account's keys has left to be done: what the root secret opens becomes what this device has. One
   * that has been overtaken is forgotten.
   * @param chain in which this device's key is in force
   * @returns whether nothing is left
   */
  async settle(chain: KeyChain): Promise<boolean> {
    const { rootSecret, identitySeed, wrapDue, rootDue } = this.own.record;
    if (!rootSecret || !identitySeed || !(wrapDue || rootDue)) {
      return true;
    }
    let isNewer = false;
    try {
      await this.own.wrapped.change(rootSecret, async (stored) => {
        const isSame = stored !== null && equalBytes(stored.identitySeed, identitySeed);
        // A key that the chain had not when it was looked at is a newer one, and not to be written over.
        isNewer = stored !== null && !isSame && !wasKeyOf(chain, stored.identitySeed);
        const storedKey = stored?.archiveKey ?? null;
        const archiveKey = await this.chooseArchive(storedKey);
        return isNewer || (isSame && isSameKey(storedKey, archiveKey)) ? null : { identitySeed, archiveKey };
      });
    } catch (thrown) {
      if (isNamed(thrown, 'pin_needed')) {
        return true;
      }
      throw thrown;
    }
    if (!isNewer) {
      await this.own.write((now) =>
        now.rootSecret === rootSecret && now.identitySeed === identitySeed ? { wrapDue: false, rootDue: false } : {},
      );
      this.own.onChange();
    }
    return !isNewer;
  }

  /** Another device's root secret is the account's by now. */
  async forget(rootSecret: Uint8Array): Promise<void> {
    await this.own.write((now) => (now.rootSecret && equalBytes(now.rootSecret, rootSecret) ? noRoot : {}));
    this.own.onChange();
  }

  /**
   * The archive key that goes with the others: where this device's and the stored one differ, that of the archive that is on,
   * or none. The stored one is taken up with it. A server that keeps no archives at the moment says nothing.
   */
  async chooseArchive(stored: Uint8Array | null): Promise<Uint8Array | null> {
    const known = this.own.record.archiveKey;
    if (isSameKey(known, stored)) {
      return known;
    }
    const archive = await this.archiveOn();
    if (archive === undefined) {
      return known ?? stored;
    }
    const chosen = [known, stored].find((key) => key && this.isArchiveOf(key, archive)) ?? null;
    if (chosen && chosen !== known) {
      await this.own.write({ archiveKey: chosen });
    }
    return chosen;
  }

  /** Whether a PIN that this device sets without knowing the present one would leave the archive's key behind. */
  async losesArchive(): Promise<boolean> {
    const { archiveKey } = this.own.record;
    const archive = await this.archiveOn();
    return archive != null && !(archiveKey && this.isArchiveOf(archiveKey, archive));
  }

  isArchiveOf(archiveKey: Uint8Array, archive: string | null | undefined): boolean {
    return archiveIdOf(archiveKey, this.core.device.account) === archive;
  }

  /** The archive that is on; null for none, undefined where the server does not say. */
  async archiveOn(): Promise<string | null | undefined> {
    try {
      return (await this.core.api.archive()).archive ?? null;
    } catch (thrown) {
      if (isCode(thrown, ErrorCode.archiveOff) || isCode(thrown, ErrorCode.notFound)) {
        return undefined;
      }
      throw thrown;
    }
  }
}

function isSameKey(one: Uint8Array | null, other: Uint8Array | null): boolean {
  return one && other ? equalBytes(one, other) : one === other;
}
