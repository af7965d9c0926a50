import type { Asset, CardKind, CardPlan, MandatePeriod, NewCard, PacketMode, Person } from '../../state/contract';
import type { Bill, BillRow } from '../lib/bill';
import type { Confirming } from './words';

/** When the money of a transfer arrives. */
export type Arrival = 'held' | 'atOnce' | 'in2h' | 'in24h';

const daySeconds = 24 * 3600;
/** The server's default lifetime of a card. */
const defaultSeconds = daySeconds;
/** Whoever has not answered a split is reminded after a day, and has some days left then. */
const splitSeconds = 7 * daySeconds;

/** Everything that a person says of a card before it is posted. */
export type Draft = {
  conversation: string;
  kind: CardKind;
  /** Null where it is for several. */
  other: Person | null;
  asset: Asset;
  /** What was typed: of a split the whole bill. */
  minor: bigint;
  memo: string;
  arrival: Arrival;
  bill: Bill;
  rows: BillRow[];
  packet: { mode: PacketMode; count: number };
  mandate: { period: MandatePeriod; days: number };
};

function planOf({ kind, arrival, bill, rows, packet, mandate, other }: Draft): CardPlan | null {
  switch (kind) {
    case 'transfer':
      return arrival === 'held' ? null : { delivery: arrival === 'atOnce' ? 'atOnce' : 'delayed' };
    case 'split': {
      const asked = rows.map(({ id, isMe }, index) => ({ account: id, isMe, amountMinor: bill.amounts[index] ?? 0n }));
      const shares = asked.filter(({ isMe, amountMinor }) => !isMe && amountMinor > 0n);
      return { shares: shares.map(({ account, amountMinor }) => ({ account, amountMinor })), ownMinor: bill.ownMinor };
    }
    case 'packet':
      return other ? { packet: 'fixed', count: 1 } : { packet: packet.mode, count: packet.count };
    case 'mandate':
      return { period: mandate.period };
    default:
      return null;
  }
}

function lifetimeOf({ kind, arrival, mandate }: Draft): number {
  if (kind === 'mandate') {
    return mandate.days * daySeconds;
  }
  if (kind === 'split') {
    return splitSeconds;
  }
  return kind === 'transfer' && arrival === 'in2h' ? 2 * 3600 : defaultSeconds;
}

/** What is posted. */
export function newCardOf(draft: Draft): NewCard {
  const plan = planOf(draft);
  return {
    conversation: draft.conversation,
    kind: draft.kind,
    other: draft.kind === 'split' ? null : (draft.other?.id ?? null),
    amountMinor: draft.kind === 'split' ? draft.bill.askedMinor : draft.minor,
    asset: draft.asset.code,
    memo: draft.memo.trim(),
    lifetimeSeconds: lifetimeOf(draft),
    ...(plan ? { plan } : {}),
  };
}

/** The same, as the question before it names it: made of what is posted, so that both say one thing. */
export function confirmingOf(draft: Draft, people: Person[]): Confirming {
  const card = newCardOf(draft);
  const asked = (card.plan?.shares ?? []).flatMap(({ account, amountMinor }) => {
    const person = people.find((known) => known.id === account);
    return person ? [{ person, amountMinor }] : [];
  });
  return {
    kind: card.kind,
    action: 'post',
    delivery: card.plan?.delivery ?? null,
    conversation: card.conversation,
    other: card.other === null ? null : draft.other,
    asset: draft.asset,
    minor: card.amountMinor,
    memo: card.memo,
    lifetimeMs: (card.lifetimeSeconds ?? defaultSeconds) * 1000,
    ...(card.kind === 'split' ? { asked, ownMinor: card.plan?.ownMinor ?? 0n } : {}),
    ...(card.plan?.count === undefined ? {} : { count: card.plan.count }),
    ...(card.plan?.period === undefined ? {} : { period: card.plan.period }),
  };
}
