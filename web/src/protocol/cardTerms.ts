import { concat, sha256, uint32, uint64, utf8 } from './bytes';
import { encodePlan } from './cardPlans';
import { uuidToBytes } from './ids';
import type { CardKind, CardPlan } from './wire';

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
  /** Null or absent where the kind needs none. */
  plan?: CardPlan | null;
};

/** An id of zeros: nobody, where a kind has no single payer or payee. */
export const nobody = '00000000-0000-0000-0000-000000000000';

/** The numbers of ChatPay.Core's `CardKind`. */
const kindCodes: Record<CardKind, number> = { transfer: 1, request: 2, split: 3, packet: 4, mandate: 5 };

/** Who posts a card of a kind: whose money it is about, or who asks for money. */
export function authorOf({ kind, payer, payee }: Pick<CardTerms, 'kind' | 'payer' | 'payee'>): string {
  return kind === 'request' || kind === 'split' ? payee : payer;
}

/**
 * terms = 0x01 ‖ kind ‖ card ‖ conversation ‖ payer ‖ payee ‖ amountMinor(8) ‖ lifetime(4) ‖ length(asset)(1) ‖ asset ‖ plan.
 * @throws RangeError where there is no such card
 */
export function encodeTerms(terms: CardTerms): Uint8Array {
  const code = kindCodes[terms.kind];
  if (code === undefined) {
    throw new RangeError('no kind of card');
  }
  const asset = utf8(terms.asset);
  if (asset.length > 255 || asset.some((byte) => byte > 0x7e || byte < 0x21)) {
    throw new RangeError('an asset code is printable ASCII');
  }
  return concat(
    Uint8Array.of(1, code),
    uuidToBytes(terms.card),
    uuidToBytes(terms.conversation),
    uuidToBytes(terms.payer),
    uuidToBytes(terms.payee),
    uint64(terms.amountMinor),
    uint32(terms.lifetimeSeconds),
    Uint8Array.of(asset.length),
    asset,
    encodePlan(terms.kind, terms.plan),
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
