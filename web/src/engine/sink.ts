import type {
  AccountSecurity,
  Asset,
  Card,
  ConnectionState,
  Conversation,
  Me,
  PayCode,
  Phase,
  Presence,
  Statement,
  Wallet,
} from '../state/contract';
import type { ThreadSnapshot } from './threads';

/** Where the engine puts what screens are to see. */
export type Sink = {
  phase(phase: Phase): void;
  /** The server asks for a newer client. */
  update(): void;
  connection(state: ConnectionState, retryInMs: number | null): void;
  me(me: Me | null): void;
  security(security: AccountSecurity): void;
  assets(assets: Asset[]): void;
  /** Newest activity first. */
  conversations(list: Conversation[], loading: boolean): void;
  thread(id: string, snapshot: ThreadSnapshot): void;
  card(card: Card): void;
  /** By account; null where nothing is known, or no longer. */
  presence(changes: Map<string, Presence | null>): void;
  wallet(wallet: Wallet): void;
  /** Newest first. */
  payCodes(codes: PayCode[]): void;
  /** By `statementKey`; null for one that is kept no longer. */
  statement(key: string, statement: Statement | null): void;
};
