import type { Leaf, LogInput, LogOutcome, LogResult, ShownLeaf } from '../crypto/port';
import { equalBytes, sha256 } from '../protocol/bytes';
import { localError } from '../protocol/errors';
import type { ConversationView, Event } from '../protocol/wire';
import type { Change } from '../storage/database';
import type { GroupRecord, PendingCommit } from '../storage/records';
import { Batch } from './batch';
import { mergeChange, mergeView } from './conversations';
import type { Core } from './core';
import { bodyOf, ItemBuilder, messageKey } from './items';
import { openResult } from './verify';

/** At most this many events go into one transaction. */
const eventsPerBatch = 64;

export type Applied =
  | 'done'
  /** An event before these is missing. */
  | 'gap'
  /** This device has no group for the conversation yet. */
  | 'noGroup'
  /** The log and this device's group do not fit: join anew. */
  | 'broken'
  /** A device comes in that its account's chain has not, as far as it is known here: `lookAtKeys`, then again. */
  | 'keysUnknown';

/** What others want to know of commits: names to repeat, removals to make. */
export type LogHooks = {
  commitSeen(conversation: string, event: Event, external: boolean, mine: boolean): void;
  /** Somebody says what the key log has shown them. */
  logHeard(from: string, note: string): void;
  /** Those of the leaves whose keys are to be looked at before the group goes on with them. */
  unknownKeys(leaves: readonly ShownLeaf[]): ShownLeaf[];
  lookAtKeys(leaves: readonly ShownLeaf[]): Promise<void>;
};

type Step = { events: Event[]; results: Map<number, LogResult>; outcome: LogOutcome | null };

/** Applies log events to a conversation: in order, each exactly once, a batch per transaction. */
export class Log {
  /** Conversations whose encryption could not be mended: their messages are shown as unreadable, and nothing waits. */
  readonly unreadable = new Set<string>();
  /** By conversation: leaves whose keys are to be looked at, or were, before the events from this seq on. */
  readonly #looks = new Map<string, { seq: number; leaves: ShownLeaf[]; isDone: boolean }>();

  constructor(
    readonly core: Core,
    readonly hooks: LogHooks,
  ) {}

  /** Call inside the conversation's queue; one applier at a time, from its first call to the one after `lookAtKeys`. */
  async apply(id: string, view: ConversationView | null, incoming: Event[]): Promise<Applied> {
    if (view) {
      await this.#mergeView(id, view);
    }
    const events = incoming.slice().sort((a, b) => a.seq - b.seq);
    for (;;) {
      const conversation = this.core.conversations.get(id);
      if (!conversation) {
        return 'noGroup';
      }
      const rest = events.filter((event) => event.seq > conversation.cursor);
      const first = rest[0];
      if (!first) {
        return 'done';
      }
      if (first.seq !== conversation.cursor + 1) {
        return 'gap';
      }
      const group = await this.core.group(id);
      if (!group?.state && !this.#adoptable(group, first) && !this.unreadable.has(id)) {
        return 'noGroup';
      }
      const outcome = await this.#applySome(new Batch(this.core, conversation, group), contiguous(rest));
      if (outcome !== 'done') {
        return outcome;
      }
    }
  }

  /**
   * Looks at the keys that `apply` stopped at. The group goes on with those devices in any case, but where one is a stranger
   * nothing is said there.
   */
  async lookAtKeys(id: string): Promise<void> {
    const look = this.#looks.get(id);
    if (look) {
      await this.hooks.lookAtKeys(look.leaves);
      look.isDone = true;
    }
  }

  /** Whether the events of a step bring devices whose keys nobody has looked at yet. */
  #hasUnknownKeys(id: string, { events, results, outcome }: Step): boolean {
    const seq = events[0]?.seq ?? 0;
    const look = this.#looks.get(id);
    if (look?.seq === seq && look.isDone) {
      this.#looks.delete(id);
      return false;
    }
    const added = [...results.values()].flatMap((result) => (result.kind === 'committed' ? result.added : []));
    const leaves = this.hooks.unknownKeys([...(outcome?.group?.leaves ?? []), ...added]);
    if (leaves.length === 0) {
      return false;
    }
    this.#looks.set(id, { seq, leaves, isDone: false });
    return true;
  }

  async #mergeView(id: string, view: ConversationView): Promise<void> {
    const known = this.core.conversations.get(id);
    const merged = known && mergeView(known, view);
    if (merged && merged !== known) {
      await this.core.write([{ put: 'conversations', value: merged }]);
    }
    await this.skipRemoved(id, view);
  }

  /**
   * Where the server keeps the log's beginning no longer, reading goes on after it. Commits that were in there show by
   * a later epoch, and this device then joins anew. A message whose answer was lost may have been in there as well: it
   * is not sent again unless the person says so. Call inside the conversation's queue.
   */
  async skipRemoved(id: string, view: ConversationView): Promise<void> {
    const { core } = this;
    const conversation = core.conversations.get(id);
    const last = (view.firstSeq ?? 1) - 1;
    if (!conversation || conversation.cursor >= last) {
      return;
    }
    const batch = new Batch(core, { ...conversation, cursor: last }, await core.group(id));
    const failed: Change[] = [];
    if (conversation.cursor >= conversation.joinedSeq) {
      new ItemBuilder(core, batch).removedMeanwhile(last, conversation.lastActivityAt);
      for (const entry of core.waiting(id).filter((waiting) => waiting.kind === 'text' && waiting.body !== null)) {
        const item = await batch.item(messageKey(core.device.device, entry.clientId));
        if (item?.body.type === 'message') {
          batch.putItem({ ...item, body: { ...item.body, error: localError('outcome_unknown', false).info } });
        }
        failed.push({ put: 'outbox', value: { ...entry, failed: true } });
      }
    }
    await batch.write(failed);
  }

  #adoptable(group: GroupRecord | null, event: Event): boolean {
    return group?.pending != null && this.#isOwnPending(group.pending, event);
  }

  #isOwnPending(pending: PendingCommit, event: Event): boolean {
    const own = event.device === this.core.device.device && event.clientId === pending.clientId;
    return event.kind === 'commit' && own && equalBytes(bodyOf(event), pending.commit);
  }

  /** One transaction: up to a batch of events, or just one commit of mine that changes the group as prepared. */
  async #applySome(batch: Batch, events: Event[]): Promise<Applied> {
    const first = events[0] as Event;
    const pending = batch.group?.pending;
    if (pending && this.#isOwnPending(pending, first)) {
      await this.#adopt(batch, pending, first);
      return 'done';
    }
    const step = await this.#decrypt(batch, events);
    if (this.#hasUnknownKeys(batch.conversation.id, step)) {
      return 'keysUnknown';
    }
    const builder = new ItemBuilder(this.core, batch);
    const after: (() => void)[] = [];
    for (const event of step.events) {
      const result = step.results.get(event.seq);
      if (result?.kind === 'rejected') {
        break;
      }
      await this.#build(batch, builder, event, result, after);
      batch.conversation = { ...batch.conversation, cursor: event.seq };
    }
    const advanced = batch.conversation.cursor >= first.seq;
    if (advanced) {
      this.#followGroup(batch, step.outcome);
      await this.#rememberCommit(batch, step);
      await batch.write();
    }
    for (const run of after) {
      run();
    }
    return [...step.results.values()].some((result) => result.kind === 'rejected') ? 'broken' : 'done';
  }

  /** Everything up to the next commit of mine that is pending goes through MLS in one call. */
  async #decrypt(batch: Batch, events: Event[]): Promise<Step> {
    const { group } = batch;
    const chosen: Event[] = [];
    const inputs: LogInput[] = [];
    const seqs: number[] = [];
    let epoch = group?.epoch ?? 0;
    const results = new Map<number, LogResult>();
    for (const event of events.slice(0, eventsPerBatch)) {
      if (chosen.length > 0 && group?.pending && this.#isOwnPending(group.pending, event)) {
        break;
      }
      chosen.push(event);
      if (!group?.state || event.seq <= group.joinSeq || !isMls(event)) {
        continue;
      }
      if (event.epoch < epoch) {
        if (await this.#isOtherBranch(group, event)) {
          results.set(event.seq, { kind: 'rejected', reason: 'another commit led to this epoch' });
          break;
        }
        continue;
      }
      const own = event.device === this.core.device.device;
      if (event.kind !== 'commit' && own) {
        continue;
      }
      if (event.epoch > epoch || (event.kind === 'commit' && own)) {
        // Either another branch of the group's history, or a commit of this device that it does not remember.
        results.set(event.seq, { kind: 'rejected', reason: 'the log is not where this group is' });
        break;
      }
      inputs.push(this.#input(batch, event));
      seqs.push(event.seq);
      epoch += event.kind === 'commit' ? 1 : 0;
    }
    if (!group?.state || inputs.length === 0) {
      return { events: chosen, results, outcome: null };
    }
    const outcome = await this.core.mls.apply(group.state, inputs);
    outcome.results.forEach((result, i) => {
      results.set(seqs[i] as number, result);
    });
    return { events: this.#upTo(chosen, outcome, seqs), results, outcome };
  }

  /** Whether a replayed log, after a change of lineage, tells of another commit than the one this group followed. */
  async #isOtherBranch(group: GroupRecord, event: Event): Promise<boolean> {
    const decisive = event.kind === 'commit' && event.epoch === group.epoch - 1 && group.lastCommit.length > 0;
    return decisive && !equalBytes(await sha256(bodyOf(event)), group.lastCommit);
  }

  /** MLS stops at a commit that it refuses or that removes this device; what follows is not for now. */
  #upTo(events: Event[], outcome: LogOutcome, seqs: number[]): Event[] {
    const last = outcome.results.at(-1);
    const stopped = last?.kind === 'rejected' || (last?.kind === 'committed' && last.selfRemoved);
    if (!stopped) {
      return events;
    }
    const seq = seqs[outcome.results.length - 1] as number;
    return events.filter((event) => event.seq <= seq);
  }

  #input(batch: Batch, event: Event): LogInput {
    const body = bodyOf(event);
    if (event.kind !== 'commit') {
      return { kind: 'message', epoch: event.epoch, body };
    }
    const { members, former } = batch.conversation;
    const allowed = new Set<string>([
      ...members.map((member) => member.account),
      ...former.map((person) => person.id),
      ...(event.members?.added ?? []).map((member) => member.account),
      ...(batch.group?.leaves ?? []).map((leaf) => leaf.account),
    ]);
    return {
      kind: 'commit',
      epoch: event.epoch,
      body,
      account: event.account ?? '',
      device: event.device ?? '',
      members: [...allowed],
      devicesAdded: event.members?.devicesAdded ?? [],
      devicesRemoved: event.members?.devicesRemoved ?? [],
    };
  }

  async #build(
    batch: Batch,
    builder: ItemBuilder,
    event: Event,
    result: LogResult | undefined,
    after: (() => void)[],
  ): Promise<void> {
    const id = batch.conversation.id;
    switch (event.kind) {
      case 'message':
      case 'card':
        await this.#buildMessage(batch, builder, event, result);
        break;
      case 'cardChanged':
        builder.cardChanged(event, event.card ? await batch.card(event.card.id) : null);
        break;
      case 'members':
        builder.membersChanged(event);
        this.#changeMembers(batch, event);
        break;
      case 'commit': {
        const committed = result?.kind === 'committed' ? result : null;
        await builder.committed(event, committed?.added ?? [], (committed?.removed.length ?? 0) > 0);
        this.#changeMembers(batch, event);
        if (event.seq === batch.group?.joinSeq) {
          await this.#sayHistoryStarts(batch, builder, event);
        }
        if (committed && !committed.selfRemoved) {
          after.push(() => this.hooks.commitSeen(id, event, committed.external, false));
        }
      }
    }
  }

  #changeMembers(batch: Batch, event: Event): void {
    const me = this.core.device.account;
    batch.conversation = mergeChange(batch.conversation, event, batch.group?.leaves ?? []);
    if (event.members?.removed.includes(me) || event.members?.left.includes(me)) {
      batch.conversation = { ...batch.conversation, active: false };
    }
  }

  /** Only where there was something before: not for a device that was there when its account joined. */
  async #sayHistoryStarts(batch: Batch, builder: ItemBuilder, event: Event): Promise<void> {
    const { id, joinedSeq } = batch.conversation;
    if (event.seq > joinedSeq && !(await this.core.archiving.hasBrought(id, event.seq))) {
      builder.historyStartsHere(event.seq, Date.parse(event.at));
    }
  }

  async #buildMessage(batch: Batch, builder: ItemBuilder, event: Event, result: LogResult | undefined): Promise<void> {
    const key = event.device && event.clientId ? `${event.device}:${event.clientId}` : null;
    const own = event.device === this.core.device.device;
    const known = key ? await batch.item(key) : null;
    if (own && event.clientId && (known || this.core.outbox.has(event.clientId))) {
      await builder.settled(event.clientId, event.seq, Date.parse(event.at), event.card ?? null);
      return;
    }
    if (known && known.body.type !== 'undecryptable') {
      // The log is being read again after a change of lineage: what is known stays, at its place in this log.
      batch.putItem({ ...known, seq: event.seq, order: event.seq });
      return;
    }
    if (result) {
      const opened = openResult(event, result);
      await builder.received(event, opened);
      if (opened.ok && opened.content.log && event.account) {
        this.hooks.logHeard(event.account, opened.content.log);
      }
      return;
    }
    if (own && event.kind === 'message') {
      // A name of mine whose answer came first: it has no line of its own.
      return;
    }
    if (event.kind === 'card') {
      const readable = batch.group?.state != null && event.seq > batch.group.joinSeq;
      await builder.unreadableCard(event, own || !readable);
    } else if (event.seq > (batch.group?.joinSeq ?? 0)) {
      await builder.received(event, { ok: false, reason: 'failed' });
    }
  }

  #followGroup(batch: Batch, outcome: LogOutcome | null): void {
    if (!batch.group || !outcome) {
      return;
    }
    const { group } = outcome;
    const last = outcome.results.at(-1);
    if (last?.kind === 'committed' && last.selfRemoved) {
      batch.group = { ...batch.group, state: null, pending: null };
      return;
    }
    batch.group = {
      ...batch.group,
      state: outcome.state,
      epoch: outcome.epoch,
      ...(group ? { ownLeaf: group.ownLeaf, leaves: group.leaves } : {}),
      // Somebody else's commit won the epoch that mine was for.
      pending: batch.group.pending && batch.group.pending.epoch < outcome.epoch ? null : batch.group.pending,
    };
  }

  /** Keeps the hash of the commit that led here, and notices when a replayed log tells of another one. */
  async #rememberCommit(batch: Batch, step: Step): Promise<void> {
    const last = step.events.filter((event) => step.results.get(event.seq)?.kind === 'committed').at(-1);
    if (last && batch.group) {
      batch.group = { ...batch.group, lastCommit: await sha256(bodyOf(last)) };
    }
  }

  /** My own commit has won: the prepared group becomes the group. */
  async #adopt(batch: Batch, pending: PendingCommit, event: Event): Promise<void> {
    const before = batch.group as GroupRecord;
    const known = new Set(before.leaves.map((leaf) => leaf.device));
    const added: Leaf[] = pending.leaves.filter((leaf) => !known.has(leaf.device));
    batch.group = adopted(before, pending, event.seq, await sha256(pending.commit));
    const builder = new ItemBuilder(this.core, batch);
    await builder.committed(event, pending.joining ? [] : added, false);
    if (pending.joining) {
      await this.#sayHistoryStarts(batch, builder, event);
    }
    this.#changeMembers(batch, event);
    batch.conversation = { ...batch.conversation, cursor: event.seq };
    await batch.write([], 'strict');
    this.hooks.commitSeen(batch.conversation.id, event, pending.joining, true);
  }
}

/** The group after a pending commit at this seq has won. */
export function adopted(group: GroupRecord, pending: PendingCommit, seq: number, hash: Uint8Array): GroupRecord {
  return {
    conversation: group.conversation,
    state: pending.state,
    epoch: pending.epoch + 1,
    ownLeaf: pending.ownLeaf,
    leaves: pending.leaves,
    joinSeq: pending.joining ? seq : group.joinSeq,
    lastCommit: hash,
    pending: null,
  };
}

function isMls(event: Event): boolean {
  return (event.kind === 'message' || event.kind === 'card' || event.kind === 'commit') && event.body != null;
}

function contiguous(events: Event[]): Event[] {
  const start = events[0]?.seq ?? 0;
  const end = events.findIndex((event, i) => event.seq !== start + i);
  return end < 0 ? events : events.slice(0, end);
}
