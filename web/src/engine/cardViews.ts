import { formOf } from '../protocol/cardPlans';
import { nobody } from '../protocol/cardTerms';
import { parseMinor } from '../protocol/money';
import type * as wire from '../protocol/wire';
import type { CardAction, CardPart, Mandate, Packet, Person, Split } from '../state/contract';
import type { CardRecord } from '../storage/records';
import { isChecked } from './verify';

type Named = (account: string) => Person;

function partOf(part: wire.CardPart, person: Named): CardPart {
  const { account, place, amountMinor, state, at } = part;
  return { person: person(account), place, amountMinor: parseMinor(amountMinor), state, at: Date.parse(at) };
}

/**
 * A split with all its parts, also those of which no event has told: open as long as the card is. Who owes how much is what its
 * author committed to; of the parts only the answers are believed.
 */
export function splitOf(view: wire.CardView, me: string, person: Named): Split | null {
  const { kind, plan, progress, state } = view;
  if (kind !== 'split' || !plan?.shares) {
    return null;
  }
  const known = new Map((progress?.parts ?? []).map((part) => [part.account, part]));
  const others = state === 'open' ? 'open' : state;
  const since = view.closedAt ?? view.createdAt;
  const parts = plan.shares.map(({ account, amountMinor }, place) => {
    const told = known.get(account);
    const isAnswered = told !== undefined && told.state !== 'open';
    return partOf(
      { account, place, amountMinor, state: isAnswered ? told.state : others, at: isAnswered ? told.at : since },
      person,
    );
  });
  return {
    ownMinor: parseMinor(plan.ownMinor ?? '0'),
    paidMinor: parseMinor(progress?.paidMinor ?? '0'),
    answered: progress?.answered ?? 0,
    parts,
    mine: parts.find((part) => part.person.id === me) ?? null,
  };
}

export function packetOf(view: wire.CardView, me: string, person: Named): Packet | null {
  const { kind, plan, progress, state } = view;
  if (kind !== 'packet' || !plan?.packet || !plan.count) {
    return null;
  }
  const parts = (progress?.parts ?? []).map((part) => partOf(part, person));
  const isAllKnown = state === 'exhausted' && parts.length === plan.count;
  return {
    mode: plan.packet,
    count: plan.count,
    isForAll: view.payee === nobody,
    taken: progress?.answered ?? 0,
    takenMinor: parseMinor(progress?.paidMinor ?? '0'),
    parts,
    mine: parts.find((part) => part.person.id === me) ?? null,
    best: plan.packet === 'random' && isAllKnown && plan.count > 1 ? mostOf(parts) : null,
  };
}

/** The earlier of two that got the same. */
function mostOf(parts: CardPart[]): CardPart | null {
  return parts.reduce<CardPart | null>(
    (best, part) => (best === null || part.amountMinor > best.amountMinor ? part : best),
    null,
  );
}

export function mandateOf({ kind, plan, progress }: wire.CardView): Mandate | null {
  if (kind !== 'mandate' || !plan?.period) {
    return null;
  }
  return {
    period: plan.period,
    drawnMinor: parseMinor(progress?.paidMinor ?? '0'),
    periodStart: progress?.periodStart ? Date.parse(progress.periodStart) : null,
    periodMinor: parseMinor(progress?.periodMinor ?? '0'),
  };
}

/** Whether it is for me to pay, by its kind and state. */
export function mayPay(view: wire.CardView, me: string): boolean {
  if (view.hidden || view.state !== 'open') {
    return false;
  }
  return view.kind === 'split' ? isAsked(view, me) : view.kind === 'request' && view.payer === me;
}

/** Whether a split asks me, and I have not answered. */
function isAsked({ plan, progress }: wire.CardView, me: string): boolean {
  const answer = progress?.parts?.find((part) => part.account === me);
  return (
    (plan?.shares ?? []).some(({ account }) => account === me) && (answer === undefined || answer.state === 'open')
  );
}

/** The table of docs/PROTOCOL.md: who may do what from which state. */
export function actionsOf(record: CardRecord, me: string): CardAction[] {
  const { view } = record;
  const { state, payer, payee } = view;
  if (view.hidden) {
    return [];
  }
  switch (formOf(view.kind, view.plan)) {
    case 'transfer':
      if (state === 'held') {
        return me === payee ? ['accept', 'decline'] : me === payer ? ['cancel'] : [];
      }
      return refunds(record, me);
    case 'transferAtOnce':
      return refunds(record, me);
    case 'transferDelayed':
      if (state === 'held') {
        return me === payee ? ['decline'] : me === payer ? ['cancel'] : [];
      }
      return refunds(record, me);
    case 'request':
      if (state === 'open') {
        return me === payer ? answers(record) : me === payee ? asking(view) : [];
      }
      return refunds(record, me);
    case 'split':
      if (state !== 'open') {
        return [];
      }
      return isAsked(view, me) ? answers(record) : me === payee ? ['cancel'] : [];
    case 'packet':
      return mayClaim(view, me) ? ['claim'] : [];
    case 'mandate':
      if (state !== 'active') {
        return [];
      }
      return me === payee ? ['draw', 'decline'] : me === payer ? ['cancel'] : [];
    default:
      return [];
  }
}

/** Nobody pays what this device could not check: without the details, the terms are the server's word alone. */
function answers(record: CardRecord): CardAction[] {
  return isChecked(record) ? ['pay', 'decline'] : ['decline'];
}

/** One reminder, and no more. */
function asking({ progress }: wire.CardView): CardAction[] {
  return progress?.remindedAt ? ['cancel'] : ['remind', 'cancel'];
}

/** Whoever got the money gives it back, as long as there is some left to give. */
function refunds(record: CardRecord, me: string): CardAction[] {
  const { state, payee, amountMinor, progress } = record.view;
  const isSettled = state === 'accepted' || state === 'paid';
  const isLeft = BigInt(progress?.refundedMinor ?? '0') < BigInt(amountMinor);
  return isSettled && me === payee && isLeft && isChecked(record) ? ['refund'] : [];
}

function mayClaim({ state, payer, payee, progress }: wire.CardView, me: string): boolean {
  const hasTaken = (progress?.parts ?? []).some((part) => part.account === me);
  return state === 'open' && me !== payer && (payee === nobody || payee === me) && !hasTaken;
}
