import { readCredential } from '../../crypto/config';
import { decode } from '../../crypto/receive';
import { fromBase64, toBase64 } from '../../protocol/bytes';
import { fromBody } from '../../protocol/errors';
import { uuidv7 } from '../../protocol/ids';
import type * as wire from '../../protocol/wire';
import { FakeArchive } from './fakeArchive';
import { FakeBook } from './fakeBook';
import { FakeCards } from './fakeCards';
import { FakeClient } from './fakeClient';
import { FakeDebits } from './fakeDebits';
import { FakeKeys } from './fakeKeys';
import { FakePayCodes } from './fakePayCodes';

export type Account = wire.AccountView & { password: string };
export type FakeDevice = {
  id: string;
  account: string;
  key: string;
  revoked: boolean;
  packages: string[];
  lastResort: string | null;
};
export type FakeConversation = {
  id: string;
  kind: wire.ConversationKind;
  epoch: number;
  events: wire.Event[];
  members: Map<string, wire.MemberView>;
  /** Device per leaf, as public commits made it. */
  leaves: ({ device: string; account: string } | null)[];
  removals: Set<string>;
  receipts: Map<string, wire.Receipt>;
  groupInfo: string;
  acks: Map<string, wire.CommitReply | wire.SendReply>;
  /** Events below are kept no longer. */
  firstSeq?: number;
  retentionDays?: number | null;
};

export const fail = (code: number, name: string, details?: Record<string, unknown>): never => {
  throw fromBody({ code, name, message: '', retryable: false, ...(details ? { details } : {}) });
};

/** Of members and devices: nobody comes, goes or changes. */
export function noChange(): wire.MembersChange {
  return { added: [], removed: [], left: [], roles: [], devicesAdded: [], devicesRemoved: [], devicesRevoked: [] };
}

/**
 * A server of the protocol in memory, for tests that need its misbehaviour: lost answers, dropped and reordered pushes,
 * lies about events, a restored backup. Tests of the real rules run against the real server.
 */
export class FakeServer {
  /** Hello shows no more than this, and names the rest. */
  viewsPerHello = Number.POSITIVE_INFINITY;
  lineage = uuidv7();
  readonly accounts = new Map<string, Account>();
  readonly devices = new Map<string, FakeDevice>();
  readonly conversations = new Map<string, FakeConversation>();
  readonly cards = new Map<string, wire.CardView>();
  readonly queues = new Map<string, wire.DeviceMessage[]>();
  readonly connections = new Set<FakeClient>();
  readonly keys = new FakeKeys(this);
  readonly archive = new FakeArchive(this);
  readonly debits = new FakeDebits(this);
  readonly payCodes = new FakePayCodes(this);
  readonly cardRules = new FakeCards();
  readonly book = new FakeBook();
  /** Accounts that hide. */
  readonly hidden = new Set<string>();
  /** Called for every event on its way to a device, pushed or fetched. */
  tamper: (event: wire.Event, device: string) => wire.Event = (event) => event;
  /** Called for every card in an answer. */
  tamperReply: (card: wire.CardView) => wire.CardView = (card) => card;

  client(): FakeClient {
    return new FakeClient(this);
  }

  view(conversation: FakeConversation, account: string): wire.ConversationView {
    return {
      id: conversation.id,
      kind: conversation.kind,
      head: conversation.events.length,
      epoch: conversation.epoch,
      joinedSeq: conversation.members.get(account)?.joinedSeq ?? 1,
      createdAt: conversation.events[0]?.at ?? new Date().toISOString(),
      members: [...conversation.members.values()],
      pendingRemovals: conversation.leaves.flatMap((leaf, index) =>
        leaf && conversation.removals.has(leaf.device) ? [{ leaf: index, ...leaf }] : [],
      ),
      receipts: [...conversation.receipts.values()],
      firstSeq: conversation.firstSeq ?? 1,
      retentionDays: conversation.retentionDays ?? null,
    };
  }

  /** Appends and pushes. Only fields that the event's kind has are given. */
  append(conversation: FakeConversation, event: Omit<wire.Event, 'seq' | 'conversation' | 'at'>): wire.Event {
    const seq = conversation.events.length + 1;
    const full = { ...event, conversation: conversation.id, seq, at: new Date().toISOString() };
    conversation.events.push(full);
    for (const client of this.connections) {
      const account = client.device?.account ?? '';
      // Also to whom it removes: it is the last thing they see.
      const concerned = event.members?.removed.includes(account) || event.members?.left.includes(account);
      if (conversation.members.has(account) || concerned) {
        client.push(full, event.kind === 'commit' || event.kind === 'members' ? conversation : null);
      }
    }
    return full;
  }

  applyCommit(
    conversation: FakeConversation,
    device: FakeDevice,
    request: Omit<wire.CommitRequest, 'conversation'>,
  ): wire.CommitReply {
    const duplicate = conversation.acks.get(`${device.id}:${request.clientId}`);
    if (duplicate) {
      return duplicate as wire.CommitReply;
    }
    if (request.epoch !== conversation.epoch) {
      const winner = conversation.events.find((event) => event.kind === 'commit' && event.epoch === request.epoch);
      fail(3006, 'stale_epoch', { epoch: request.epoch, seq: winner?.seq, commit: winner?.body });
    }
    const message = decode(fromBase64(request.commit));
    if (message.wireformat !== 'mls_public_message' || message.publicMessage.content.contentType !== 'commit') {
      return fail(3009, 'commit_invalid');
    }
    const { commit, sender } = message.publicMessage.content;
    const change = noChange();
    const seq = conversation.events.length + 1;
    const enter = (owner: { account: string; device: string } | null) => {
      const free = conversation.leaves.indexOf(null);
      conversation.leaves[free < 0 ? conversation.leaves.length : free] = owner;
      change.devicesAdded.push(owner?.device ?? '');
    };
    for (const entry of commit.proposals) {
      const proposal = entry.proposalOrRefType === 'proposal' ? entry.proposal : null;
      if (proposal?.proposalType === 'remove') {
        const gone = conversation.leaves[proposal.remove.removed];
        conversation.leaves[proposal.remove.removed] = null;
        change.devicesRemoved.push(gone?.device ?? '');
        const waited = conversation.removals.delete(gone?.device ?? '');
        const still = conversation.leaves.some((leaf) => leaf?.account === gone?.account);
        if (gone && !waited && !still && sender.senderType === 'member' && conversation.members.delete(gone.account)) {
          change.removed.push(gone.account);
        }
      }
    }
    for (const entry of commit.proposals) {
      const proposal = entry.proposalOrRefType === 'proposal' ? entry.proposal : null;
      if (proposal?.proposalType === 'add') {
        const owner = readCredential(proposal.add.keyPackage.leafNode.credential);
        enter(owner);
        const account = this.accounts.get(owner?.account ?? '');
        if (account && !conversation.members.has(account.id)) {
          const { id, handle, displayName } = account;
          const member: wire.MemberView = { account: id, handle, displayName, role: 'member', joinedSeq: seq };
          conversation.members.set(id, member);
          change.added.push(member);
        }
      }
    }
    if (sender.senderType === 'new_member_commit') {
      enter({ account: device.account, device: device.id });
    }
    const { epoch } = conversation;
    conversation.epoch++;
    conversation.groupInfo = request.groupInfo;
    if (request.welcome) {
      this.#queueWelcome(conversation.id, seq, request.welcome, change.devicesAdded);
    }
    const event = this.append(conversation, {
      kind: 'commit',
      account: device.account,
      device: device.id,
      clientId: request.clientId,
      epoch,
      body: request.commit,
      members: change,
    });
    const reply = { seq, epoch: epoch + 1, at: event.at };
    conversation.acks.set(`${device.id}:${request.clientId}`, reply);
    return reply;
  }

  #queueWelcome(conversation: string, seq: number, body: string, devices: string[]): void {
    for (const device of devices) {
      this.queue(device, { id: uuidv7(), kind: 'welcome', conversation, seq, body, at: new Date().toISOString() });
    }
  }

  queue(device: string, message: wire.DeviceMessage): void {
    this.queues.set(device, [...(this.queues.get(device) ?? []), message]);
    for (const client of this.connections) {
      if (client.device?.id === device) {
        client.deliver((listener) => listener.deviceMessages([message]));
      }
    }
  }

  revoke(id: string): void {
    const device = this.devices.get(id);
    if (!device) {
      return;
    }
    device.revoked = true;
    for (const conversation of this.conversations.values()) {
      if (conversation.leaves.some((leaf) => leaf?.device === id)) {
        conversation.removals.add(id);
        const members = { ...noChange(), devicesRevoked: [id] };
        this.append(conversation, { kind: 'members', account: device.account, epoch: conversation.epoch, members });
      }
    }
    for (const client of [...this.connections]) {
      if (client.device?.id === id) {
        client.deliver((listener) => listener.control({ kind: 'revoked', conversation: null, reconnectAfterMs: null }));
        setTimeout(() => client.drop(), 0);
      }
    }
  }
}

/** Bytes of a base64 text with one bit turned. */
export function flipped(body: string): string {
  const bytes = fromBase64(body);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) ^ 1;
  return toBase64(bytes);
}
