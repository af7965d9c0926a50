import type { Asset, CardDelivery, CardKind } from './money';
import type { SavedFile } from './receipts';
import type { Person } from './session';

export type StatementSide = 'in' | 'out' | 'held';

/** Which entries of a statement are wanted; null members do not narrow it. Times are epoch milliseconds, `to` is not within. */
export type StatementFilter = {
  with: string | null;
  side: StatementSide | null;
  from: number | null;
  to: number | null;
};

export const everyEntry: StatementFilter = { with: null, side: null, from: null, to: null };

export function isEveryEntry(filter: StatementFilter): boolean {
  return Object.values(filter).every((value) => value === null);
}

/** What a statement is kept under. */
export function statementKey(asset: string, { with: person, side, from, to }: StatementFilter = everyEntry): string {
  const parts = [person, side, from, to];
  return parts.every((part) => part === null) ? asset : `${asset} ${JSON.stringify(parts)}`;
}

/** What came from a person and went to them. */
export type PersonActivity = { person: Person; inMinor: bigint; outMinor: bigint; count: number; lastAt: number };

/** A month of UTC: its first instant and the one after its last. */
export type MonthActivity = { from: number; to: number; inMinor: bigint; outMinor: bigint };

export type WalletActivity = {
  /** Where it begins, if there was more than the server looks through; null for the beginning. */
  since: number | null;
  /** The latest first. */
  people: PersonActivity[];
  /** The latest first, without those in which nothing moved. */
  months: MonthActivity[];
};

/** Money of one's own that waits in a card. */
export type WalletHold = {
  card: string;
  kind: CardKind;
  delivery: CardDelivery | null;
  conversation: string;
  /** Null for a packet for everybody. */
  payee: Person | null;
  asset: Asset;
  amountMinor: bigint;
  /** When it returns; of a delayed transfer when it arrives. */
  returnsAt: number;
};

/** What the server lets this account do. */
export type WalletLimits = {
  openCards: number;
  openCardsMax: number;
  /** Requests and splits, after `requestBurst` at once. */
  requestsPerMinute: number;
  requestBurst: number;
  /** The most that one card may be about, in minor units of any asset. */
  amountMaxMinor: bigint;
  cardLifetimeMaxSeconds: number;
  mandateMaxSeconds: number;
};

export const exportFormats = ['csv', 'ofx', 'camt053', 'json'] as const;
export type ExportFormat = (typeof exportFormats)[number];

/** The wallet beyond balances and statements. Each is asked for when it is looked at. */
export interface WalletApp {
  walletActivity(asset: string): Promise<WalletActivity>;
  /** The one that returns next first. */
  walletHolds(): Promise<WalletHold[]>;
  walletLimits(): Promise<WalletLimits>;
  /** A statement, oldest entry first; people and sides do not narrow it. */
  exportStatement(asset: string, format: ExportFormat, from: number | null, to: number | null): Promise<SavedFile>;
}
