import type { CardAction, CardKind } from './money';

/** What becomes of money once it has left: it waits for the payee to accept it, or is theirs at once and for good. */
export type DebitFate = 'held' | 'final';

export type Debit = {
  /** What the payer does that takes the money. */
  by: 'post' | CardAction;
  /** How much of a card goes by it, in minor units. */
  amountOf: (card: { amountMinor: bigint }) => bigint;
  fate: DebitFate;
};

/**
 * Everything that takes money out of this account, by kind of card: what is signed, whether the PIN is asked for, and what the
 * confirmation says of what happens next all follow from it. A kind that is not here takes none.
 */
const debits: Record<CardKind, Debit[]> = {
  transfer: [{ by: 'post', amountOf: (card) => card.amountMinor, fate: 'held' }],
  request: [{ by: 'pay', amountOf: (card) => card.amountMinor, fate: 'final' }],
};

/** Null where the action takes no money from whoever acts. */
export function debitOf(kind: CardKind, action: 'post' | CardAction): Debit | null {
  return debits[kind]?.find(({ by }) => by === action) ?? null;
}
