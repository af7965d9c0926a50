import { fromBase64 } from '../protocol/bytes';
import { ErrorCode, isCode, localError, toActionError } from '../protocol/errors';
import type { DeviceView } from '../protocol/wire';
import type { Device, UnlistedDevice } from '../state/contract';
import type { GroupRecord } from '../storage/records';
import type { Core } from './core';
import type { Groups } from './groups';
import { fingerprintOf } from './keys/chainKeys';
import type { DeviceKeys } from './keys/deviceKeys';

/** Whether the account's keys had a device that was to go from them, or what was in the way. */
type ChainHalf = { had: boolean } | { failed: unknown };

/**
 * The account's devices: those that the server lists, and those that only the account's keys or a conversation know of. A
 * server that hides one is not believed that there is none.
 */
export class Devices {
  /** Being put out of conversations in the background. */
  readonly #leaving = new Set<string>();

  constructor(
    readonly core: Core,
    readonly keys: DeviceKeys,
    readonly groups: Groups,
  ) {}

  async list(): Promise<Device[]> {
    return (await this.core.api.devices()).map((view) => this.view(view));
  }

  view({ id, name, createdAt, lastSeenAt, current, signatureKey }: DeviceView): Device {
    const key = fromBase64(signatureKey);
    return {
      id,
      name,
      // Not as the server says: it is compared with what another screen shows.
      fingerprint: fingerprintOf(key),
      createdAt: Date.parse(createdAt),
      lastSeenAt: Date.parse(lastSeenAt),
      current,
      approved: this.keys.own.chain?.hasDevice(id, key) ?? false,
    };
  }

  /** What the account's keys and the conversations know of beside these. */
  async unlisted(listed: readonly Device[]): Promise<UnlistedDevice[]> {
    await this.keys.own.ensure().catch(() => undefined);
    const { chain } = this.keys.own;
    const { device: current } = this.core.device;
    const found = new Map<string, UnlistedDevice>();
    const see = (id: string, key: Uint8Array, conversations: number) => {
      const fingerprint = fingerprintOf(key);
      const isListed = listed.some((one) => one.id === id && one.fingerprint === fingerprint);
      if (id !== current && !isListed && !this.#leaving.has(id)) {
        const gone = chain?.isRevoked(id) ? 'removed' : 'unknown';
        const standing = chain?.hasDevice(id, key) ? 'vouched' : gone;
        const before = found.get(id + fingerprint)?.conversations ?? 0;
        found.set(id + fingerprint, { id, fingerprint, standing, conversations: before + conversations });
      }
    };
    for (const [id, key] of chain?.devices ?? []) {
      see(id, key, 0);
    }
    for (const { id, active, pendingRemovals } of this.core.conversations.values()) {
      const group = active ? await this.core.group(id) : null;
      const going = new Set(pendingRemovals.map((removal) => removal.device));
      for (const leaf of group ? this.#ownLeaves(group) : []) {
        if (!going.has(leaf.device)) {
          see(leaf.device, leaf.signatureKey, 1);
        }
      }
    }
    return [...found.values()];
  }

  /**
   * Revokes one that the server lists; in the conversations it is put out without waiting for what the server says there.
   * @throws ActionError `device_still_vouched`, `device_still_signed_in`: the other half was done; else nothing was
   */
  async revoke(device: string): Promise<void> {
    const { chain, signedOut } = await this.#letGo(device);
    const server = await signedOut;
    if (!('failed' in chain) || !server) {
      this.#leaving.add(device);
      void this.#putOut(device)
        .catch(() => undefined)
        .finally(() => this.#leaving.delete(device));
    }
    this.#judge(chain, server);
  }

  /**
   * Takes a device out of the account's keys, and ends its sessions whatever comes of that: whoever has it in hand is to be shut
   * out at once. The keys go first, so that others see it go before they hear of it.
   * @returns what became of each: for the sessions what was in the way, null where nothing was
   */
  async #letGo(device: string): Promise<{ chain: ChainHalf; signedOut: Promise<unknown> }> {
    const chain = await this.keys.revokeInChain(device).then(
      (had): ChainHalf => ({ had }),
      (thrown: unknown): ChainHalf => ({ failed: thrown }),
    );
    const signedOut = failureOf(this.core.api.revokeDevice(device));
    // One that the server does not know has no session.
    return { chain, signedOut: signedOut.then((server) => (isCode(server, ErrorCode.deviceUnknown) ? null : server)) };
  }

  /** Says what was not done, and so what was. Where there was nothing to take out of the keys, nothing was. */
  #judge(chain: ChainHalf, server: unknown): void {
    const isFailed = 'failed' in chain;
    if (server && (isFailed || !chain.had)) {
      throw isFailed ? chain.failed : server;
    }
    if (isFailed || server) {
      const { info } = toActionError(isFailed ? chain.failed : server);
      const name = isFailed ? 'device_still_vouched' : 'device_still_signed_in';
      throw localError(name, info.retryable, { cause: info.name });
    }
  }

  /**
   * Revokes one that the server does not list, and puts it out of every conversation: what the server says of it is not waited
   * for.
   * @throws ActionError as `revoke`; `device_still_in_chats` where that is all that was in the way, once all conversations are through
   */
  async revokeUnlisted(device: string): Promise<void> {
    const { chain, signedOut } = await this.#letGo(device);
    const stays = await failureOf(this.#putOut(device));
    // What is left in conversations shows there; that somebody may go on as the account's device does not.
    this.#judge(chain, await signedOut);
    if (stays) {
      const { info } = toActionError(stays);
      throw localError('device_still_in_chats', info.retryable, { cause: info.name });
    }
  }

  async #putOut(device: string): Promise<void> {
    const leavesIn = (group: GroupRecord | null) =>
      group ? this.#ownLeaves(group).filter((leaf) => leaf.device === device) : [];
    let failure: unknown = null;
    for (const { id, active } of [...this.core.conversations.values()]) {
      try {
        if (active && leavesIn(await this.core.group(id)).length > 0) {
          await this.core.lane.run(id, () =>
            this.groups.commit(id, (group) => {
              const removeLeaves = leavesIn(group).map(({ leaf }) => leaf);
              return removeLeaves.length > 0 ? { adds: [], removeLeaves } : null;
            }),
          );
        }
      } catch (thrown) {
        failure ??= thrown;
      }
    }
    if (failure) {
      throw failure;
    }
  }

  #ownLeaves({ leaves, ownLeaf }: GroupRecord) {
    return leaves.filter((leaf) => leaf.account === this.core.device.account && leaf.leaf !== ownLeaf);
  }
}

function failureOf(work: Promise<void>): Promise<unknown> {
  return work.then(
    () => null,
    (thrown: unknown) => thrown ?? localError('unexpected', false),
  );
}
