import { divideByShares, divideEqually } from '../../protocol/splitDivision';
import { parseAmount } from './amountInput';

/** How a bill is divided. */
export type BillMode = 'equally' | 'shares' | 'amounts';

/** Somebody who may take part in a bill, as the editor has them. */
export type BillRow = {
  id: string;
  isMe: boolean;
  isChosen: boolean;
  /** By shares: how many. */
  weight: number;
  /** By amounts: what was typed. */
  text: string;
};

export type Bill = {
  /** What each row bears, in their order; nothing for who takes no part. */
  amounts: bigint[];
  /** Still to divide; below zero where it is more than the total. */
  leftMinor: bigint;
  /** What the others are asked for together. */
  askedMinor: bigint;
  ownMinor: bigint;
  /** Somebody else takes part. */
  hasOthers: boolean;
  /** Somebody else who takes part would pay nothing. */
  hasNothing: boolean;
};

/** Divides a bill to the last unit: what does not divide goes to the first ones, or to the largest remainders. */
export function divideBill(
  mode: BillMode,
  totalMinor: bigint,
  rows: BillRow[],
  exponent: number,
  separator: string,
): Bill {
  const chosen = rows.filter((row) => row.isChosen);
  const shares = dividedAmong(mode, totalMinor, chosen, exponent, separator);
  const amounts = rows.map((row) => (row.isChosen ? (shares[chosen.indexOf(row)] ?? 0n) : 0n));
  const sumOf = (those: (row: BillRow) => boolean) =>
    rows.reduce((sum, row, index) => (those(row) ? sum + (amounts[index] ?? 0n) : sum), 0n);
  const others = chosen.filter((row) => !row.isMe);
  return {
    amounts,
    leftMinor: totalMinor - sumOf(() => true),
    askedMinor: sumOf((row) => !row.isMe),
    ownMinor: sumOf((row) => row.isMe),
    hasOthers: others.length > 0,
    hasNothing: others.some((row) => amounts[rows.indexOf(row)] === 0n),
  };
}

function dividedAmong(
  mode: BillMode,
  totalMinor: bigint,
  chosen: BillRow[],
  exponent: number,
  separator: string,
): bigint[] {
  if (mode === 'amounts') {
    return chosen.map(({ text }) => parseAmount(text, exponent, separator));
  }
  if (chosen.length === 0) {
    return [];
  }
  if (mode === 'equally') {
    return divideEqually(totalMinor, chosen.length);
  }
  const weights = chosen.map(({ weight }) => weight);
  return weights.some((weight) => weight > 0) ? divideByShares(totalMinor, weights) : weights.map(() => 0n);
}

/** Whether it can be asked for as it stands. */
export function isAskable(bill: Bill): boolean {
  return bill.leftMinor === 0n && bill.askedMinor > 0n && bill.hasOthers && !bill.hasNothing;
}
