import { concat, sha256, uint32, uint64, utf8 } from './bytes';
import { uuidToBytes } from './ids';
import type { CardKind } from './wire';

/** What a card settles, as `docs/PROTOCOL.md` encodes it. */
export type CardTerms = {
  kind: CardKind;
  card: string;
  conversation: string;
  payer: string;
  payee: string;
  amountMinor: bigint;
  lifetimeSeconds: number;
  asset: string;
};

/** terms = 0x01 ‖ kind ‖ card ‖ conversation ‖ payer ‖ payee ‖ amountMinor(8) ‖ lifetime(4) ‖ length(asset)(1) ‖ asset. */
export function encodeTerms(terms: CardTerms): Uint8Array {
  const asset = utf8(terms.asset);
  if (asset.length > 255 || asset.some((byte) => byte > 0x7e || byte < 0x21)) {
    throw new RangeError('an asset code is printable ASCII');
  }
  return concat(
    Uint8Array.of(1, terms.kind === 'transfer' ? 1 : 2),
    uuidToBytes(terms.card),
    uuidToBytes(terms.conversation),
    uuidToBytes(terms.payer),
    uuidToBytes(terms.payee),
    uint64(terms.amountMinor),
    uint32(terms.lifetimeSeconds),
    Uint8Array.of(asset.length),
    asset,
  );
}

/** details = SHA-256(salt(32) ‖ length(memo)(4) ‖ memo ‖ count(items)(4)); there are no items in these card kinds. */
export function hashDetails(salt: Uint8Array, memo: string): Promise<Uint8Array> {
  if (salt.length !== 32) {
    throw new RangeError('the salt has 32 bytes');
  }
  const text = utf8(memo);
  return sha256(salt, uint32(text.length), text, uint32(0));
}

/** detailCommit = SHA-256("chatpay card v1" ‖ terms ‖ details). */
export async function detailCommit(terms: CardTerms, salt: Uint8Array, memo: string): Promise<Uint8Array> {
  return sha256(utf8('chatpay card v1'), encodeTerms(terms), await hashDetails(salt, memo));
}
