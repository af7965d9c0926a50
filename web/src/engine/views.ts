import { parseMinor, usualExponent } from '../protocol/money';
import type {
  Asset,
  Card,
  Conversation,
  KeyTrust,
  Member,
  Person,
  Preview,
  SendState,
  ThreadItem,
} from '../state/contract';
import type { CardRecord, ConversationRecord, ItemRecord } from '../storage/records';
import { actionsOf, mandateOf, mayPay, packetOf, splitOf } from './cardViews';
import { sendStateOf } from './conversations';
import type { Core } from './core';
import type { PeopleKeys } from './keys/peopleKeys';
import { isChecked } from './verify';

/** Turns records into what screens show. Objects are kept while nothing in them changed, so lists redraw little. */
export class Views {
  readonly #cards = new Map<string, { record: CardRecord; busy: boolean; view: Card }>();
  readonly #items = new Map<
    string,
    { record: ItemRecord; send: SendState | null; card: Card | null; view: ThreadItem }
  >();

  constructor(
    readonly core: Core,
    readonly busy: ReadonlySet<string>,
    readonly typing: (conversation: string) => string[],
    readonly keys: PeopleKeys,
  ) {}

  conversation(record: ConversationRecord): Conversation {
    const me = this.core.deviceOrNull?.account ?? '';
    const leaves = this.core.groups.get(record.id)?.leaves ?? [];
    const strangers = this.keys.strangersIn(leaves);
    const members: Member[] = record.members.map((member) => ({
      ...this.core.person(member.account),
      role: member.role,
      isMe: member.account === me,
      trust: this.#trust(member.account, me),
      hasStranger: strangers.includes(member.account),
    }));
    const others = members.filter((member) => !member.isMe);
    const peer = record.kind === 'direct' ? this.#peer(record, others, me) : null;
    const names = (others.length > 0 ? others : record.former).map((person) => person.displayName).join(', ');
    return {
      id: record.id,
      kind: record.kind,
      title: peer ? peer.displayName : (record.name ?? names),
      peer,
      members,
      myRole: members.find((member) => member.isMe)?.role ?? 'member',
      active: record.active,
      unread: record.unread,
      preview: this.#preview(record, me),
      lastActivityAt: record.lastActivityAt,
      typing: this.typing(record.id),
      draft: record.draft,
    };
  }

  #trust(account: string, me: string): KeyTrust {
    if (account === me || !this.keys.isChanged(account)) {
      return this.keys.isVerified(account) ? 'verified' : 'accepted';
    }
    return 'changed';
  }

  #peer(record: ConversationRecord, others: Member[], me: string): Person | null {
    const other = others[0];
    if (other) {
      return { id: other.id, handle: other.handle, displayName: other.displayName };
    }
    return record.former.find((person) => person.id !== me) ?? null;
  }

  #preview(record: ConversationRecord, me: string): Preview | null {
    const item = this.core.previews.get(record.id);
    if (!item) {
      return null;
    }
    const { body } = item;
    const sender = item.sender && this.core.people.get(item.sender.id);
    return {
      at: item.at,
      mine: item.mine,
      senderName: item.mine || record.kind === 'direct' ? null : (sender ?? item.sender)?.displayName || null,
      kind: body.type === 'message' ? 'text' : body.type,
      text: body.type === 'message' ? body.text : '',
      card: body.type === 'card' ? this.cardById(body.card) : null,
      notice: body.type === 'notice' ? body.notice : null,
      send: this.#sendState(record, item, me),
    };
  }

  #sendState(record: ConversationRecord, item: ItemRecord, me: string): SendState | null {
    if (!item.mine || (item.body.type !== 'message' && item.body.type !== 'card')) {
      return null;
    }
    if (item.seq !== null) {
      return sendStateOf(record, me, item.seq);
    }
    return item.body.error ? 'failed' : 'sending';
  }

  /** Null while the card's record is not in memory. */
  item(record: ConversationRecord, item: ItemRecord): ThreadItem | null {
    const me = this.core.deviceOrNull?.account ?? '';
    const send = this.#sendState(record, item, me);
    const card = item.body.type === 'card' ? this.cardById(item.body.card) : null;
    const cacheKey = `${item.conversation}/${item.key}`;
    const cached = this.#items.get(cacheKey);
    if (cached && cached.record === item && cached.send === send && cached.card === card) {
      return cached.view;
    }
    const view = this.#buildItem(item, send, card);
    if (view) {
      this.#items.set(cacheKey, { record: item, send, card, view });
    }
    return view;
  }

  #buildItem(item: ItemRecord, send: SendState | null, card: Card | null): ThreadItem | null {
    const { key, at, mine, seq, body } = item;
    const known = item.sender && this.core.people.get(item.sender.id);
    const sender = known ?? item.sender ?? { id: '', handle: '', displayName: '' };
    switch (body.type) {
      case 'message':
        return { type: 'message', key, at, mine, sender, text: body.text, send, error: body.error, seq };
      case 'card':
        return card && { type: 'card', key, at, mine, sender, card, send, error: body.error, seq };
      case 'notice':
        return { type: 'notice', key, at, notice: body.notice, seq };
      default:
        return { type: 'undecryptable', key, at, sender, reason: body.reason, seq };
    }
  }

  /** Items of a closed thread need not be remembered. */
  forget(conversation: string): void {
    for (const key of this.#items.keys()) {
      if (key.startsWith(`${conversation}/`)) {
        this.#items.delete(key);
      }
    }
  }

  cardById(id: string): Card | null {
    const record = this.core.cards.get(id);
    return record ? this.card(record) : null;
  }

  card(record: CardRecord): Card {
    const busy = this.busy.has(record.id);
    const cached = this.#cards.get(record.id);
    const asset = this.asset(record.view.asset);
    const same = cached?.record === record && cached.busy === busy && cached.view.asset.exponent === asset.exponent;
    if (cached && same) {
      return cached.view;
    }
    const { view } = record;
    const me = this.core.deviceOrNull?.account ?? '';
    const isActive = this.core.conversations.get(view.conversation)?.active ?? true;
    const actions = record.mismatch || !isActive ? [] : actionsOf(record, me);
    const person = (account: string) => this.core.person(account);
    const built: Card = {
      id: record.id,
      conversation: view.conversation,
      kind: view.kind,
      state: view.state,
      version: view.version,
      author: this.core.person(view.author),
      payer: this.core.person(view.payer),
      payee: this.core.person(view.payee),
      amountMinor: parseMinor(view.amountMinor),
      asset,
      memo: record.memo,
      hidden: view.hidden ?? false,
      delivery: view.plan?.delivery ?? null,
      split: splitOf(view, me, person),
      packet: packetOf(view, me, person),
      mandate: mandateOf(view),
      refundedMinor: parseMinor(view.progress?.refundedMinor ?? '0'),
      remindedAt: view.progress?.remindedAt ? Date.parse(view.progress.remindedAt) : null,
      unfair: record.unfair ?? false,
      createdAt: Date.parse(view.createdAt),
      expiresAt: Date.parse(view.expiresAt),
      closedAt: view.closedAt ? Date.parse(view.closedAt) : null,
      actions,
      isUnchecked: !record.mismatch && mayPay(view, me) && !isChecked(record),
      busy,
      mismatch: record.mismatch,
      timeline: record.timeline.map(({ state, at, by, what, minor }) => ({
        state,
        at,
        by: by ? person(by) : null,
        ...(what ? { what } : {}),
        ...(minor ? { amountMinor: parseMinor(minor) } : {}),
      })),
    };
    this.#cards.set(record.id, { record, busy, view: built });
    return built;
  }

  asset(code: string): Asset {
    return (
      this.core.deviceOrNull?.assets.find((asset) => asset.code === code) ?? { code, exponent: usualExponent(code) }
    );
  }
}
