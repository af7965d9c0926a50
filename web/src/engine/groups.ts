import type { Candidate, PreparedCommit, ShownLeaf } from '../crypto/port';
import { delay, fullJitterMs } from '../net/jitter';
import { fromBase64, sha256, toBase64 } from '../protocol/bytes';
import { ErrorCode, isCode, isTransient, localError } from '../protocol/errors';
import { uuidv7 } from '../protocol/ids';
import { Limits } from '../protocol/limits';
import type { CommitReply, DeviceMessage } from '../protocol/wire';
import { ActionError } from '../state/contract';
import type { Change } from '../storage/database';
import type { ConversationRecord, GroupRecord, PendingCommit } from '../storage/records';
import type { Core } from './core';
import type { DeviceKeys } from './keys/deviceKeys';
import { notApproved } from './keys/ownKeys';
import { adopted, type Log } from './log';
import { Renewal } from './renewal';
import type { Sync } from './sync';

/** Attempts before somebody else's commits are taken to be in the way for good. */
const staleAttempts = 8;
const joinAttempts = 5;

/** What a commit is to do. */
export type Membership = { adds: Candidate[]; removeLeaves: number[] };

/** The MLS side of conversations: getting in, committing, mending. Network work runs in the conversation's lane. */
export class Groups {
  sync!: Sync;
  log!: Log;
  readonly #broken = new Set<string>();
  readonly #removalTimers = new Map<string, ReturnType<typeof setTimeout>>();
  #pulling: Promise<void> | null = null;
  readonly renewal: Renewal;

  constructor(
    readonly core: Core,
    readonly keys: DeviceKeys,
  ) {
    this.renewal = new Renewal(core, this);
  }

  stop(): void {
    this.renewal.stop();
    for (const timer of this.#removalTimers.values()) {
      clearTimeout(timer);
    }
    this.#removalTimers.clear();
  }

  /** In the background: get into a group, or back into one whose log this device cannot follow. */
  mend(id: string, broken: boolean): void {
    if (broken) {
      this.#broken.add(id);
    }
    void this.core.lane
      .run(id, () => this.ensure(id))
      .then(() => this.sync.want([id]))
      .catch(() => undefined);
  }

  /**
   * In the lane: leaves this device with a usable group and no commit in flight.
   * @throws ActionError transient ones, or `group_broken` after bounded attempts.
   */
  async ensure(id: string): Promise<void> {
    const { core } = this;
    if (!core.conversation(id).active) {
      throw new ActionError({ code: ErrorCode.notMember, name: 'not_member', retryable: false });
    }
    let group = await core.group(id);
    if (group?.pending && !this.#broken.has(id)) {
      await this.#settlePending(id, group, group.pending);
      group = await core.group(id);
    }
    if (group?.state && !this.#broken.has(id)) {
      return;
    }
    if (!group?.state) {
      await this.pullWelcomes();
      if ((await core.group(id))?.state) {
        return;
      }
    }
    if (!this.keys.isApproved) {
      // Nobody would let it in.
      throw notApproved();
    }
    await this.#joinExternally(id);
  }

  /** What became of a commit whose answer was lost: the same bytes get the same answer. */
  async #settlePending(id: string, group: GroupRecord, pending: PendingCommit): Promise<void> {
    if (pending.joining && pending.epoch === 0) {
      // The commit that created the conversation: that it exists is the answer.
      await this.#adopt(id, pending, this.core.conversation(id).joinedSeq);
      return;
    }
    try {
      const reply = await this.#submit(id, pending);
      await this.#won(id, pending, reply);
    } catch (thrown) {
      if (isTransient(thrown)) {
        throw thrown;
      }
      await this.#lost(id, group, pending, thrown);
    }
  }

  async #won(id: string, pending: PendingCommit, reply: CommitReply): Promise<void> {
    if (pending.joining) {
      await this.#adopt(id, pending, reply.seq);
    }
    // A member's own commit takes effect where it stands in the log, after the messages before it.
    await this.sync.upTo(id, reply.seq);
  }

  #adopt(id: string, pending: PendingCommit, seq: number): Promise<void> {
    return this.core.queue.run(id, async () => {
      const group = await this.core.group(id);
      if (group?.pending?.clientId === pending.clientId) {
        const value = adopted(group, pending, seq, await sha256(pending.commit));
        await this.core.write([{ put: 'groups', value }], 'strict');
      }
      // Else the log told of it before the answer came.
      this.#broken.delete(id);
      this.log.unreadable.delete(id);
    });
  }

  /** The commit did not win: apply who did, and forget it. */
  async #lost(id: string, group: GroupRecord, pending: PendingCommit, thrown: unknown): Promise<void> {
    const seq = isCode(thrown, ErrorCode.staleEpoch) ? Number(thrown.info.details?.seq ?? 0) : 0;
    if (group.state && seq > 0) {
      await this.sync.upTo(id, seq);
    }
    await this.core.queue.run(id, async () => {
      const now = await this.core.group(id);
      if (now?.pending?.clientId === pending.clientId) {
        await this.core.write([{ put: 'groups', value: { ...now, pending: null } }]);
      }
    });
  }

  #submit(id: string, pending: PendingCommit): Promise<CommitReply> {
    const { commit, welcome, groupInfo, clientId, epoch } = pending;
    const request = {
      conversation: id,
      clientId,
      epoch,
      commit: toBase64(commit),
      welcome: welcome && toBase64(welcome),
      groupInfo: toBase64(groupInfo),
    };
    const bytes = commit.length + (welcome?.length ?? 0) + groupInfo.length;
    return bytes <= Limits.hubHandshakeBytes / 2 ? this.core.hub.submitCommit(request) : this.core.api.commit(request);
  }

  async #joinExternally(id: string): Promise<void> {
    const { core } = this;
    for (let attempt = 0; attempt < joinAttempts; attempt++) {
      try {
        const info = await core.api.groupInfo(id);
        const prepared = await core.mls.joinExternally(core.identity, id, fromBase64(info.groupInfo));
        const { leaves } = prepared.group;
        await this.keys.lookAt(leaves);
        if (this.keys.hasStranger(leaves)) {
          throw localError('own_device_unlogged', false);
        }
        const pending = await this.#keepPending(id, prepared, true);
        const reply = await this.#submit(id, pending);
        await this.#adopt(id, pending, reply.seq);
        return;
      } catch (thrown) {
        if (isTransient(thrown) || isCode(thrown, ErrorCode.notMember)) {
          throw thrown;
        }
        await delay(fullJitterMs(attempt, 100, 2000));
      }
    }
    // Shown as unreadable rather than stalling; the next reconnect tries again.
    this.log.unreadable.add(id);
    this.sync.want([id]);
    throw localError('group_broken', false);
  }

  #keepPending(id: string, prepared: PreparedCommit, joining: boolean): Promise<PendingCommit> {
    return this.core.queue.run(id, async () => {
      const pending = toPending(prepared, joining);
      const group = (await this.core.group(id)) ?? emptyGroup(id);
      await this.core.write([{ put: 'groups', value: { ...group, pending } }], 'strict');
      return pending;
    });
  }

  /**
   * In the lane: commits what `plan` finds to do in the group as it stands, again after each commit of somebody else,
   * until it won or there is nothing left to do.
   */
  async commit(
    id: string,
    plan: (group: GroupRecord, conversation: ConversationRecord) => Membership | null,
  ): Promise<void> {
    const { core } = this;
    for (let attempt = 0; attempt < staleAttempts; attempt++) {
      await this.ensure(id);
      const pending = await core.queue.run(id, async () => {
        const group = await core.group(id);
        const change = group?.state ? plan(group, core.conversation(id)) : null;
        if (!group?.state || !change) {
          return null;
        }
        const prepared = await core.mls.commit(core.identity, group.state, change.adds, change.removeLeaves);
        const made = toPending(prepared, false);
        await core.write([{ put: 'groups', value: { ...group, pending: made } }], 'strict');
        return made;
      });
      if (!pending) {
        return;
      }
      try {
        await this.#won(id, pending, await this.#submit(id, pending));
        return;
      } catch (thrown) {
        if (isTransient(thrown)) {
          throw thrown;
        }
        const group = await core.group(id);
        if (group) {
          await this.#lost(id, group, pending, thrown);
        }
        if (!isCode(thrown, ErrorCode.staleEpoch)) {
          throw thrown;
        }
        await delay(fullJitterMs(attempt, 50, 1000));
      }
    }
    throw new ActionError({ code: ErrorCode.staleEpoch, name: 'stale_epoch', retryable: true });
  }

  /** In the lane: removes the leaves of revoked devices and departed accounts, as everybody does before encrypting. */
  removePending(id: string): Promise<void> {
    return this.commit(id, (group, conversation) => {
      const devices = new Set(conversation.pendingRemovals.map((removal) => removal.device));
      const leaves = group.leaves.filter((leaf) => devices.has(leaf.device) && leaf.leaf !== group.ownLeaf);
      return leaves.length > 0 ? { adds: [], removeLeaves: leaves.map((leaf) => leaf.leaf) } : null;
    });
  }

  /** Whoever is online removes them first; a random delay keeps everybody from trying at once. */
  removalsSeen(conversation: ConversationRecord): void {
    const { id } = conversation;
    if (conversation.pendingRemovals.length === 0 || !conversation.active || this.#removalTimers.has(id)) {
      return;
    }
    const [least, most] = this.core.timing.removalMs;
    const timer = setTimeout(
      () => {
        this.#removalTimers.delete(id);
        if (this.core.online && (this.core.conversations.get(id)?.pendingRemovals.length ?? 0) > 0) {
          void this.core.lane.run(id, () => this.removePending(id)).catch(() => undefined);
        }
      },
      least + Math.random() * (most - least),
    );
    this.#removalTimers.set(id, timer);
  }

  /** Reads this device's queue to its end. */
  pullWelcomes(): Promise<void> {
    this.#pulling ??= this.#pull().finally(() => {
      this.#pulling = null;
    });
    return this.#pulling;
  }

  async #pull(): Promise<void> {
    for (let more = true; more; ) {
      const page = await this.core.hub.pullDevice();
      await this.takeWelcomes(page.messages);
      more = page.more && page.messages.length > 0;
    }
  }

  async takeWelcomes(messages: DeviceMessage[]): Promise<void> {
    for (const message of messages) {
      await this.#takeWelcome(message);
    }
    if (messages.length > 0) {
      await this.core.hub.ackDevice(messages.map((message) => message.id));
    }
  }

  async #takeWelcome(message: DeviceMessage): Promise<void> {
    const id = message.conversation;
    if (message.kind === 'pairwise') {
      await this.keys.own.takeApproval(fromBase64(message.body));
      return;
    }
    if (message.kind !== 'welcome' || !id) {
      // Something that this client has no use for yet: acknowledged with the rest, so that it does not fill the queue.
      return;
    }
    if (!this.core.conversations.has(id)) {
      await this.sync.discover(id);
    }
    if (!this.core.conversations.has(id)) {
      return;
    }
    const unknown = await this.core.queue.run(id, () => this.#join(id, message));
    if (unknown.length > 0) {
      // Their keys are looked at before anything can be said there.
      await this.keys.lookAt(unknown);
      await this.core.queue.run(id, () => this.#join(id, message, true));
    }
    this.sync.want([id]);
  }

  /**
   * Group, and the end of its one-time key, in one transaction. A Welcome that leads nowhere is dropped, and so is one beside a
   * stranger in the own account's name.
   * @param isLookedAt whether the keys of devices that are not known were looked at
   * @returns leaves that are to be looked at before; then nothing was written
   */
  async #join(id: string, message: DeviceMessage, isLookedAt = false): Promise<ShownLeaf[]> {
    const { core } = this;
    const known = await core.group(id);
    try {
      const welcome = fromBase64(message.body);
      const refs = await core.mls.welcomeRefs(welcome);
      const packages = await Promise.all(refs.map((ref) => core.db.keyPackage(ref)));
      const own = packages.find((found) => found !== null);
      if (!own) {
        return [];
      }
      const group = await core.mls.join(core.identity, id, welcome, own.secret);
      if (known?.state && known.epoch >= group.epoch) {
        return [];
      }
      const unknown = isLookedAt ? [] : this.keys.people.unknown(group.leaves);
      if (unknown.length > 0 || this.keys.hasStranger(group.leaves)) {
        return unknown;
      }
      const { epoch, state, ownLeaf, leaves } = group;
      const value: GroupRecord = {
        ...emptyGroup(id),
        state,
        epoch,
        ownLeaf,
        leaves,
        joinSeq: message.seq,
      };
      const changes: Change[] = [{ put: 'groups', value }];
      if (!own.lastResort) {
        changes.push({ remove: 'keyPackages', id: own.ref });
      }
      await core.write(changes, 'strict');
      this.#broken.delete(id);
      this.log.unreadable.delete(id);
      this.renewal.joined(value);
    } catch (thrown) {
      if (thrown instanceof ActionError || !(thrown instanceof Error) || core.stopped) {
        throw thrown;
      }
      // The external join that follows gets this device in without the Welcome.
    }
    return [];
  }

  /** One key package for every live device of these accounts except this one. */
  async claim(accounts: string[]): Promise<Candidate[]> {
    if (!this.keys.isApproved) {
      throw notApproved();
    }
    const candidates: Candidate[] = [];
    for (let i = 0; i < accounts.length; i += Limits.accountsPerClaim) {
      const reply = await this.core.api.claimKeyPackages(accounts.slice(i, i + Limits.accountsPerClaim));
      for (const { account, device, keyPackage } of reply.keyPackages) {
        if (device !== this.core.device.device) {
          candidates.push({ account, device, keyPackage: fromBase64(keyPackage) });
        }
      }
    }
    await this.keys.requireAddable(await this.core.mls.shownBy(candidates.map(({ keyPackage }) => keyPackage)));
    const others = accounts.filter((account) => account !== this.core.device.account);
    if (others.some((account) => !candidates.some((candidate) => candidate.account === account))) {
      throw new ActionError({
        code: ErrorCode.keyPackageUnavailable,
        name: 'key_package_unavailable',
        retryable: false,
      });
    }
    return candidates;
  }

  /** Keeps the commit that creates a conversation until the server has it. */
  async prepareCreation(id: string, candidates: Candidate[]): Promise<PendingCommit> {
    const prepared = await this.core.mls.createGroup(this.core.identity, id, candidates);
    return this.#keepPending(id, prepared, true);
  }
}

export function toPending(prepared: PreparedCommit, joining: boolean): PendingCommit {
  const { group, epoch, commit, welcome, groupInfo } = prepared;
  const { state, ownLeaf, leaves } = group;
  return { clientId: uuidv7(), epoch, state, ownLeaf, leaves, commit, welcome, groupInfo, joining };
}

export function emptyGroup(conversation: string): GroupRecord {
  return {
    conversation,
    state: null,
    epoch: 0,
    ownLeaf: 0,
    leaves: [],
    joinSeq: 0,
    lastCommit: new Uint8Array(),
    pending: null,
  };
}
