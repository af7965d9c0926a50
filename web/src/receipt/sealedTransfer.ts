import { sha256 } from '@noble/hashes/sha2.js';
import { concat, equalBytes, fromUtf8, uint64, utf8 } from '../protocol/bytes';
import { nobody } from '../protocol/cardTerms';
import { uuidToBytes } from '../protocol/ids';
import type { TransferKind } from '../protocol/wire';
import { EncodingReader } from './reader';

/** An applied transfer as the ledger log seals it: everything that was decided about it. Ids that are not there are null. */
export type SealedTransfer = {
  id: string;
  kind: TransferKind;
  /** Ledger accounts. */
  debit: string;
  credit: string | null;
  amountMinor: bigint;
  asset: string;
  hold: string | null;
  card: string | null;
  actor: string | null;
  refundOf: string | null;
  /** Microseconds since the Unix epoch. */
  atMicros: bigint;
  /** 32 bytes. */
  payloadHash: Uint8Array;
  encoding: Uint8Array;
};

const label = utf8('chatpay transfer v1');
const leafLabel = utf8('chatpay ledger log v1 leaf');
/** The numbers of ChatPay.Core's `TransferKind`. */
const kinds: TransferKind[] = ['transfer', 'hold', 'capture', 'release', 'expire', 'refund', 'balancing', 'captureAll'];
const withCredit: TransferKind[] = ['transfer', 'capture', 'refund', 'balancing', 'captureAll'];
const withHold: TransferKind[] = ['capture', 'release', 'expire', 'captureAll'];
/** The last microsecond that .NET has a date for. */
const lastMicros = 253_402_300_799_999_999n;

/** Reads an encoding, of which there is one for each transfer; null for what is none. */
export function readTransfer(bytes: Uint8Array): SealedTransfer | null {
  const reader = new EncodingReader(bytes);
  reader.take(label.length + 1);
  const [id, code, debit] = [reader.id(), reader.byte(), reader.id()] as const;
  const credit = optional(reader.id());
  const amountMinor = reader.int64();
  const [hold, card, actor, refundOf] = [reader.id(), reader.id(), reader.id(), reader.id()].map(optional);
  const [atMicros, payloadHash, assetBytes] = [reader.int64(), reader.take(32), reader.counted()] as const;
  const kind = kinds[code - 1];
  const asset = readAsset(assetBytes);
  if (!reader.isComplete || !kind || asset === null || amountMinor <= 0n || atMicros < 0n || atMicros > lastMicros) {
    return null;
  }
  const transfer = {
    id,
    kind,
    debit,
    credit,
    amountMinor,
    asset,
    hold: hold ?? null,
    card: card ?? null,
    actor: actor ?? null,
    refundOf: refundOf ?? null,
    atMicros,
    payloadHash,
    encoding: bytes.slice(),
  };
  const hasItsParts =
    withCredit.includes(kind) === (credit !== null) &&
    withHold.includes(kind) === (transfer.hold !== null) &&
    (kind === 'refund') === (transfer.refundOf !== null);
  return hasItsParts && equalBytes(bytes, encodeTransfer(transfer)) ? transfer : null;
}

/**
 * "chatpay transfer v1" ‖ 0x01 ‖ id (16) ‖ kind (1) ‖ debit (16) ‖ credit (16) ‖ amount (8) ‖ hold (16) ‖ card (16) ‖ actor (16)
 * ‖ refund of (16) ‖ microseconds (8) ‖ payload hash (32) ‖ length of asset (2) ‖ asset.
 */
export function encodeTransfer(transfer: Omit<SealedTransfer, 'encoding'>): Uint8Array {
  const idOf = (id: string | null) => uuidToBytes(id ?? nobody);
  const asset = utf8(transfer.asset);
  return concat(
    label,
    Uint8Array.of(1),
    idOf(transfer.id),
    Uint8Array.of(kinds.indexOf(transfer.kind) + 1),
    idOf(transfer.debit),
    idOf(transfer.credit),
    uint64(transfer.amountMinor),
    ...[transfer.hold, transfer.card, transfer.actor, transfer.refundOf].map(idOf),
    uint64(transfer.atMicros),
    transfer.payloadHash,
    Uint8Array.of(asset.length >> 8, asset.length & 0xff),
    asset,
  );
}

/** What stands of it in the ledger log, 32 bytes. @param salt 32 bytes, shown to those who may see the transfer */
export function leafOfTransfer(transfer: SealedTransfer, salt: Uint8Array): Uint8Array {
  if (salt.length !== 32) {
    throw new RangeError('a salt has 32 bytes');
  }
  return sha256(concat(leafLabel, salt, sha256(transfer.encoding)));
}

export function hasCredit(kind: TransferKind): boolean {
  return withCredit.includes(kind);
}

function optional(id: string): string | null {
  return id === nobody ? null : id;
}

function readAsset(bytes: Uint8Array): string | null {
  try {
    const code = fromUtf8(bytes);
    return /^[A-Z][A-Z0-9]{2,11}$/.test(code) ? code : null;
  } catch {
    return null;
  }
}
