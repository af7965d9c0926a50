import type { Candidate } from '../crypto/port';
import { delay, fullJitterMs } from '../net/jitter';
import { sha256, toBase64, toHex, wellFormed } from '../protocol/bytes';
import { ErrorCode, isCode, isTransient } from '../protocol/errors';
import { uuidv7 } from '../protocol/ids';
import { Limits } from '../protocol/limits';
import type {
  ConversationKind,
  ConversationView,
  CreateConversationRequest,
  Event,
  MemberRole,
} from '../protocol/wire';
import { ActionError, type Person } from '../state/contract';
import type { PendingCommit } from '../storage/records';
import type { Core } from './core';
import type { Groups } from './groups';
import type { Outbox } from './outbox';
import type { Sync } from './sync';

const createAttempts = 4;

/** What people do with conversations: open, name, invite, remove, leave. */
export class Chats {
  readonly #nameTimers = new Set<ReturnType<typeof setTimeout>>();

  constructor(
    readonly core: Core,
    readonly groups: Groups,
    readonly sync: Sync,
    readonly outbox: Outbox,
  ) {}

  stop(): void {
    for (const timer of this.#nameTimers) {
      clearTimeout(timer);
    }
  }

  async startDirect(person: Person): Promise<string> {
    return this.directWith(person.id) ?? this.#create('direct', [person]);
  }

  /** The direct conversation with somebody, as far as this device knows of one. */
  directWith(account: string): string | null {
    const known = [...this.core.conversations.values()].find(
      (entry) => entry.kind === 'direct' && entry.active && entry.members.some((member) => member.account === account),
    );
    return known?.id ?? null;
  }

  async createGroup(name: string, people: Person[]): Promise<string> {
    const trimmed = wellFormed(name.trim());
    if (trimmed.length === 0 || trimmed.length > Limits.groupNameMaxChars) {
      throw new ActionError({ code: ErrorCode.invalidArgument, name: 'invalid_argument', retryable: false });
    }
    const id = await this.#create('group', people);
    await this.core.update(id, (record) => ({ ...record, name: trimmed }));
    await this.outbox.sendName(id, trimmed);
    return id;
  }

  async #create(kind: ConversationKind, people: Person[]): Promise<string> {
    this.sync.requireOnline();
    const { core } = this;
    const others = people.map((person) => person.id).filter((id) => id !== core.device.account);
    const candidates = await this.groups.claim([...new Set(others), core.device.account]);
    const id = uuidv7();
    const pending = await this.groups.prepareCreation(id, candidates);
    try {
      const view = await this.#post(id, kind, pending);
      await this.sync.learn(view);
    } catch (thrown) {
      const existing = isCode(thrown, ErrorCode.conversationExists) ? thrown.info.details?.conversation : null;
      if (!isTransient(thrown)) {
        await core.queue.run(id, () => core.write([{ remove: 'groups', id }]));
      }
      if (typeof existing !== 'string') {
        throw thrown;
      }
      if (!core.conversations.has(existing)) {
        await this.sync.discover(existing);
      }
      return existing;
    }
    await core.lane.run(id, () => this.groups.ensure(id));
    await this.sync.upTo(id, 1);
    return id;
  }

  /** The id is ours alone, so a repeated post that finds it taken finds this very conversation. */
  async #post(id: string, kind: ConversationKind, pending: PendingCommit): Promise<ConversationView> {
    const request: CreateConversationRequest = {
      id,
      kind,
      clientId: pending.clientId,
      commit: toBase64(pending.commit),
      welcome: pending.welcome && toBase64(pending.welcome),
      groupInfo: toBase64(pending.groupInfo),
    };
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.core.api.createConversation(request);
      } catch (thrown) {
        const mine = isCode(thrown, ErrorCode.conversationExists) && thrown.info.details?.conversation === id;
        if (mine) {
          return this.core.api.conversation(id);
        }
        if (!isTransient(thrown) || attempt >= createAttempts) {
          throw thrown;
        }
        await delay(fullJitterMs(attempt, 300, 3000));
      }
    }
  }

  async rename(id: string, name: string): Promise<void> {
    this.sync.requireOnline();
    const clientId = uuidv7();
    const answered = this.outbox.settledEntry(clientId);
    await this.outbox.sendName(id, wellFormed(name.trim()), clientId);
    await answered;
  }

  async addMembers(id: string, people: Person[]): Promise<void> {
    this.sync.requireOnline();
    const accounts = people.map((person) => person.id);
    const candidates = await this.groups.claim(accounts);
    await this.core.lane.run(id, () => this.#add(id, candidates));
    await this.repeatName(id);
  }

  #add(id: string, candidates: Candidate[]): Promise<void> {
    return this.groups.commit(id, (group, conversation) => {
      const present = new Set(group.leaves.map((leaf) => leaf.device));
      const adds = candidates.filter((candidate) => !present.has(candidate.device));
      const gone = new Set(conversation.pendingRemovals.map((removal) => removal.device));
      const removeLeaves = group.leaves
        .filter((leaf) => gone.has(leaf.device) && leaf.leaf !== group.ownLeaf)
        .map((leaf) => leaf.leaf);
      return adds.length > 0 ? { adds, removeLeaves } : null;
    });
  }

  async removeMember(id: string, account: string): Promise<void> {
    this.sync.requireOnline();
    const leavesOf = (group: { leaves: { leaf: number; account: string }[] }) =>
      group.leaves.filter((leaf) => leaf.account === account).map((leaf) => leaf.leaf);
    await this.core.lane.run(id, () =>
      this.groups.commit(id, (group) => {
        const removeLeaves = leavesOf(group);
        return removeLeaves.length > 0 ? { adds: [], removeLeaves } : null;
      }),
    );
    // Somebody whose devices are all gone has no leaf for a commit to remove, or had only waiting ones.
    if (this.core.conversations.get(id)?.members.some((member) => member.account === account)) {
      await this.core.api.removeMember(id, account);
    }
  }

  async setRole(id: string, account: string, role: MemberRole): Promise<void> {
    await this.core.api.setRole(id, account, role);
    await this.core.update(id, (record) => ({
      ...record,
      members: record.members.map((member) => (member.account === account ? { ...member, role } : member)),
    }));
  }

  async leave(id: string): Promise<void> {
    await this.core.api.leave(id);
    await this.core.update(id, (record) => ({ ...record, active: false, pendingRemovals: [] }));
    await this.core.queue.run(id, () => this.core.write([{ remove: 'groups', id }]));
  }

  /** Says the group's name again for those who could not read it when it was said. */
  async repeatName(id: string): Promise<void> {
    const conversation = this.core.conversations.get(id);
    const waiting = this.core.waiting(id).some((entry) => entry.kind === 'group');
    if (conversation?.kind === 'group' && conversation.name !== null && conversation.active && !waiting) {
      await this.outbox.sendName(id, conversation.name);
    }
  }

  /**
   * Somebody joined by an external commit: another device of the same account repeats the name, or else, after some
   * seconds, any member. Nobody does once somebody has.
   */
  commitSeen(id: string, event: Event, external: boolean, mine: boolean): void {
    if (!external || mine || this.core.conversations.get(id)?.kind !== 'group') {
      return;
    }
    const own = event.account === this.core.device.account;
    const [least, most] = own ? this.core.timing.nameOwnMs : this.core.timing.nameOtherMs;
    const timer = setTimeout(
      () => {
        this.#nameTimers.delete(timer);
        const said = (this.core.conversations.get(id)?.nameSeq ?? 0) > event.seq;
        if (!said && this.core.online) {
          void this.repeatName(id).catch(() => undefined);
        }
      },
      least + Math.random() * (most - least),
    );
    this.#nameTimers.add(timer);
  }

  async fingerprints(id: string, account: string): Promise<{ device: string; fingerprint: string }[]> {
    const group = await this.core.group(id);
    const leaves = (group?.leaves ?? []).filter((leaf) => leaf.account === account);
    return Promise.all(
      leaves.map(async (leaf) => ({ device: leaf.device, fingerprint: toHex(await sha256(leaf.signatureKey)) })),
    );
  }
}
