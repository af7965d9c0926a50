import { equalBytes, fromUtf8, utf8 } from '../protocol/bytes';
import type { CardActionKind, CardKind } from '../protocol/wire';
import { EncodingReader } from './reader';

/** A payer's word as it was signed, read without knowing the kind of its card: docs/PROTOCOL.md, paragraph Authorisation. */
export type DebitWord = {
  payer: string;
  device: string;
  nonce: string;
  action: CardActionKind;
  version: number;
  /** The most that it lets leave the account. */
  amountMinor: bigint;
  /** Seconds since the Unix epoch. */
  expiresAt: bigint;
  detailCommit: Uint8Array;
  terms: Uint8Array;
};

/** What the terms of every kind of card begin with. An id of zeros names nobody. */
export type TermsHead = {
  kind: CardKind;
  card: string;
  conversation: string;
  payer: string;
  payee: string;
  amountMinor: bigint;
  asset: string;
};

const label = utf8('chatpay debit v1');
const expiryMax = 1n << 37n;
/** The numbers of ChatPay.Core's `CardActionKind` and `CardKind`. */
const actions: CardActionKind[] = ['post', 'accept', 'decline', 'cancel', 'pay', 'claim', 'refund', 'draw', 'remind'];
const kinds: CardKind[] = ['transfer', 'request', 'split', 'packet', 'mandate'];

/** Null for what is no statement. */
export function readDebitWord(bytes: Uint8Array): DebitWord | null {
  const reader = new EncodingReader(bytes);
  const isLabelled = equalBytes(reader.take(label.length), label) && reader.byte() === 1;
  const [payer, device, nonce] = [reader.id(), reader.id(), reader.id()] as const;
  const action = actions[reader.byte() - 1];
  const [version, amountMinor, expiresAt] = [reader.int32(), reader.int64(), reader.int64()] as const;
  const [detailCommit, terms] = [reader.take(32), reader.counted()] as const;
  return isLabelled && reader.isComplete && action && expiresAt >= 0n && expiresAt < expiryMax
    ? { payer, device, nonce, action, version, amountMinor, expiresAt, detailCommit, terms }
    : null;
}

/** Null for what are no terms. What the kind has beside these is passed over. */
export function readTermsHead(bytes: Uint8Array): TermsHead | null {
  const reader = new EncodingReader(bytes);
  const version = reader.byte();
  const kind = kinds[reader.byte() - 1];
  const [card, conversation, payer, payee] = [reader.id(), reader.id(), reader.id(), reader.id()] as const;
  const amountMinor = reader.int64();
  reader.int32();
  const asset = reader.take(reader.byte());
  if (version !== 1 || reader.failed || !kind || asset.some((byte) => byte > 0x7e)) {
    return null;
  }
  return { kind, card, conversation, payer, payee, amountMinor, asset: fromUtf8(asset) };
}
