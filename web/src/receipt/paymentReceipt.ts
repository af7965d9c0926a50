import { concat, equalBytes, fromUtf8, utf8 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import { EncodingReader } from './reader';
import { readTransfer, type SealedTransfer } from './sealedTransfer';

/** What a device of the payer's signed, with what checks it: encoding, 64 bytes, Ed25519 key of 32 bytes. */
export type ReceiptWord = { statement: Uint8Array; signature: Uint8Array; deviceKey: Uint8Array };

/** What the ledger signs of one movement of a card's money: docs/PROTOCOL.md, paragraph Receipts. */
export type PaymentReceipt = {
  /** Of the ledger log. */
  origin: string;
  transfer: SealedTransfer;
  /** Decimals of one unit of the asset. */
  exponent: number;
  payer: string;
  payee: string;
  /** 32 bytes. */
  detailCommit: Uint8Array;
  /** The encoding of the card's terms. */
  terms: Uint8Array;
  /** Null for what was paid before payers' devices signed. */
  word: ReceiptWord | null;
};

const label = utf8('chatpay receipt v1');
const exponentMax = 9;

/** Reads an encoding, of which there is one for each receipt; null for what is none. */
export function readReceipt(bytes: Uint8Array): PaymentReceipt | null {
  const reader = new EncodingReader(bytes);
  reader.take(label.length + 1);
  const origin = textOf(reader.counted());
  const transfer = readTransfer(reader.counted());
  const [exponent, payer, payee] = [reader.byte(), reader.id(), reader.id()] as const;
  const [detailCommit, terms] = [reader.take(32), reader.counted()] as const;
  const word =
    reader.byte() === 0
      ? null
      : { statement: reader.counted(), signature: reader.take(64), deviceKey: reader.take(32) };
  if (!reader.isComplete || origin === null || !transfer || exponent > exponentMax) {
    return null;
  }
  const receipt = { origin, transfer, exponent, payer, payee, detailCommit, terms, word };
  return equalBytes(bytes, encodeReceipt(receipt)) ? receipt : null;
}

/**
 * "chatpay receipt v1" ‖ 0x01 ‖ length (2) ‖ origin ‖ length (2) ‖ transfer ‖ exponent (1) ‖ payer (16) ‖ payee (16) ‖ detail
 * commitment (32) ‖ length (2) ‖ terms ‖ 0x00, or 0x01 ‖ length (2) ‖ statement ‖ its signature (64) ‖ device's key (32).
 */
export function encodeReceipt(receipt: PaymentReceipt): Uint8Array {
  const { origin, transfer, exponent, payer, payee, detailCommit, terms, word } = receipt;
  const parts = [
    label,
    Uint8Array.of(1),
    counted(utf8(origin)),
    counted(transfer.encoding),
    Uint8Array.of(exponent),
    uuidToBytes(payer),
    uuidToBytes(payee),
    detailCommit,
    counted(terms),
    Uint8Array.of(word ? 1 : 0),
  ];
  return concat(...parts, ...(word ? [counted(word.statement), word.signature, word.deviceKey] : []));
}

function counted(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 0xffff) {
    throw new RangeError('more than two bytes can count');
  }
  return concat(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return fromUtf8(bytes);
  } catch {
    return null;
  }
}
