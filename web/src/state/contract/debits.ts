import { formOf } from '../../protocol/cardPlans';
import type { CardAction, CardDelivery, CardKind, MandatePeriod } from './money';

/**
 * What becomes of money once it has left: it waits for the payee to accept it, arrives by itself after a while, is theirs at once
 * and for good, waits to be taken in shares, or stays for now and may be drawn.
 */
export type DebitFate = 'held' | 'delayed' | 'final' | 'packet' | 'promise';

/** What decides of a card, by name or as it is shown, how much an action takes. */
export type Debited = {
  kind: CardKind;
  /** Account ids; null or zeros where there is no single one. */
  payer: string | null;
  payee: string | null;
  amountMinor: bigint;
  delivery: CardDelivery | null;
  /** Of a split: whom it asks for how much. */
  shares: { account: string; amountMinor: bigint }[];
};

export type Debit = {
  /** What is done that takes the money. */
  by: 'post' | CardAction;
  /**
   * How much leaves, in minor units; null where `actor` is not the one whose money it is.
   * @param asked what is named with the action
   */
  amountOf: (card: Debited, actor: string, asked: bigint | null) => bigint | null;
  fate: DebitFate;
};

const whole: Debit['amountOf'] = (card, actor) => (card.payer === actor ? card.amountMinor : null);
const share: Debit['amountOf'] = (card, actor) =>
  card.shares.find(({ account }) => account === actor)?.amountMinor ?? null;
const refund: Debit = {
  by: 'refund',
  amountOf: (card, actor, asked) => (card.payee === actor ? asked : null),
  fate: 'final',
};

/**
 * Everything that takes money out of this account, by kind of card: what is signed, whether the PIN is asked for, and what the
 * confirmation says of what happens next all follow from it. A kind that is not here takes none.
 */
const debits: Record<ReturnType<typeof formOf>, Debit[]> = {
  transfer: [{ by: 'post', amountOf: whole, fate: 'held' }, refund],
  transferAtOnce: [{ by: 'post', amountOf: whole, fate: 'final' }, refund],
  transferDelayed: [{ by: 'post', amountOf: whole, fate: 'delayed' }, refund],
  request: [{ by: 'pay', amountOf: whole, fate: 'final' }, refund],
  split: [{ by: 'pay', amountOf: share, fate: 'final' }],
  packet: [{ by: 'post', amountOf: whole, fate: 'packet' }],
  mandate: [{ by: 'post', amountOf: whole, fate: 'promise' }],
};

/** Null where the action takes no money from whoever acts. */
export function debitOf(
  { kind, delivery }: Pick<Debited, 'kind' | 'delivery'>,
  action: 'post' | CardAction,
): Debit | null {
  return debits[formOf(kind, { delivery })]?.find(({ by }) => by === action) ?? null;
}

const daySeconds = 24 * 3600;
/** The shortest that each may be. */
const periodSeconds: Record<MandatePeriod, number> = { day: daySeconds, week: 7 * daySeconds, month: 28 * daySeconds };

/**
 * The most that may leave by what is agreed to once: of a mandate its amount in each period that it touches, of all else the
 * amount. The PIN is asked for by this.
 */
export function mayLeave(amountMinor: bigint, period: MandatePeriod | undefined, lifetimeSeconds: number): bigint {
  return period === undefined
    ? amountMinor
    : amountMinor * BigInt(Math.floor(lifetimeSeconds / periodSeconds[period]) + 1);
}
