import { sha256 } from '@noble/hashes/sha2.js';
import { concat, toHex, utf8 } from '../protocol/bytes';
import { isUuid, uuidToBytes } from '../protocol/ids';
import { VaultLimits } from './limits';

/** Which realms, in the order of their shares, and how many of them are needed. */
export type RealmSet = { realms: readonly string[]; threshold: number };

/** Hex of the realms' digest: two sets of the same name are the same. Null where there can be no such set. */
export function nameOfRealms({ realms, threshold }: RealmSet): string | null {
  try {
    return toHex(new RealmConfiguration(realms, threshold).digest);
  } catch {
    return null;
  }
}

/**
 * The realms that keep a person's shares, in the order of their shares (the first has index 1), and how many of them are
 * needed. More than half are, so that there are never two quorums that say different things.
 */
export class RealmConfiguration {
  readonly realms: readonly string[];
  readonly threshold: number;
  /** SHA-256 of label, version (1), threshold (1), count (1) and the realms' ids (16 each). */
  readonly digest: Uint8Array;

  /** @throws RangeError where there is no realm, more than 16, one twice, or no majority as the threshold. */
  constructor(realms: readonly string[], threshold: number) {
    this.realms = realms.map((realm) => realm.toLowerCase());
    this.threshold = threshold;
    const isSet = this.realms.every(isUuid) && new Set(this.realms).size === realms.length;
    if (!isSet || realms.length < 1 || realms.length > VaultLimits.realms) {
      throw new RangeError('there are 1 to 16 realms, none of them twice');
    }
    if (!Number.isInteger(threshold) || threshold > realms.length || threshold * 2 <= realms.length) {
      throw new RangeError('the threshold is more than half of the realms');
    }
    this.digest = sha256(
      concat(
        utf8('chatpay vault v1 realms'),
        Uint8Array.of(1, threshold, realms.length),
        ...this.realms.map(uuidToBytes),
      ),
    );
  }

  /** 1 to n. */
  get indices(): number[] {
    return this.realms.map((_, i) => i + 1);
  }

  /** @throws RangeError where there is no such index. */
  realmOf(index: number): string {
    const realm = this.realms[index - 1];
    if (realm === undefined) {
      throw new RangeError('no such realm');
    }
    return realm;
  }
}
