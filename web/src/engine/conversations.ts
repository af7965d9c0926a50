import type { Leaf } from '../crypto/port';
import type { ConversationView, Event, Receipt } from '../protocol/wire';
import type { ConversationRecord, Marks } from '../storage/records';

/** A record for a conversation that this device has just heard of. */
export function newConversation(view: ConversationView): ConversationRecord {
  const record: ConversationRecord = {
    id: view.id,
    kind: view.kind,
    createdAt: Date.parse(view.createdAt),
    joinedSeq: view.joinedSeq,
    members: [],
    former: [],
    pendingRemovals: [],
    head: 0,
    viewSeq: 0,
    epoch: 0,
    cursor: view.joinedSeq - 1,
    active: true,
    name: null,
    nameSeq: 0,
    marks: {},
    read: view.joinedSeq - 1,
    unread: 0,
    lastActivityAt: Date.parse(view.createdAt),
    previewKey: null,
    draft: '',
  };
  return mergeView(record, view);
}

/**
 * What the server says of a conversation now, unless something newer is known. Views come by several ways (hello, sync,
 * heads) and may overtake each other; the head orders them.
 */
export function mergeView(record: ConversationRecord, view: ConversationView): ConversationRecord {
  const merged = mergeReceipts(record, view.receipts);
  if (view.head < Math.max(record.viewSeq, record.cursor)) {
    // Better something a little old than nothing about how long messages are kept.
    const isTold = record.retentionDays !== undefined;
    return isTold ? merged : { ...merged, retentionDays: view.retentionDays ?? null };
  }
  const present = new Set(view.members.map((member) => member.account));
  const gone = record.members
    .filter((member) => !present.has(member.account))
    .map(({ account, handle, displayName }) => ({ id: account, handle, displayName }));
  const former = [...record.former.filter((person) => !gone.some((other) => other.id === person.id)), ...gone];
  // Added anew after having been away: what happened in between is not for this member.
  const cursor = Math.max(merged.cursor, view.joinedSeq - 1);
  return {
    ...merged,
    joinedSeq: view.joinedSeq,
    members: view.members,
    former,
    pendingRemovals: view.pendingRemovals,
    head: Math.max(view.head, record.head),
    viewSeq: view.head,
    epoch: view.epoch,
    cursor,
    read: Math.max(merged.read, view.joinedSeq - 1),
    active: true,
    retentionDays: view.retentionDays ?? null,
  };
}

/**
 * What an event does to members and removals, for those who follow the log without asking for views. Whoever is
 * removed or leaves stays known by name.
 */
export function mergeChange(record: ConversationRecord, event: Event, leaves: Leaf[]): ConversationRecord {
  const change = event.members;
  if (!change || event.seq <= record.viewSeq) {
    return record;
  }
  const gone = new Set([...change.removed, ...change.left]);
  const added = new Set(change.added.map((member) => member.account));
  const roles = new Map(change.roles.map(({ account, role }) => [account, role]));
  const members = record.members
    .filter((member) => !gone.has(member.account) && !added.has(member.account))
    .map((member) => ({ ...member, role: roles.get(member.account) ?? member.role }));
  const left = record.members
    .filter((member) => gone.has(member.account))
    .map(({ account, handle, displayName }) => ({ id: account, handle, displayName }));
  const waiting = leaves
    .filter(
      (leaf) => (event.kind === 'members' && gone.has(leaf.account)) || change.devicesRevoked.includes(leaf.device),
    )
    .map(({ leaf, device, account }) => ({ leaf, device, account }));
  // Without days of its own it is as the operator says, which only a view tells.
  const retention = change.retention ? { retentionDays: change.retention.days ?? undefined } : {};
  const removed = new Set([...change.devicesRemoved, ...waiting.map((entry) => entry.device)]);
  return {
    ...record,
    members: [...members, ...change.added],
    former: [...record.former.filter((person) => !gone.has(person.id)), ...left],
    pendingRemovals: [...record.pendingRemovals.filter((entry) => !removed.has(entry.device)), ...waiting],
    epoch: event.kind === 'commit' ? event.epoch + 1 : record.epoch,
    ...retention,
  };
}

/** Marks only ever rise. */
export function mergeReceipts(record: ConversationRecord, receipts: Receipt[]): ConversationRecord {
  let marks: Record<string, Marks> | null = null;
  for (const receipt of receipts) {
    const known = (marks ?? record.marks)[receipt.device];
    const delivered = Math.max(known?.delivered ?? 0, receipt.delivered);
    const read = Math.max(known?.read ?? 0, receipt.read);
    if (!known || delivered > known.delivered || read > known.read) {
      marks ??= { ...record.marks };
      marks[receipt.device] = { account: receipt.account, delivered, read };
    }
  }
  return marks ? { ...record, marks } : record;
}

/** The key of the mark that stands for other devices of this account together, whichever they are or were. */
const elsewhere = 'elsewhere';

/** How far this account has read on devices that the server names only together. */
export function mergeReadElsewhere(
  record: ConversationRecord,
  account: string,
  read: number,
): ConversationRecord | null {
  if (markOf(record, account).read >= read) {
    return null;
  }
  return { ...record, marks: { ...record.marks, [elsewhere]: { account, delivered: read, read } } };
}

/** The highest mark of an account over all its devices. */
export function markOf(record: ConversationRecord, account: string): { delivered: number; read: number } {
  let delivered = 0;
  let read = 0;
  for (const marks of Object.values(record.marks)) {
    if (marks.account === account) {
      delivered = Math.max(delivered, marks.delivered);
      read = Math.max(read, marks.read);
    }
  }
  return { delivered, read };
}

/** How far everybody else has a message: each other member with at least one device. */
export function sendStateOf(record: ConversationRecord, me: string, seq: number): 'sent' | 'delivered' | 'read' {
  const others = record.members.filter((member) => member.account !== me && member.joinedSeq <= seq);
  if (others.length === 0) {
    return 'sent';
  }
  const marks = others.map((member) => markOf(record, member.account));
  if (marks.every((mark) => mark.read >= seq)) {
    return 'read';
  }
  return marks.every((mark) => mark.delivered >= seq) ? 'delivered' : 'sent';
}
