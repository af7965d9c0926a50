import { concat, uint32, uint64, utf8 } from './bytes';
import { type CardTerms, encodeTerms } from './cardTerms';
import { uuidToBytes } from './ids';
import type { CardActionKind } from './wire';

/**
 * What a payer's device signs so that money leaves the payer's account: the card's terms and details as that device decrypted
 * them, what is done to the card, how much may go, until when, and a nonce that serves once.
 */
export type DebitStatement = {
  terms: CardTerms;
  /** 32 bytes. */
  detailCommit: Uint8Array;
  action: CardActionKind;
  /** The version acted on; 0 for a post. */
  version: number;
  /** Whose account is debited: the holder of the device. */
  payer: string;
  amountMinor: bigint;
  device: string;
  /** The action's idempotency key, which an account uses for one action only. */
  nonce: string;
  /** Seconds since the Unix epoch from which on the ledger refuses it. */
  expiresAt: number;
};

/** The numbers of ChatPay.Core's `CardActionKind`. */
const actionCodes: Record<CardActionKind, number> = {
  post: 1,
  accept: 2,
  decline: 3,
  cancel: 4,
  pay: 5,
  claim: 6,
  refund: 7,
  draw: 8,
  remind: 9,
};

/**
 * The encoding of docs/PROTOCOL.md, paragraph Authorisation: "chatpay debit v1" ‖ 0x01 ‖ payer (16) ‖ device (16) ‖ nonce (16) ‖
 * action (1) ‖ version (4) ‖ amount (8) ‖ expires at (8) ‖ detail commitment (32) ‖ length of terms (2) ‖ terms.
 * @throws RangeError where the commitment has another size, among others
 */
export function encodeDebit(statement: DebitStatement): Uint8Array {
  const { detailCommit, amountMinor } = statement;
  if (detailCommit.length !== 32) {
    throw new RangeError('a commitment has 32 bytes');
  }
  if (amountMinor <= 0n) {
    throw new RangeError('a debit takes something');
  }
  const terms = encodeTerms(statement.terms);
  return concat(
    utf8('chatpay debit v1'),
    Uint8Array.of(1),
    uuidToBytes(statement.payer),
    uuidToBytes(statement.device),
    uuidToBytes(statement.nonce),
    Uint8Array.of(actionCodes[statement.action]),
    uint32(statement.version),
    uint64(amountMinor),
    uint64(BigInt(statement.expiresAt)),
    detailCommit,
    Uint8Array.of(terms.length >> 8, terms.length & 0xff),
    terms,
  );
}
