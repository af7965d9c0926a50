import { verify } from '../crypto/ed25519';
import { type Checkpoint, openCheckpoint } from '../keylog/checkpoint';
import { leafHash, verifyInclusion } from '../keylog/merkle';
import { type NoteVerifier, writeNoteVerifier } from '../keylog/noteVerifier';
import { LogRejection } from '../keylog/rejection';
import { decodeStrictBase64 } from '../keylog/strictBase64';
import { equalBytes } from '../protocol/bytes';
import { nobody } from '../protocol/cardTerms';
import type { ReceiptSeal, ReceiptView } from '../protocol/wire';
import { type DebitWord, readDebitWord, readTermsHead } from './debitWord';
import { ledgerAccountOf, transferOfCardAction } from './derivedIds';
import { type PaymentReceipt, readReceipt } from './paymentReceipt';
import { ReceiptRejection } from './rejection';
import { hasCredit, leafOfTransfer } from './sealedTransfer';

/**
 * Whether a receipt holds, step by step, as ChatPay.Core's `ReceiptChecks`: each step takes what `openReceipt` has read. What a
 * server answers may be anything, so hostile input yields a rejection and never an exception.
 */

type Opened = { receipt: PaymentReceipt } | { rejection: ReceiptRejection };

/** Whether the ledger signed it, and the words say what was signed. @param ledger as the reader knows it */
export function openReceipt(view: ReceiptView, ledger: NoteVerifier): Opened {
  const encoding = bytesOf(view.receipt);
  const receipt = encoding && readReceipt(encoding);
  if (!encoding || !receipt) {
    return { rejection: ReceiptRejection.malformed };
  }
  if (receipt.origin !== ledger.name || view.verifierKey !== writeNoteVerifier(ledger)) {
    return { rejection: ReceiptRejection.ledgerOther };
  }
  if (!verify(ledger.key, bytesOf(view.signature) ?? new Uint8Array(), encoding)) {
    return { rejection: ReceiptRejection.signatureInvalid };
  }
  const said = receipt.word && readDebitWord(receipt.word.statement);
  if (!readTermsHead(receipt.terms) || receipt.transfer.card === null || (receipt.word && !said)) {
    return { rejection: ReceiptRejection.malformed };
  }
  return isSaid(view, receipt, said) ? { receipt } : { rejection: ReceiptRejection.wordsOther };
}

/** Whether the ledger accounts are those of payer and payee. */
export function checkParties({ transfer, payer, payee }: PaymentReceipt): ReceiptRejection {
  const areTheirs =
    hasCredit(transfer.kind) &&
    payer !== payee &&
    transfer.debit === ledgerAccountOf(payer, transfer.asset) &&
    transfer.credit === ledgerAccountOf(payee, transfer.asset);
  return areTheirs ? ReceiptRejection.none : ReceiptRejection.partiesOther;
}

/**
 * Whether the movement is one that the card's terms allow: people whom they name, its asset, no more money than they say, and
 * where it settles a transfer or request, neither less. A refund goes the other way.
 */
export function checkTerms(receipt: PaymentReceipt): ReceiptRejection {
  const { transfer } = receipt;
  const isRefund = transfer.kind === 'refund';
  const [payer, payee] = isRefund ? [receipt.payee, receipt.payer] : [receipt.payer, receipt.payee];
  const terms = readTermsHead(receipt.terms);
  const isAllowed =
    terms !== null &&
    transfer.card === terms.card &&
    transfer.asset === terms.asset &&
    transfer.amountMinor <= terms.amountMinor &&
    isNamed(terms.payer, payer) &&
    isNamed(terms.payee, payee) &&
    (isRefund || (terms.kind !== 'transfer' && terms.kind !== 'request') || transfer.amountMinor === terms.amountMinor);
  return isAllowed ? ReceiptRejection.none : ReceiptRejection.termsOther;
}

/**
 * Whether the payer's device let exactly this happen. The statement names its own transfer by payer and nonce: this one, or the
 * opening of the hold that it was paid from; what gave a mandate lets every draw on that card happen. That the device is the
 * payer's stands in the payer's chain of the key log.
 */
export function checkWord(receipt: PaymentReceipt): ReceiptRejection {
  const { word, transfer } = receipt;
  if (!word) {
    return ReceiptRejection.unauthorised;
  }
  const said = readDebitWord(word.statement);
  if (
    said?.payer !== receipt.payer ||
    !equalBytes(said.terms, receipt.terms) ||
    !equalBytes(said.detailCommit, receipt.detailCommit)
  ) {
    return ReceiptRejection.statementOther;
  }
  const allowed = transferOfCardAction(said.payer, said.nonce);
  const isMandate =
    said.action === 'post' && transfer.kind !== 'refund' && readTermsHead(receipt.terms)?.kind === 'mandate';
  if (allowed !== transfer.id && allowed !== transfer.hold && !isMandate) {
    return ReceiptRejection.statementElsewhere;
  }
  if (said.amountMinor < transfer.amountMinor) {
    return ReceiptRejection.statementExceeded;
  }
  return verify(word.deviceKey, word.signature, word.statement)
    ? ReceiptRejection.none
    : ReceiptRejection.deviceSignatureInvalid;
}

/** Whether the transfer is in the ledger log, by a checkpoint that the log's key signed. */
export function checkSeal(
  receipt: PaymentReceipt,
  seal: ReceiptSeal | null | undefined,
  ledger: NoteVerifier,
): { checkpoint: Checkpoint } | { rejection: ReceiptRejection } {
  if (!seal) {
    return { rejection: ReceiptRejection.notSealed };
  }
  const { checkpoint: note, index } = seal;
  const opened = typeof note === 'string' ? openCheckpoint(note, ledger.name, ledger) : null;
  if (!opened || 'rejection' in opened) {
    return { rejection: ReceiptRejection.checkpointInvalid };
  }
  const salt = bytesOf(seal.salt);
  const proof = Array.isArray(seal.proof) ? seal.proof.map(bytesOf) : [null];
  const hashes = proof.filter((hash) => hash !== null);
  const { size, root } = opened.checkpoint;
  if (
    salt?.length !== 32 ||
    hashes.length !== proof.length ||
    verifyInclusion(index, size, leafHash(leafOfTransfer(receipt.transfer, salt)), hashes, root) !== LogRejection.none
  ) {
    return { rejection: ReceiptRejection.notIncluded };
  }
  return { checkpoint: opened.checkpoint };
}

/** An id of zeros names anybody. */
function isNamed(named: string, account: string): boolean {
  return named === nobody || named === account;
}

/** Whether the words beside what was signed say the same. */
function isSaid(view: ReceiptView, receipt: PaymentReceipt, said: DebitWord | null): boolean {
  const { transfer, word } = receipt;
  const terms = readTermsHead(receipt.terms);
  const words = view.authorisation ?? null;
  const isWordSaid =
    said && word
      ? words !== null &&
        words.device === said.device &&
        isBytes(words.deviceKey, word.deviceKey) &&
        words.action === said.action &&
        words.amountMinor === said.amountMinor.toString() &&
        microsOf(words.expiresAt) === said.expiresAt * 1_000_000n
      : words === null;
  return (
    isWordSaid &&
    view.transfer === transfer.id &&
    view.kind === transfer.kind &&
    view.card === transfer.card &&
    view.cardKind === terms?.kind &&
    view.conversation === terms.conversation &&
    view.payer === receipt.payer &&
    view.payee === receipt.payee &&
    view.amountMinor === transfer.amountMinor.toString() &&
    view.asset === transfer.asset &&
    view.exponent === receipt.exponent &&
    microsOf(view.at) === transfer.atMicros &&
    isBytes(view.detailCommit, receipt.detailCommit) &&
    view.origin === receipt.origin
  );
}

/** Microseconds since the Unix epoch; null for what is no instant, or finer than that. */
export function microsOf(text: string): bigint | null {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6})0?)?(Z|[+-]\d\d:\d\d)$/.exec(String(text));
  const ms = parts ? Date.parse(`${parts[1]}${parts[3]}`) : Number.NaN;
  return Number.isNaN(ms) ? null : BigInt(ms) * 1000n + BigInt((parts?.[2] ?? '').padEnd(6, '0'));
}

function bytesOf(text: unknown): Uint8Array | null {
  return typeof text === 'string' ? decodeStrictBase64(text) : null;
}

function isBytes(text: unknown, bytes: Uint8Array): boolean {
  const read = bytesOf(text);
  return read !== null && equalBytes(read, bytes);
}
