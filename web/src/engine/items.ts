import type { ArchivedContent } from '../archive/content';
import type { Leaf } from '../crypto/port';
import { fromBase64, sha256, toHex } from '../protocol/bytes';
import type { Content } from '../protocol/content';
import type { CardView, Event } from '../protocol/wire';
import type { Notice, Person } from '../state/contract';
import type { CardRecord, ConversationRecord, StoredItem } from '../storage/records';
import { archivedCard, toQueue } from './archive/entries';
import type { Batch } from './batch';
import { advance, openingOf } from './cardNews';
import type { Core } from './core';
import {
  checkedOf,
  detailsMatch,
  isHiddenMatch,
  type Opened,
  partiesMatch,
  recordedAsPosted,
  sameTerms,
} from './verify';

/** Key of a message or card item: what its sender called it, the same before and after it has a seq. */
export function messageKey(device: string, clientId: string): string {
  return `${device}:${clientId}`;
}

/** Turns log events into what a thread shows. Everything goes into the batch; nothing is written here. */
export class ItemBuilder {
  constructor(
    readonly core: Core,
    readonly batch: Batch,
  ) {}

  /** A message or card of somebody else, opened or not. */
  async received(event: Event, opened: Opened): Promise<void> {
    if (event.kind === 'card' && event.card) {
      await this.#card(event, event.card, opened);
      return;
    }
    if (!opened.ok) {
      this.#put(event, { type: 'undecryptable', reason: opened.reason }, true);
    } else if (opened.content.type === 'text') {
      const { text, expires } = opened.content;
      this.#put(event, { type: 'message', text, error: null }, true, expires);
      this.#archive(event, { type: 'text', text }, expires);
    } else if (opened.content.type === 'group') {
      const { name, expires } = opened.content;
      this.#archive(event, { type: 'group', name }, expires);
      const { seq, account, device, clientId } = event;
      const at = Date.parse(event.at);
      const by = account && device && clientId && !expires ? { at, account, device, id: clientId } : null;
      this.named({ seq, at, by }, this.#person(account), name);
    }
  }

  /**
   * A card without a message that could be opened: from before this device joined, or one of mine whose content is
   * gone. `expected`: there is no such reason, and what the server shows here was never sent by anybody.
   */
  async unreadableCard(event: Event, expected: boolean): Promise<void> {
    if (event.card) {
      await this.#putCard(event.card, null, !expected);
      this.#put(event, { type: 'card', card: event.card.id, error: null }, false);
    }
  }

  async #card(event: Event, card: CardView, opened: Opened): Promise<void> {
    const content = opened.ok && opened.content.type === 'card' ? opened.content : null;
    const isOwnBusiness = !card.hidden;
    const sound =
      content !== null &&
      partiesMatch(card, event) &&
      (isOwnBusiness ? await detailsMatch(card, content) : isHiddenMatch(card, content));
    const checked = content && sound && isOwnBusiness ? checkedOf(card, content) : undefined;
    // What others agreed between themselves is neither shown nor kept, though every member can decrypt it.
    const record = await this.#putCard(card, isOwnBusiness ? (content?.memo ?? null) : null, !sound, checked);
    this.#put(event, { type: 'card', card: card.id, error: null }, true, content?.expires);
    if (content && isOwnBusiness) {
      this.#archive(event, archivedCard({ ...record, memo: content.memo }), content.expires);
    }
  }

  /** What this device has opened or sent waits for the archive from the transaction on that stores it. */
  #archive({ seq, at, account, device, clientId }: Event, content: ArchivedContent, expires = false): void {
    if (account && device && clientId) {
      this.#archiveAt({ seq, at: Date.parse(at), account, device, id: clientId }, content, expires);
    }
  }

  #archiveAt(
    place: { seq: number; at: number; account: string; device: string; id: string },
    content: ArchivedContent,
    expires = false,
  ): void {
    const { core, batch } = this;
    if (!expires && core.archiving.wants(batch.conversation)) {
      const item = { ...place, conversation: batch.conversation.id, at: new Date(place.at).toISOString(), content };
      batch.archive(toQueue(item, core.person(place.account)));
    }
  }

  /** My own message or card, now that the log or the server's answer says where it stands. */
  async settled(clientId: string, seq: number, at: number, card: CardView | null): Promise<void> {
    const { core, batch } = this;
    const entry = core.outbox.get(clientId);
    const { account, device } = core.device;
    const key = messageKey(device, clientId);
    const place = { seq, at, account, device, id: clientId };
    const item = await batch.item(key);
    if (entry) {
      batch.removeOutbox(clientId);
    }
    if (item) {
      batch.putItem({ ...item, seq, order: seq, at, body: withoutError(item.body) });
      if (item.seq === null && item.body.type === 'message') {
        this.#archiveAt(place, { type: 'text', text: item.body.text }, item.expires);
      }
      return;
    }
    const content = entry ? (JSON.parse(entry.content) as Content) : null;
    if (content?.type === 'group') {
      this.#archiveAt(place, { type: 'group', name: content.name });
      this.named({ seq, at, by: { at, account, device, id: clientId } }, core.person(account), content.name);
    } else if (card) {
      const sound = !entry || recordedAsPosted(card, entry, core.device.account);
      const details = content?.type === 'card' ? content : null;
      const checked = details && sound ? checkedOf(card, details) : undefined;
      const record = await this.#putCard(card, details?.memo ?? null, !sound, checked);
      if (content?.type === 'card') {
        this.#archiveAt(place, archivedCard({ ...record, memo: content.memo }));
      }
      this.#putAt(key, seq, at, core.person(core.device.account), { type: 'card', card: card.id, error: null }, false);
    }
  }

  /**
   * The group's name; only a change of it is worth a line in the thread.
   * @param place where it was said, and by which message, where that may be kept for good
   */
  named(place: { seq: number; at: number; by: ConversationRecord['nameBy'] }, by: Person, name: string): void {
    const { seq, at } = place;
    const { conversation } = this.batch;
    if (seq <= conversation.nameSeq || conversation.kind !== 'group') {
      return;
    }
    const changed = conversation.name !== null && conversation.name !== name;
    this.batch.conversation = { ...conversation, name, nameSeq: seq, nameBy: place.by ?? null };
    if (changed) {
      this.#notice(seq, 0, at, { kind: 'renamed', by, name });
    }
  }

  cardChanged(event: Event, known: CardRecord | null): void {
    const view = event.card;
    if (!view) {
      return;
    }
    const at = Date.parse(event.at);
    this.batch.putCard(advance(known ?? firstSight(view), view, at, event.account ?? null));
    // A card that moves brings its conversation to the top, as a message would.
    if (at > this.batch.conversation.lastActivityAt) {
      this.batch.conversation = { ...this.batch.conversation, lastActivityAt: at };
    }
  }

  /** Who came and went by a commit. `added` are the leaves it brought, as the group has them. */
  async committed(event: Event, added: Leaf[], rejoined: boolean): Promise<void> {
    const at = Date.parse(event.at);
    const by = this.#person(event.account);
    const change = event.members;
    const people = (change?.added ?? []).map(({ account, handle, displayName }) => {
      return this.core.learn({ id: account, handle, displayName });
    });
    let n = 0;
    if (event.epoch === 0) {
      this.#notice(event.seq, n++, at, { kind: 'created', by });
    } else if (people.length > 0) {
      this.#notice(event.seq, n++, at, { kind: 'added', by, people });
    }
    if (change && change.removed.length > 0) {
      const removed = change.removed.map((account) => this.core.person(account));
      this.#notice(event.seq, n++, at, { kind: 'removed', by, people: removed });
    }
    const fresh = new Set(people.map((person) => person.id));
    for (const leaf of rejoined || event.epoch === 0 ? [] : added) {
      if (!fresh.has(leaf.account)) {
        const fingerprint = toHex(await sha256(leaf.signatureKey));
        this.#notice(event.seq, n++, at, { kind: 'deviceAdded', person: this.core.person(leaf.account), fingerprint });
      }
    }
  }

  membersChanged(event: Event): void {
    const at = Date.parse(event.at);
    const change = event.members;
    if (!change) {
      return;
    }
    let n = 0;
    if (change.left.length > 0) {
      const people = change.left.map((account) => this.core.person(account));
      this.#notice(event.seq, n++, at, { kind: 'left', people });
    }
    if (change.removed.length > 0) {
      const people = change.removed.map((account) => this.core.person(account));
      this.#notice(event.seq, n++, at, { kind: 'removed', by: this.#person(event.account), people });
    }
    for (const { account, role } of change.roles) {
      const by = event.account ? this.#person(event.account) : null;
      this.#notice(event.seq, n++, at, { kind: 'role', by, person: this.core.person(account), role });
    }
    if (change.devicesRevoked.length > 0 && event.account && !change.left.includes(event.account)) {
      this.#notice(event.seq, n++, at, { kind: 'deviceRemoved', person: this.#person(event.account) });
    }
    if (change.retention) {
      const days = change.retention.days ?? null;
      this.#notice(event.seq, n++, at, { kind: 'retention', by: this.#person(event.account), days });
    }
  }

  removedMeanwhile(seq: number, at: number): void {
    this.#notice(seq, 9, at, { kind: 'removedMeanwhile' });
  }

  historyStartsHere(seq: number, at: number): void {
    this.#notice(seq, 9, at, { kind: 'historyStartsHere' });
  }

  #person(account: string | null | undefined): Person {
    return this.core.person(account ?? '');
  }

  async #putCard(
    view: CardView,
    memo: string | null,
    mismatch: boolean,
    checked?: CardRecord['checked'],
  ): Promise<CardRecord> {
    const known = await this.batch.card(view.id);
    const card: CardRecord = { ...firstSight(view), memo, mismatch, ...(checked ? { checked } : {}) };
    const isSame = known !== null && sameTerms(known.view, view);
    if (known && (known.contradicted || !isSame)) {
      card.mismatch = true;
      card.contradicted = true;
    }
    if (known && isSame && known.view.version > view.version) {
      card.view = known.view;
      card.timeline = known.timeline;
    }
    this.batch.putCard(card);
    return card;
  }

  #put(event: Event, body: StoredItem, counts: boolean, expires = false): void {
    const key = event.device && event.clientId ? messageKey(event.device, event.clientId) : `seq:${event.seq}`;
    this.#putAt(key, event.seq, Date.parse(event.at), this.#person(event.account), body, counts, expires);
  }

  #putAt(
    key: string,
    seq: number,
    at: number,
    sender: Person,
    body: StoredItem,
    counts: boolean,
    expires = false,
  ): void {
    const { conversation } = this.batch;
    const mine = sender.id === this.core.device.account;
    const unread = counts && !mine;
    const item = { conversation: conversation.id, key, order: seq, seq, at, sender, mine, counts: unread, body };
    this.batch.putItem(expires ? { ...item, expires } : item);
    if (unread && seq > conversation.read) {
      this.batch.conversation = { ...conversation, unread: conversation.unread + 1 };
    }
  }

  #notice(seq: number, n: number, at: number, notice: Notice): void {
    const { id } = this.batch.conversation;
    this.batch.putItem({
      conversation: id,
      key: `seq:${seq}:${n}`,
      // Several lines of one event keep their order between the events around them.
      order: seq + n / 16,
      seq,
      at,
      sender: null,
      mine: false,
      counts: false,
      body: { type: 'notice', notice },
    });
  }
}

export function firstSight(view: CardView): CardRecord {
  const timeline: CardRecord['timeline'] = [
    { state: openingOf(view), at: Date.parse(view.createdAt), by: view.author },
  ];
  const seedCommit = view.progress?.seedCommit;
  return { id: view.id, view, memo: null, mismatch: false, timeline, ...(seedCommit ? { seedCommit } : {}) };
}

function withoutError(body: StoredItem): StoredItem {
  return body.type === 'message' || body.type === 'card' ? { ...body, error: null } : body;
}

export function bodyOf(event: Event): Uint8Array {
  return fromBase64(event.body ?? '');
}
