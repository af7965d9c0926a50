import type { PinConsent } from './payPin';
import type { ErrorInfo, Person } from './session';
import type { StatementFilter } from './wallet';

export type Asset = { code: string; exponent: number };

export type CardKind = 'transfer' | 'request' | 'split' | 'packet' | 'mandate';
export type CardState =
  | 'held'
  | 'accepted'
  | 'declined'
  | 'cancelled'
  | 'expired'
  | 'open'
  | 'paid'
  /** Every share of a packet was taken. */
  | 'exhausted'
  /** A standing payment may be drawn on. */
  | 'active'
  /** Everybody has answered a split, not all of them by paying. */
  | 'settled';
export type CardAction = 'accept' | 'decline' | 'cancel' | 'pay' | 'claim' | 'refund' | 'draw' | 'remind';

/** How a transfer arrives; null elsewhere for one that is held until it is accepted. */
export type CardDelivery = 'atOnce' | 'delayed';
export type PacketMode = 'fixed' | 'random';
export type MandatePeriod = 'day' | 'week' | 'month';

/** What a kind has beside parties and amount; members of other kinds are absent. */
export type CardPlan = {
  delivery?: CardDelivery;
  /** Whom a split asks for how much, in the order shown. */
  shares?: { account: string; amountMinor: bigint }[];
  /** What a split's author bears; it is part of no sum and moves nothing. */
  ownMinor?: bigint;
  packet?: PacketMode;
  /** Into how many shares a packet goes. */
  count?: number;
  /** What a mandate's amount is the maximum of. */
  period?: MandatePeriod;
};

/** One person's part of a split, or one taken share of a packet. */
export type CardPart = { person: Person; place: number; amountMinor: bigint; state: CardState; at: number };

/** A bill among several: whom it asks, by place, and who has answered. */
export type Split = { ownMinor: bigint; paidMinor: bigint; answered: number; parts: CardPart[]; mine: CardPart | null };

export type Packet = {
  mode: PacketMode;
  count: number;
  /** For everybody in the conversation, not for one person. */
  isForAll: boolean;
  taken: number;
  takenMinor: bigint;
  /** Those that are known here, by place. */
  parts: CardPart[];
  mine: CardPart | null;
  /** Whoever got the most of a packet by chance, once it is exhausted. */
  best: CardPart | null;
};

export type Mandate = {
  period: MandatePeriod;
  /** In all. */
  drawnMinor: bigint;
  /** Of the period that was last drawn in. */
  periodStart: number | null;
  periodMinor: bigint;
};

/** What happened to a card: a change of its state, or of its sums alone. */
export type CardStep = {
  state: CardState;
  at: number;
  by: Person | null;
  /** Something else than a change of state. */
  what?: 'refund' | 'draw' | 'remind';
  amountMinor?: bigint;
};

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
  /** What I may do now, main one first. */
  actions: CardAction[];
  /** A payment between other members: it is known that it exists, and how it stands. Nobody's names, no amount, no memo. */
  hidden: boolean;
  delivery: CardDelivery | null;
  split: Split | null;
  packet: Packet | null;
  mandate: Mandate | null;
  /** What was given back of a transfer or request. */
  refundedMinor: bigint;
  /** When the one reminder was sent. */
  remindedAt: number | null;
  /** The shares of a packet by chance are not those of the seed that was committed to. */
  unfair: boolean;
  /** An action of mine is on its way to the ledger. */
  busy: boolean;
  /** Decrypted details do not match the commitment: show a warning and no actions. */
  mismatch: boolean;
  /** It asks me for money, and this device has not seen what its author committed to: it cannot be paid here. */
  isUnchecked: boolean;
  timeline: CardStep[];
};

export type NewCard = {
  conversation: string;
  kind: CardKind;
  /** Null where there is no single other side: a split, and a packet for everybody. */
  other: string | null;
  /** Of a split the sum of its shares, of a mandate the most in one period. */
  amountMinor: bigint;
  asset: string;
  memo: string;
  plan?: CardPlan;
  /** The server's default where it is absent. */
  lifetimeSeconds?: number;
};

export type Balance = { asset: Asset; balanceMinor: bigint; heldMinor: bigint; availableMinor: bigint };

export type StatementEntry = {
  version: number;
  transfer: string;
  kind: 'transfer' | 'hold' | 'capture' | 'release' | 'expire' | 'funding' | 'refund';
  postedMinor: bigint;
  heldMinor: bigint;
  balanceAfterMinor: bigint;
  /** The other side; of money on hold whom it is for, where this device knows the card. */
  counterparty: Person | null;
  /** Money on hold in a packet for everybody. */
  isForAll?: boolean;
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
   * @param amountMinor how much, of `refund` and `draw`
   * @throws ActionError `pay_pin_wrong`, among others
   */
  actOnCard(card: string, action: CardAction, consent?: PinConsent | null, amountMinor?: bigint | null): Promise<void>;
  card(id: string): Card | null;
  /** Reads all parts of a split or packet that this device has not heard of. */
  loadCardParts(card: string): Promise<void>;

  refreshWallet(): Promise<void>;
  /**
   * Reactive pages of one asset's statement, newest first. Whoever looks at it first loads the first page.
   * @param filter all entries where it is absent; a filtered page may be empty and yet have more behind it
   */
  statement(asset: string, filter?: StatementFilter): Statement;
  loadMoreStatement(asset: string, filter?: StatementFilter): Promise<void>;
}
