import { sha256 } from '@noble/hashes/sha2.js';
import { concat, uint32, utf8 } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';

/** The ledger's account of an owner in an asset: its id follows from those two. */
export function ledgerAccountOf(owner: string, asset: string): string {
  return bytesToUuid(derived('chatpay ledger account v1 owner', uuidToBytes(owner), utf8(asset)));
}

/**
 * The transfer of a card action: one per actor and idempotency key. It takes over the time that a key of version 7 begins
 * with.
 */
export function transferOfCardAction(actor: string, nonce: string): string {
  const key = uuidToBytes(nonce);
  const id = derived('chatpay transfer v2 card action', uuidToBytes(actor), key);
  const isVersion7 = (key[6] ?? 0) >> 4 === 7;
  return bytesToUuid(isVersion7 ? concat(key.subarray(0, 6), id.subarray(6)) : id);
}

/** A UUID of version 8 (RFC 9562, section 5.8) from SHA-256 over parts behind their lengths, as ChatPay.Core's `DerivedId`. */
function derived(label: string, ...parts: Uint8Array[]): Uint8Array {
  const id = sha256(concat(...[utf8(label), ...parts].flatMap((part) => [uint32(part.length), part]))).slice(0, 16);
  id[6] = ((id[6] ?? 0) & 0x0f) | 0x80;
  id[8] = ((id[8] ?? 0) & 0x3f) | 0x80;
  return id;
}
