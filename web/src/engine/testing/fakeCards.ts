import { toBase64 } from '../../protocol/bytes';
import { formOf } from '../../protocol/cardPlans';
import { nobody } from '../../protocol/cardTerms';
import { periodStart } from '../../protocol/mandatePeriods';
import { commitToSeed, dividePacket } from '../../protocol/packetShares';
import type * as wire from '../../protocol/wire';
import { fail } from './fakeServer';

/** What a member is told of a card whose parties are others. */
export function cardFor(card: wire.CardView, account: string): wire.CardView {
  const isPublic = card.kind === 'split' || (card.kind === 'packet' && card.payee === nobody);
  if (isPublic || [card.payer, card.payee, card.author].includes(account)) {
    return card;
  }
  const { plan: _, progress: __, ...rest } = card;
  return { ...rest, payer: nobody, payee: nobody, amountMinor: '0', asset: '', detailCommit: '', hidden: true };
}

/** The event as a member sees it: of a hidden card's change not even who made it. */
export function eventFor(event: wire.Event, account: string): wire.Event {
  const card = event.card && cardFor(event.card, account);
  if (!card || card === event.card) {
    return event;
  }
  return event.kind === 'cardChanged' ? { ...event, card, account: null, device: null } : { ...event, card };
}

/** The rules of docs/PROTOCOL.md, as far as tests of the client need them: what is done in order, once. */
export class FakeCards {
  /** Of packets by chance, by card. */
  readonly seeds = new Map<string, Uint8Array>();
  /** Those that are told of a card in all, by card. */
  readonly parts = new Map<string, wire.CardPart[]>();

  post(id: string, author: string, terms: Omit<wire.CardPost, 'clientId' | 'epoch' | 'body'>): wire.CardView {
    const at = new Date().toISOString();
    const form = formOf(terms.kind, terms.plan);
    const state = { transfer: 'held', transferDelayed: 'held', transferAtOnce: 'accepted', mandate: 'active' } as const;
    const card: wire.CardView = {
      ...terms,
      id,
      author,
      state: state[form as keyof typeof state] ?? 'open',
      version: 1,
      createdAt: at,
      expiresAt: at,
      closedAt: form === 'transferAtOnce' ? at : null,
    };
    this.parts.set(id, []);
    if (terms.plan?.packet === 'random') {
      const seed = crypto.getRandomValues(new Uint8Array(32));
      this.seeds.set(id, seed);
      card.progress = { answered: 0, paidMinor: '0', seedCommit: toBase64(commitToSeed(seed)) };
    }
    return card;
  }

  /** The card as it will be; its progress has what this changed. */
  act(card: wire.CardView, actor: string, request: wire.CardActRequest): wire.CardView {
    const at = new Date().toISOString();
    const next = { ...card, version: card.version + 1 };
    const closed = (state: wire.CardState): wire.CardView => ({ ...next, state, closedAt: at });
    const asked = BigInt(request.amountMinor ?? '0');
    switch (request.action) {
      case 'refund': {
        const all = BigInt(card.progress?.refundedMinor ?? '0') + asked;
        return { ...next, progress: { ...card.progress, refundedMinor: all.toString() } };
      }
      case 'draw':
        return this.#draw(card, next, asked);
      case 'remind':
        return { ...next, progress: { ...card.progress, remindedAt: at } };
      case 'claim':
        return this.#claim(card, next, actor, at);
      case 'accept':
        return closed('accepted');
      case 'cancel':
        return closed('cancelled');
      default:
        return card.kind === 'split'
          ? this.#answer(card, next, actor, request.action, at)
          : closed(request.action === 'pay' ? 'paid' : 'declined');
    }
  }

  #draw(card: wire.CardView, next: wire.CardView, asked: bigint): wire.CardView {
    const begun = Date.parse(card.createdAt);
    const start = new Date(periodStart(begun, card.plan?.period ?? 'day', Date.now())).toISOString();
    const before = card.progress?.periodStart === start ? BigInt(card.progress?.periodMinor ?? '0') : 0n;
    const left = BigInt(card.amountMinor) - before;
    if (asked > left) {
      fail(5019, 'mandate_exceeded', { card, leftMinor: left.toString() });
    }
    const progress: wire.CardProgress = {
      paidMinor: (BigInt(card.progress?.paidMinor ?? '0') + asked).toString(),
      periodStart: start,
      periodMinor: (before + asked).toString(),
      drawnMinor: asked.toString(),
    };
    return { ...next, progress };
  }

  #claim(card: wire.CardView, next: wire.CardView, actor: string, at: string): wire.CardView {
    const parts = this.parts.get(card.id) ?? [];
    if (parts.some((part) => part.account === actor)) {
      fail(5018, 'card_already_done', { card });
    }
    const seed = this.seeds.get(card.id) ?? new Uint8Array();
    const count = card.plan?.count ?? 1;
    const shares = dividePacket(card.plan?.packet ?? 'fixed', BigInt(card.amountMinor), count, seed);
    const amountMinor = String(shares[parts.length]);
    const part: wire.CardPart = { account: actor, place: parts.length, amountMinor, state: 'paid', at };
    parts.push(part);
    const isLast = parts.length === count;
    const paid = parts.reduce((sum, taken) => sum + BigInt(taken.amountMinor), 0n);
    const progress: wire.CardProgress = {
      ...card.progress,
      answered: parts.length,
      paidMinor: paid.toString(),
      parts: [part],
      ...(isLast && seed.length > 0 ? { seed: toBase64(seed) } : {}),
    };
    return { ...next, progress, ...(isLast ? { state: 'exhausted' as const, closedAt: at } : {}) };
  }

  #answer(card: wire.CardView, next: wire.CardView, actor: string, action: string, at: string): wire.CardView {
    const parts = this.parts.get(card.id) ?? [];
    const shares = card.plan?.shares ?? [];
    const place = shares.findIndex(({ account }) => account === actor);
    if (parts.some((part) => part.account === actor)) {
      fail(5018, 'card_already_done', { card });
    }
    const state = action === 'pay' ? ('paid' as const) : ('declined' as const);
    const part: wire.CardPart = { account: actor, place, amountMinor: shares[place]?.amountMinor ?? '0', state, at };
    parts.push(part);
    const paid = parts
      .filter((other) => other.state === 'paid')
      .reduce((sum, one) => sum + BigInt(one.amountMinor), 0n);
    const progress = { answered: parts.length, paidMinor: paid.toString(), parts: [part] };
    if (parts.length < shares.length) {
      return { ...next, progress };
    }
    return { ...next, progress, closedAt: at, state: paid === BigInt(card.amountMinor) ? 'paid' : 'settled' };
  }
}
