import type { ReceiptRejection } from '../../receipt/rejection';
import type { Asset, CardKind } from './money';
import type { Person } from './session';

/** Why a part of a receipt does not hold. */
export type ReceiptProblem = Exclude<keyof typeof ReceiptRejection, 'none'>;

/**
 * What this device looks at. `ledger`: the ledger's key signed it, and the words say what was signed. `terms`: accounts, people,
 * asset and amount are what the card's terms allow. `payer`: a device of the payer's signed for exactly this. `device`: that
 * device stands in the payer's chain of the key log. `card`: it is the card as it was read and checked here. `log`: the ledger
 * log has it, by a checkpoint that goes with all that were seen before.
 */
export type ReceiptPart = 'ledger' | 'terms' | 'payer' | 'device' | 'card' | 'log';

export type ReceiptStep = {
  part: ReceiptPart;
  /** `waiting`: the log has not taken it in yet. `unknown`: this device has nothing to compare it with. */
  state: 'holds' | 'broken' | 'waiting' | 'unknown';
  problem: ReceiptProblem | null;
};

/** What the ledger signed. */
export type ReceiptFacts = {
  card: string;
  cardKind: CardKind;
  conversation: string;
  /** The money goes back to whoever paid first. */
  isRefund: boolean;
  payer: Person;
  payee: Person;
  amountMinor: bigint;
  asset: Asset;
  at: number;
  /** Of the payer's, that signed; null before there was such a word. */
  device: string | null;
  /** Null where this device has not read and checked the card. */
  memo: string | null;
  /** The ledger log's name. */
  origin: string;
  /** Its place in the log, once that has it. */
  place: { index: number; size: number } | null;
};

/** The ledger's word that money of a card moved, as this device has checked it. */
export type MoneyReceipt = {
  transfer: string;
  /** `wrong`: something of it does not hold, and nothing of it is to be believed. */
  verdict: 'sealed' | 'signed' | 'wrong';
  steps: ReceiptStep[];
  /** Null where the ledger did not sign what it says. */
  facts: ReceiptFacts | null;
  /** SHA-256 of what was signed, 64 hexadecimal digits. */
  digest: string;
  /** When to ask again for one that the log has not taken in yet. */
  retryAfterMs: number | null;
  /** As the server answered it: what `chatpay-verify receipt` reads. */
  file: SavedFile;
};

/** A file for the person to keep. */
export type SavedFile = { name: string; type: string; text: string };

export interface ReceiptsApp {
  /** @throws ActionError `not_found`: no movement of a card by this account or to it */
  receipt(transfer: string): Promise<MoneyReceipt>;
  /** Of everything that this account paid or got by a card, by time; none before money has moved. */
  receiptsOfCard(card: string): Promise<MoneyReceipt[]>;
}
