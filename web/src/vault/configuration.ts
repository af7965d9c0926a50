import { sha256 } from '@noble/hashes/sha2.js';
import { concat, toHex, utf8 } from '../protocol/bytes';
import { isUuid, uuidToBytes } from '../protocol/ids';
import type { RealmHostView, VaultView } from '../protocol/wire';
import { VaultLimits } from './limits';

/**
 * Which realms, in the order of their shares, how many of them are needed, and where each is: under the same id another address
 * may be somebody else's machine, which has nothing and says what it likes.
 */
export type RealmSet = {
  realms: readonly string[];
  threshold: number;
  /** Of each realm; null where it is in the server. Absent where an earlier version kept them: then they are not known. */
  addresses?: readonly (string | null)[] | undefined;
};

/** The realms that a server names. */
export function realmsOf(view: VaultView): RealmSet {
  const realms = view.realms.map((realm) => realm.toLowerCase());
  const addresses = hostsOf(view).map((host) => host && normalAddress(host.address));
  return { realms, threshold: view.threshold, addresses };
}

/** By which one set is told from another, on this device only. Null where there can be no such set. */
export function nameOfRealms({ realms, threshold, addresses }: RealmSet): string | null {
  try {
    const { digest } = new RealmConfiguration(realms, threshold);
    return toHex(addresses ? sha256(concat(digest, utf8(addresses.map((one) => one ?? '').join('\n')))) : digest);
  } catch {
    return null;
  }
}

/** As `nameOfRealms`, of what a person sees: who runs them as well. */
export function nameOfShown(view: VaultView): string | null {
  const name = nameOfRealms(realmsOf(view));
  const operators = hostsOf(view).map((host) => host?.operator ?? null);
  return name && toHex(sha256(utf8(JSON.stringify([name, operators]))));
}

/** Whether the named ones are those that were kept, as far as these are known. */
export function areSameRealms(kept: RealmSet, named: RealmSet): boolean {
  const name = nameOfRealms(kept);
  return name !== null && name === nameOfRealms(kept.addresses ? named : { ...named, addresses: undefined });
}

/** The same address may be written in more than one way. */
function normalAddress(address: string): string {
  try {
    return new URL(address).href;
  } catch {
    return address;
  }
}

/** Of each realm; null for one in the server. Where two are named for one, the first is where it is looked for. */
function hostsOf({ realms, hosts }: VaultView): (RealmHostView | null)[] {
  const known = new Map((hosts ?? []).toReversed().map((host) => [host.realm.toLowerCase(), host]));
  return realms.map((realm) => known.get(realm.toLowerCase()) ?? null);
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
