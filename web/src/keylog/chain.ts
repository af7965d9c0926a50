import { equalBytes, toHex } from '../protocol/bytes';
import { type EntryPlace, EntryType, firstPlace, hashOf, isSignedBy, type KeyLogEntry, readEntry } from './entry';
import { LogLimits } from './limits';
import { LogRejection } from './rejection';

/**
 * An account's entries as a chain, checked one by one: each has the next number, names the one before it by its hash and is signed
 * by the identity key in force. What it comes to is that key, the live devices with theirs, and the vault's digest. An entry that
 * is refused changes nothing.
 */
export class KeyChain {
  readonly account: string;
  #next: EntryPlace;
  #identityKey: Uint8Array | null = null;
  #identityKeysSinceReset: Uint8Array[] = [];
  #vaultDigest: Uint8Array | null = null;
  #resets = 0;
  readonly #devices = new Map<string, Uint8Array>();
  readonly #revoked = new Set<string>();
  readonly #keys = new Set<string>();

  constructor(account: string) {
    this.account = account;
    this.#next = firstPlace(account);
  }

  /** Checks a whole chain from its beginning; `failedAt` is the number of the entry that was refused. */
  static check(
    account: string,
    entries: readonly Uint8Array[],
  ): { chain: KeyChain } | { rejection: LogRejection; failedAt: number } {
    const chain = new KeyChain(account);
    for (const bytes of entries) {
      const rejection = chain.appendBytes(bytes);
      if (rejection !== LogRejection.none) {
        return { rejection, failedAt: chain.length };
      }
    }
    return { chain };
  }

  /** How many entries were taken. */
  get length(): number {
    return this.#next.sequence;
  }

  /** The hash of the last entry, 32 bytes; zeros before the first. */
  get head(): Uint8Array {
    return this.#next.previousHash.slice();
  }

  /** Where the next entry goes. */
  get next(): EntryPlace {
    return { ...this.#next, previousHash: this.head };
  }

  /** 32 bytes; null before the first entry. */
  get identityKey(): Uint8Array | null {
    return this.#identityKey;
  }

  /** 32 bytes; null where there is no PIN. */
  get vaultDigest(): Uint8Array | null {
    return this.#vaultDigest;
  }

  /** How often the identity was replaced without the old key: each time contacts have to accept the new one. */
  get resets(): number {
    return this.#resets;
  }

  /** The devices that are not revoked, with their keys. */
  get devices(): ReadonlyMap<string, Uint8Array> {
    return this.#devices;
  }

  /** Whether the device was in the chain and has gone from it. */
  isRevoked(device: string): boolean {
    return this.#revoked.has(device);
  }

  /** Whether it is the key in force, or one that it replaced by rotation since the last reset: what a leaf may name. */
  hasIdentityKey(key: Uint8Array): boolean {
    return this.#identityKeysSinceReset.some((known) => equalBytes(known, key));
  }

  /** Whether an entry has brought this key, a device's or an identity's, before a reset too. */
  hasHad(key: Uint8Array): boolean {
    return this.#keys.has(toHex(key));
  }

  /** Whether the account's live device has this key. */
  hasDevice(device: string, key: Uint8Array): boolean {
    const known = this.#devices.get(device);
    return known !== undefined && equalBytes(known, key);
  }

  /** Reads and takes the next entry, or says why not. */
  appendBytes(bytes: Uint8Array): LogRejection {
    const read = readEntry(bytes);
    return 'rejection' in read ? read.rejection : this.append(read.entry);
  }

  /** Takes the next entry, or says why not. */
  append(entry: KeyLogEntry): LogRejection {
    const rejection = this.#judge(entry);
    if (rejection === LogRejection.none) {
      this.#take(entry);
      this.#next = { account: this.account, sequence: this.length + 1, previousHash: hashOf(entry) };
    }
    return rejection;
  }

  #judge(entry: KeyLogEntry): LogRejection {
    if (this.length >= LogLimits.chainEntries) {
      return LogRejection.chainTooLong;
    }
    if (entry.account !== this.account) {
      return LogRejection.accountOther;
    }
    if (entry.sequence !== this.length) {
      return LogRejection.outOfOrder;
    }
    if (!equalBytes(entry.previousHash, this.#next.previousHash)) {
      return LogRejection.forked;
    }
    if (this.length === 0 && entry.type !== EntryType.identity) {
      return LogRejection.beginningInvalid;
    }
    const isSelfSigned = this.length === 0 || entry.type === EntryType.identityReset;
    const signer = isSelfSigned ? entry.newKey : this.#identityKey;
    if (!signer || !isSignedBy(entry, signer)) {
      return LogRejection.entrySignatureInvalid;
    }
    return this.#judgeContent(entry);
  }

  #judgeContent({ type, newKey, device }: KeyLogEntry): LogRejection {
    if (newKey && this.#keys.has(toHex(newKey))) {
      return LogRejection.keyReused;
    }
    if (type === EntryType.deviceAdded && device && (this.#devices.has(device) || this.#revoked.has(device))) {
      return LogRejection.deviceKnown;
    }
    return type === EntryType.deviceRevoked && device && !this.#devices.has(device)
      ? LogRejection.deviceUnknown
      : LogRejection.none;
  }

  #take({ type, newKey, device, vaultDigest }: KeyLogEntry): void {
    if (newKey) {
      this.#keys.add(toHex(newKey));
    }
    if (type === EntryType.identityReset) {
      this.#resets++;
      this.#identityKeysSinceReset = [];
      this.#vaultDigest = null;
      for (const revoked of this.#devices.keys()) {
        this.#revoked.add(revoked);
      }
      this.#devices.clear();
    }
    if (type === EntryType.vaultConfigured) {
      this.#vaultDigest = vaultDigest?.some((byte) => byte !== 0) ? vaultDigest : null;
    } else if (type === EntryType.deviceRevoked && device) {
      this.#devices.delete(device);
      this.#revoked.add(device);
    } else if (type === EntryType.deviceAdded && device && newKey) {
      this.#devices.set(device, newKey);
    } else if (newKey) {
      this.#identityKey = newKey;
      this.#identityKeysSinceReset.push(newKey);
    }
  }
}
