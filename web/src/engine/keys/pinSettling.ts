import { makeVaultConfigured } from '../../keylog/entry';
import { equalBytes } from '../../protocol/bytes';
import { isNamed } from '../../protocol/errors';
import type { PendingRegistration } from '../../storage/records';
import { areSameRealms } from '../../vault/configuration';
import type { PinVault } from '../../vault/pinVault';
import type { OwnKeys } from './ownKeys';
import { after, isWanted, onTheWayMs, overtaken, realmsAt, without } from './pendingPins';
import { homeOf, requireAt } from './pinHome';
import type { VaultDoor } from './vaultDoor';

/** Two devices that set a PIN at the same moment; more often than this it cannot be chance. */
export const setAttempts = 8;

/**
 * What becomes of registrations that were begun. One that was cut off is named in the chain where a threshold of realms has it,
 * and given up where it can come to stand no more: it came to nothing, or was replaced. One that nobody wants any more is deleted
 * where it has arrived.
 */
export class PinSettling {
  constructor(
    readonly own: OwnKeys,
    readonly door: VaultDoor,
    readonly options: { onTheWayMs?: number },
  ) {}

  /** Within `keys/pin`. @throws ActionError where the server cannot be reached */
  async settle(): Promise<void> {
    for (const { version } of this.own.record.pending) {
      for (let attempt = 1; attempt <= setAttempts && !(await this.#trySettle(version)); attempt++) {
        // Another device has stored keys meanwhile, or has removed the PIN.
      }
    }
  }

  /** @returns whether that is all that can be done now */
  async #trySettle(version: string): Promise<boolean> {
    try {
      return await this.#settleNow(version);
    } catch (thrown) {
      if (isNamed(thrown, 'vault_realms_other')) {
        // It stays as it is until its own realms are named again.
        return true;
      }
      throw thrown;
    }
  }

  async #settleNow(version: string): Promise<boolean> {
    await this.#giveUpForOther(version);
    const { pending, rootDue, wrapDue } = this.own.record;
    const now = pending.find((one) => one.version === version);
    if (now?.isUnwanted && this.own.holdsKey) {
      await this.#withdraw(now);
    } else if (now && !now.isUnwanted && this.own.holdsKey && !rootDue && !wrapDue) {
      // What the PIN brings back is stored first.
      return this.#settleOne(now);
    }
    return true;
  }

  /** No realm can know of a PIN that was set at others since: where this device has looked there, it is deleted for that one. */
  async #giveUpForOther(version: string): Promise<void> {
    const { own } = this;
    const pending = own.record.pending.find((one) => one.version === version);
    const named = own.chain?.vaultDigest ?? null;
    const at = pending ? realmsAt(pending) : null;
    const home = homeOf(own);
    if (pending?.before === undefined || pending.isUnwanted || !named || !at || !home || areSameRealms(home, at)) {
      return;
    }
    if (!equalBytes(named, pending.digest) && !(pending.before && equalBytes(named, pending.before))) {
      await own.write((now) => ({
        pending: now.pending.map((one) => (one.version === version ? { ...one, isUnwanted: true } : one)),
      }));
    }
  }

  /**
   * Forgets one that went to realms that may never be named again, and that can arrive no more.
   * @returns false where there is none
   * @throws ActionError where the server cannot be reached
   */
  async makeWay(): Promise<boolean> {
    const { own } = this;
    const named = await this.door.named();
    const one = own.record.pending.find((pending) => {
      const at = realmsAt(pending);
      return this.isOver(pending) && at !== null && !areSameRealms(at, named);
    });
    if (one) {
      await own.write((now) => ({ pending: without(now.pending, one) }));
    }
    return one !== undefined;
  }

  async #settleOne(pending: PendingRegistration): Promise<boolean> {
    const { own } = this;
    const rootSecret = pending.rootSecret ?? own.record.rootSecret;
    // Looked at before the realms are asked: whoever registers after that finds that it has been replaced.
    const { revision, keys } = await own.wrapped.open(rootSecret);
    const { version, replaces = [] } = pending;
    const isOver = this.isOver(pending);
    const fate = await this.#openAt(pending).fate({ version, replaces }, isOver);
    if (fate === 'open') {
      return true;
    }
    if (fate === 'fails' || !rootSecret) {
      const left = isOver ? without : overtaken;
      await own.write((now) => ({ pending: left(now.pending, pending) }));
    } else if (keys || (await this.#wrap(rootSecret, revision))) {
      // It is gone where the keys were forgotten meanwhile, as by a reset.
      await own.write((now) => (isWanted(now.pending, pending) ? { rootSecret } : {}));
      // Where the PIN was removed meanwhile, what has arrived is looked at once more, and deleted.
      return isWanted(own.record.pending, pending) && this.post(pending);
    } else {
      await own.write((now) =>
        isWanted(now.pending, pending) ? { pending: after(now.pending, pending), isPinVoid: true } : {},
      );
      own.onChange();
    }
    return true;
  }

  /** Has the realms forget what has arrived of a registration that nobody wants any more. */
  async #withdraw(pending: PendingRegistration): Promise<void> {
    const { own } = this;
    const { version, replaces = [] } = pending;
    // Before it is tried, so that what arrives in between is not forgotten.
    const isOver = this.isOver(pending);
    const vault = this.#openAt(pending);
    await vault.withdraw(version, own.requireSeed(own.chain));
    if (isOver && (await vault.fate({ version, replaces }, isOver)) === 'fails') {
      await own.write((now) => ({ pending: without(now.pending, pending) }));
    }
  }

  /** The vault where it was begun: other realms are asked nothing of it, and its deletion is not given to them. */
  #openAt(pending: PendingRegistration): PinVault {
    const at = realmsAt(pending);
    return this.door.open(undefined, (named) => at && requireAt(at, named));
  }

  /** Whether no request of it can be on its way any more. */
  isOver({ at = 0 }: PendingRegistration): boolean {
    return Date.now() - at >= (this.options.onTheWayMs ?? onTheWayMs);
  }

  /**
   * Wraps the keys by what the PIN that the realms have brings back; what they are wrapped by now, no PIN does.
   * @returns false where that would leave the key of the account's archive behind
   */
  async #wrap(rootSecret: Uint8Array, revision: number): Promise<boolean> {
    const { own } = this;
    if (await own.root.losesArchive()) {
      return false;
    }
    const identitySeed = own.requireSeed(own.chain);
    const archiveKey = await own.root.chooseArchive(null);
    await own.wrapped.replace(revision, rootSecret, { identitySeed, archiveKey });
    return true;
  }

  /**
   * Only from the device whose root secret still opens what is stored: so the last one in the chain is right too. And not where
   * the look at the chain shows that the PIN was removed since.
   * @returns whether the chain names it; else it is remembered still, for it may be what the realms have
   */
  async post(pending: PendingRegistration): Promise<boolean> {
    const { own } = this;
    let isNamed = false;
    await own.change(async (chain, seed) => {
      const { rootSecret } = own.record;
      const isThere = chain.vaultDigest !== null && equalBytes(chain.vaultDigest, pending.digest);
      const isLeft = isWanted(own.record.pending, pending) && rootSecret !== null;
      isNamed = isThere || (isLeft && (await own.wrapped.isOwn(rootSecret)));
      return isNamed && !isThere ? [makeVaultConfigured(chain.next, pending.digest, seed)] : [];
    });
    if (isNamed) {
      const at = realmsAt(pending);
      const home = at ? { home: { digest: pending.digest, ...at } } : {};
      await own.write((now) => ({ pending: after(now.pending, pending), ...home }));
    }
    return isNamed;
  }
}
