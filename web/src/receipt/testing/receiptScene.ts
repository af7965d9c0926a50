import { publicKeyOf, sign } from '../../crypto/ed25519';
import { noteVerifier, writeNoteVerifier } from '../../keylog/noteVerifier';
import { TestLog } from '../../keylog/testing/testLog';
import { fromHex, toBase64 } from '../../protocol/bytes';
import { type CardTerms, encodeTerms } from '../../protocol/cardTerms';
import { encodeDebit } from '../../protocol/debitStatement';
import type { ReceiptSeal, ReceiptView } from '../../protocol/wire';
import { readDebitWord, readTermsHead } from '../debitWord';
import { ledgerAccountOf, transferOfCardAction } from '../derivedIds';
import { encodeReceipt, type PaymentReceipt } from '../paymentReceipt';
import { encodeTransfer, leafOfTransfer, type SealedTransfer } from '../sealedTransfer';

export const idOf = (number: number) => `0190a000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
export const seedOf = (byte: number) => new Uint8Array(32).fill(byte);

export const origin = 'chat.example.org/ledger';
const ledgerSeed = seedOf(3);
export const ledger = noteVerifier(origin, publicKeyOf(ledgerSeed));
export const salt = fromHex('82c403602683a0cdfbbc407231faaf0392cc39cfbc714d8a032c73193b308a94');

/** The example of docs/PROTOCOL.md: 12.34 EUR that were accepted. */
export const exampleTerms: CardTerms = {
  kind: 'transfer',
  card: idOf(1),
  conversation: idOf(2),
  payer: idOf(3),
  payee: idOf(4),
  amountMinor: 1234n,
  lifetimeSeconds: 86_400,
  asset: 'EUR',
};
export const exampleCommit = fromHex('470efc0193d3d4a1490fcb0f2cdeff92618880af4d4f363762487325b53fc4a2');

export type Payment = {
  terms?: CardTerms;
  detailCommit?: Uint8Array;
  device?: string;
  deviceSeed?: Uint8Array;
  transfer?: Partial<Omit<SealedTransfer, 'encoding'>>;
  payer?: string;
  payee?: string;
};

export function transferOf(fields: Omit<SealedTransfer, 'encoding'>): SealedTransfer {
  return { ...fields, encoding: encodeTransfer(fields) };
}

/** A held transfer that was captured, with whatever a test wants otherwise. */
export function receiptOf(payment: Payment = {}): PaymentReceipt {
  const { terms = exampleTerms, detailCommit = exampleCommit, device = idOf(5), deviceSeed = seedOf(7) } = payment;
  const { payer = terms.payer, payee = terms.payee } = payment;
  const statement = encodeDebit({
    terms,
    detailCommit,
    action: 'post',
    version: 0,
    payer,
    amountMinor: terms.amountMinor,
    device,
    nonce: idOf(6),
    expiresAt: 1_800_000_000,
  });
  const transfer = transferOf({
    id: idOf(7),
    kind: 'capture',
    debit: ledgerAccountOf(payer, terms.asset),
    credit: ledgerAccountOf(payee, terms.asset),
    amountMinor: terms.amountMinor,
    asset: terms.asset,
    hold: transferOfCardAction(payer, idOf(6)),
    card: terms.card,
    actor: payee,
    refundOf: null,
    atMicros: 1_799_999_000_000_000n,
    payloadHash: new Uint8Array(32).fill(8),
    ...payment.transfer,
  });
  return {
    origin,
    transfer,
    exponent: 2,
    payer,
    payee,
    detailCommit,
    terms: encodeTerms(terms),
    word: { statement, signature: sign(deviceSeed, statement), deviceKey: publicKeyOf(deviceSeed) },
  };
}

/** As the server answers it: signed, and said in words. */
export function viewOf(receipt: PaymentReceipt, seal: ReceiptSeal | null = sealOf(receipt)): ReceiptView {
  const { transfer, word } = receipt;
  const terms = readTermsHead(receipt.terms);
  const said = word && readDebitWord(word.statement);
  if (!terms || (word && !said)) {
    throw new RangeError('no receipt');
  }
  const encoding = encodeReceipt(receipt);
  return {
    transfer: transfer.id,
    kind: transfer.kind,
    card: transfer.card ?? '',
    cardKind: terms.kind,
    conversation: terms.conversation,
    payer: receipt.payer,
    payee: receipt.payee,
    amountMinor: transfer.amountMinor.toString(),
    asset: transfer.asset,
    exponent: receipt.exponent,
    at: instant(transfer.atMicros),
    detailCommit: toBase64(receipt.detailCommit),
    ...(word && said
      ? {
          authorisation: {
            device: said.device,
            deviceKey: toBase64(word.deviceKey),
            action: said.action,
            amountMinor: said.amountMinor.toString(),
            expiresAt: instant(said.expiresAt * 1_000_000n),
          },
        }
      : {}),
    origin: receipt.origin,
    receipt: toBase64(encoding),
    verifierKey: writeNoteVerifier(ledger),
    signature: toBase64(sign(ledgerSeed, encoding)),
    ...(seal ? { seal } : {}),
  };
}

/** A ledger log with other transfers around this one. */
export function ledgerLog(receipt: PaymentReceipt | null, seed = ledgerSeed): TestLog {
  const log = new TestLog(seed, origin);
  const other = (number: number) => new Uint8Array(32).fill(number);
  log.append(other(1), other(2));
  if (receipt) {
    log.append(leafOfTransfer(receipt.transfer, salt));
  }
  log.append(other(4), other(5));
  return log;
}

export function sealOf(receipt: PaymentReceipt, log = ledgerLog(receipt), index = 2): ReceiptSeal {
  return { salt: toBase64(salt), index, proof: log.inclusion(index).map(toBase64), checkpoint: log.note() };
}

function instant(micros: bigint): string {
  return `${new Date(Number(micros / 1000n)).toISOString().slice(0, -5)}.${(micros % 1_000_000n).toString().padStart(6, '0')}+00:00`;
}
