import { sha256 } from '@noble/hashes/sha2.js';
import { EntryType, readEntry } from '../keylog/entry';
import { decodeStrictBase64 } from '../keylog/strictBase64';
import { equalBytes, fromBase64, toHex } from '../protocol/bytes';
import { encodeTerms } from '../protocol/cardTerms';
import { Limits } from '../protocol/limits';
import type { ReceiptsPage, ReceiptView } from '../protocol/wire';
import { checkParties, checkSeal, checkTerms, checkWord, openReceipt } from '../receipt/checks';
import { readDebitWord, readTermsHead } from '../receipt/debitWord';
import type { PaymentReceipt } from '../receipt/paymentReceipt';
import { ReceiptRejection } from '../receipt/rejection';
import type { MoneyReceipt, ReceiptFacts, ReceiptPart, ReceiptProblem, ReceiptStep } from '../state/contract';
import type { CardRecord } from '../storage/records';
import type { Core } from './core';
import type { DeviceKeys } from './keys/deviceKeys';
import { isChecked, termsOf } from './verify';

const names = new Map<ReceiptRejection, ReceiptProblem>(
  Object.entries(ReceiptRejection)
    .filter(([name]) => name !== 'none')
    .map(([name, number]) => [number, name as ReceiptProblem]),
);

/**
 * Receipts of what this account paid or was paid, each checked here before anything is said of it: by the ledger log that this
 * device knows, by the payer's chain of the key log, and by the card as this device has read it.
 */
export class PaymentReceipts {
  constructor(
    readonly core: Core,
    readonly keys: DeviceKeys,
  ) {}

  /** @throws ActionError `not_found`, or where the server cannot be reached */
  async one(transfer: string): Promise<MoneyReceipt> {
    const { value, retryAfterMs } = await this.core.api.receipt(transfer);
    return this.#check(value, value.transfer === transfer, retryAfterMs);
  }

  /** By time. @throws ActionError `card_unknown`, or where the server cannot be reached */
  async ofCard(card: string): Promise<MoneyReceipt[]> {
    const receipts: MoneyReceipt[] = [];
    let after: string | null = null;
    do {
      const { value, retryAfterMs } = await this.core.api.cardReceipts(card, after);
      const page: ReceiptsPage = value;
      for (const view of page.receipts) {
        receipts.push(await this.#check(view, view.card === card, retryAfterMs));
      }
      // A page that does not go on would be asked for for ever.
      const last: string | undefined = page.receipts.at(-1)?.transfer;
      after = page.after && page.after === last ? page.after : null;
    } while (after !== null && receipts.length < Limits.packetShares);
    return receipts.sort((a, b) => (a.facts?.at ?? 0) - (b.facts?.at ?? 0));
  }

  /** @param isAsked whether it is of what was asked for */
  async #check(view: ReceiptView, isAsked: boolean, retryAfterMs: number | null): Promise<MoneyReceipt> {
    const { transfer } = view;
    const digest = toHex(sha256(decodeStrictBase64(String(view.receipt)) ?? new Uint8Array()));
    const known = { transfer, digest, file: fileOf(view) };
    const verifier = await this.keys.ledger.verifier(view.verifierKey);
    const opened = verifier ? openReceipt(view, verifier) : { rejection: ReceiptRejection.ledgerOther };
    if (!verifier || 'rejection' in opened) {
      const rejection = 'rejection' in opened ? opened.rejection : ReceiptRejection.ledgerOther;
      return { ...known, verdict: 'wrong', steps: [stepOf('ledger', rejection)], facts: null, retryAfterMs: null };
    }
    const { receipt } = opened;
    const card = await this.core.card(view.card);
    const sealed = checkSeal(receipt, view.seal, verifier);
    const isLogFit = 'checkpoint' in sealed && (await this.keys.ledger.take(view.seal?.checkpoint ?? ''));
    const logged = 'rejection' in sealed ? sealed.rejection : isLogFit ? 0 : ReceiptRejection.checkpointInvalid;
    const word = checkWord(receipt);
    const steps = [
      stepOf('ledger', ReceiptRejection.none),
      stepOf('terms', checkParties(receipt) || checkTerms(receipt)),
      stepOf('payer', word),
      word === ReceiptRejection.none ? await this.#deviceStep(receipt) : null,
      this.#cardStep(receipt, card, isAsked),
      stepOf('log', logged),
    ].filter((step) => step !== null);
    const isWrong = steps.some(({ state }) => state === 'broken');
    const isSealed = logged === ReceiptRejection.none;
    const place = isSealed && 'checkpoint' in sealed && view.seal;
    return {
      ...known,
      verdict: isWrong ? 'wrong' : isSealed ? 'sealed' : 'signed',
      steps,
      facts: {
        ...this.#factsOf(receipt),
        memo: !isWrong && card && isChecked(card) && isOf(receipt, card) ? card.memo : null,
        place: place ? { index: place.index, size: sealed.checkpoint.size } : null,
      },
      retryAfterMs: isSealed || isWrong ? null : retryAfterMs,
    };
  }

  /** Whether the device that signed is in the payer's chain, or was: a revoked one's word from before still counts. */
  async #deviceStep({ payer, word }: PaymentReceipt): Promise<ReceiptStep> {
    const said = word && readDebitWord(word.statement);
    // Of somebody whose chain is not shown here, or not now, what is known is looked at.
    await (payer === this.core.device.account ? Promise.resolve() : this.keys.people.check(payer)).catch(
      () => undefined,
    );
    const { entries } = this.keys.people.find(payer);
    const isThere = entries.some((bytes) => {
      const read = readEntry(bytes);
      const entry = 'entry' in read && read.entry.type === EntryType.deviceAdded ? read.entry : null;
      return entry?.newKey && word && entry.device === said?.device && equalBytes(entry.newKey, word.deviceKey);
    });
    if (entries.length === 0) {
      return { part: 'device', state: 'unknown', problem: null };
    }
    return stepOf('device', isThere ? ReceiptRejection.none : ReceiptRejection.unauthorised);
  }

  #cardStep(receipt: PaymentReceipt, card: CardRecord | null, isAsked: boolean): ReceiptStep {
    const me = this.core.device.account;
    const isMine = receipt.payer === me || receipt.payee === me;
    if (!isAsked || !isMine || (card && !card.view.hidden && !isOf(receipt, card))) {
      return stepOf('card', ReceiptRejection.cardOther);
    }
    return { part: 'card', state: card && isChecked(card) ? 'holds' : 'unknown', problem: null };
  }

  #factsOf({
    origin,
    transfer,
    exponent,
    payer,
    payee,
    terms,
    word,
  }: PaymentReceipt): Omit<ReceiptFacts, 'memo' | 'place'> {
    const head = readTermsHead(terms);
    return {
      card: transfer.card ?? '',
      cardKind: head?.kind ?? 'transfer',
      conversation: head?.conversation ?? '',
      isRefund: transfer.kind === 'refund',
      payer: this.core.person(payer),
      payee: this.core.person(payee),
      amountMinor: transfer.amountMinor,
      asset: { code: transfer.asset, exponent },
      at: Number(transfer.atMicros / 1000n),
      device: (word && readDebitWord(word.statement)?.device) ?? null,
      origin,
    };
  }
}

function stepOf(part: ReceiptPart, rejection: ReceiptRejection): ReceiptStep {
  if (rejection === ReceiptRejection.notSealed) {
    return { part, state: 'waiting', problem: null };
  }
  const problem = names.get(rejection) ?? null;
  return { part, state: problem ? 'broken' : 'holds', problem };
}

/** Whether a receipt is of a card as this device knows it. */
function isOf(receipt: PaymentReceipt, { mismatch, view }: CardRecord): boolean {
  try {
    return (
      !mismatch &&
      equalBytes(encodeTerms(termsOf(view)), receipt.terms) &&
      equalBytes(fromBase64(view.detailCommit), receipt.detailCommit)
    );
  } catch {
    return false;
  }
}

/** Exactly what the server answered, laid out for people too. */
function fileOf(view: ReceiptView): MoneyReceipt['file'] {
  const day = /^\d{4}-\d\d-\d\d/.exec(String(view.at))?.[0] ?? 'undated';
  const name = `chatpay-receipt-${day}-${String(view.transfer).slice(-8)}.json`;
  return { name, type: 'application/json', text: `${JSON.stringify(view, null, 2)}\n` };
}
