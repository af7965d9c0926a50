import { publicKeyOf } from '../../crypto/ed25519';
import { systemRandom } from '../../crypto/random';
import { issueCredential, readCredential } from '../../identity/deviceCredential';
import type { KeyChain } from '../../keylog/chain';
import { type EntryPlace, type KeyLogEntry, makeDeviceAdded, makeIdentity } from '../../keylog/entry';
import { equalBytes } from '../../protocol/bytes';
import type { Core } from '../core';
import { after, isKeyOf } from './chainKeys';
import type { OwnKeys } from './ownKeys';
import { noKeys } from './ownRecord';

/** Another device that renews the identity key stores it wrapped a moment after the log has it. */
const fetchAttempts = 4;
const keyBytes = 32;

/** The way of this device into its account's chain, and back to the key in force where another device has renewed it. */
export class OwnEntry {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #fetches = 0;

  constructor(
    readonly core: Core,
    readonly own: OwnKeys,
    /** Adds entries to the chain. */
    readonly post: (entries: KeyLogEntry[]) => Promise<void>,
  ) {}

  stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** Whether the key in force was looked for so often that another device has to bring it. */
  get hasLooked(): boolean {
    return this.#fetches >= fetchAttempts;
  }

  /** @returns whether the device is in the chain now, and has the key in force */
  async enter(chain: KeyChain): Promise<boolean> {
    const { device, publicKey } = this.core.device;
    const isIn = chain.hasDevice(device, publicKey);
    if (this.own.record.identitySeed && chain.length > 0 && !isKeyOf(chain, this.own.record.identitySeed)) {
      await this.#forgetKey(isIn);
    }
    if (!this.own.record.identitySeed && chain.length > 0 && !(isIn && (await this.#fetch(chain)))) {
      if (!this.own.record.approvalKey) {
        await this.own.write({ approvalKey: systemRandom(keyBytes) });
      }
      this.own.onChange();
      return false;
    }
    const seed = this.own.record.identitySeed ?? systemRandom(keyBytes);
    if (!this.own.record.identitySeed) {
      await this.own.write({ identitySeed: seed });
    }
    if (!isIn) {
      const first = chain.length === 0 ? [makeIdentity(chain.next, seed, seed)] : [];
      const next = first[0] ? after(first[0]) : chain.next;
      await this.post([...first, this.deviceAdded(next, seed)]);
    }
    await this.#certify(seed);
    // The chain is as it is: what is left to do is done with the next look at it.
    const isSettled = await this.own.root.settle(this.own.chain ?? chain).catch(() => false);
    if (isSettled) {
      this.#fetches = 0;
    } else {
      this.#lookAgain();
    }
    return true;
  }

  /**
   * The account has another identity key by now. Where it was renewed, this device is in the chain still and its certificate
   * holds; where it was begun anew, nothing that this device has is of any use.
   */
  async #forgetKey(isIn: boolean): Promise<void> {
    this.#fetches = 0;
    if (isIn) {
      await this.own.write({ identitySeed: null, nextSeed: null, wrapDue: false });
      return;
    }
    await this.own.write({ ...noKeys, approvalKey: systemRandom(keyBytes) });
    await this.core.updateDevice({ credential: null });
  }

  /** The key in force, as the device that renewed it has stored it for whoever has the root secret. */
  async #fetch(chain: KeyChain): Promise<boolean> {
    const { rootSecret } = this.own.record;
    if (!rootSecret) {
      return false;
    }
    const { isThere, keys } = await this.own.wrapped.open(rootSecret);
    if (keys && isKeyOf(chain, keys.identitySeed)) {
      const { identitySeed, archiveKey } = keys;
      await this.own.write((now) => ({ identitySeed, archiveKey: archiveKey ?? now.archiveKey, approvalKey: null }));
      this.#fetches = 0;
      return true;
    }
    if (isThere && !keys) {
      await this.own.root.forget(rootSecret);
    } else {
      this.#lookAgain();
    }
    return false;
  }

  #lookAgain(): void {
    if (!this.core.stopped && this.#timer === null && this.#fetches < fetchAttempts) {
      const waitMs = this.core.timing.keysAgainMs * 2 ** this.#fetches++;
      this.#timer = setTimeout(() => {
        this.#timer = null;
        void this.own.ensure().catch(() => undefined);
      }, waitMs);
    }
  }

  deviceAdded(next: EntryPlace, seed: Uint8Array): KeyLogEntry {
    const { device, privateKey } = this.core.device;
    return makeDeviceAdded(next, device, privateKey, seed);
  }

  async #certify(seed: Uint8Array): Promise<void> {
    const { account, device, publicKey, credential } = this.core.device;
    const known = credential ? readCredential(credential) : null;
    if (!known || !equalBytes(known.identityKey, publicKeyOf(seed))) {
      const issued = issueCredential(seed, account, device, publicKey);
      // Key packages of before are of no use to anybody now, the last resort first of all.
      await this.core.updateDevice({ credential: issued, renewed: null, lastResortUntilMs: 0 });
      this.own.onChange();
      this.own.onApproved();
    }
  }
}
