import type { PinConsent } from './payPin';
import type { ErrorInfo, Person } from './session';

export type Asset = { code: string; exponent: number };

export type CardKind = 'transfer' | 'request';
export type CardState = 'held' | 'accepted' | 'declined' | 'cancelled' | 'expired' | 'open' | 'paid';
export type CardAction = 'accept' | 'decline' | 'cancel' | 'pay';

export type Card = {
  id: string;
  conversation: string;
  kind: CardKind;
  state: CardState;
  version: number;
  author: Person;
  payer: Person;
  payee: Person;
  amountMinor: bigint;
  asset: Asset;
  /** Null when this device cannot read it (posted before it joined). */
  memo: string | null;
  createdAt: number;
  expiresAt: number;
  closedAt: number | null;
  /** What I may do now, at most two, main one first. */
  actions: CardAction[];
  /** An action of mine is on its way to the ledger. */
  busy: boolean;
  /** Decrypted details do not match the commitment: show a warning and no actions. */
  mismatch: boolean;
  /** It asks me for money, and this device has not seen what its author committed to: it cannot be paid here. */
  isUnchecked: boolean;
  timeline: { state: CardState; at: number; by: Person | null }[];
};

export type NewCard = {
  conversation: string;
  kind: CardKind;
  other: string;
  amountMinor: bigint;
  asset: string;
  memo: string;
};

export type Balance = { asset: Asset; balanceMinor: bigint; heldMinor: bigint; availableMinor: bigint };

export type StatementEntry = {
  version: number;
  transfer: string;
  kind: 'transfer' | 'hold' | 'capture' | 'release' | 'expire' | 'funding' | 'refund';
  postedMinor: bigint;
  heldMinor: bigint;
  balanceAfterMinor: bigint;
  counterparty: Person | null;
  card: string | null;
  conversation: string | null;
  at: number;
};

export type Statement = { entries: StatementEntry[]; loading: boolean; hasMore: boolean; error: ErrorInfo | null };

export type Wallet = {
  balances: Balance[];
  loading: boolean;
  error: ErrorInfo | null;
};

/** Payment cards and the wallet. */
export interface MoneyApp {
  readonly assets: Asset[];
  readonly wallet: Wallet;

  /** Resolves when the ledger has said yes; money is never shown optimistically. */
  postCard(card: NewCard, consent?: PinConsent | null): Promise<void>;
  /**
   * @param consent where it takes so much that the PIN is asked for
   * @throws ActionError `pay_pin_wrong`, among others
   */
  actOnCard(card: string, action: CardAction, consent?: PinConsent | null): Promise<void>;
  card(id: string): Card | null;

  refreshWallet(): Promise<void>;
  /** Reactive pages of one asset's statement, newest first. Whoever looks at it first loads the first page. */
  statement(asset: string): Statement;
  loadMoreStatement(asset: string): Promise<void>;
}
