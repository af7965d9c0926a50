import { sign } from '../crypto/ed25519';
import { equalBytes, fromBase64, toBase64 } from '../protocol/bytes';
import { type CardTerms, detailCommit } from '../protocol/cardTerms';
import { encodeDebit } from '../protocol/debitStatement';
import { ErrorCode, isCode, localError } from '../protocol/errors';
import { Limits } from '../protocol/limits';
import { parseMinor } from '../protocol/money';
import type { CardActReply, CardActRequest, CardAuthorisation } from '../protocol/wire';
import { type Debited, debitOf } from '../state/contract';
import type { CardRecord, OutboxRecord } from '../storage/records';
import type { Core } from './core';
import { fromStored, isChecked, termsOf } from './verify';

/** A card as this device decrypted it, or is about to post it: never as an answer of the server names it. */
export type OwnWord = { terms: CardTerms; detailCommit: Uint8Array };

type Unsigned = Omit<CardActRequest, 'authorisation'>;

/**
 * The one place from which money leaves this account: what takes some is signed here with the device's own key, over the
 * terms that the device itself knows, anew for each time that it is sent.
 */
export class Debits {
  constructor(readonly core: Core) {}

  /**
   * Sends an action on a card, signed where it takes money. A signature that came too late, or too early, is made once more by
   * the server's clock, under the same idempotency key: the server has not used it up.
   * @throws ActionError `card_unchecked`, `card_mismatch` before anything is sent, and whatever the server says
   */
  async act(request: Unsigned, own: OwnWord | null): Promise<CardActReply> {
    for (let isCorrected = false; ; isCorrected = true) {
      const { hub } = this.core;
      try {
        return await hub.cardAct({ ...request, authorisation: this.#authorise(request, own) });
      } catch (thrown) {
        if (isCorrected || !this.#correctClock(thrown)) {
          throw thrown;
        }
      }
    }
  }

  /**
   * The card that an action debits, as far as this device has checked it; null where it takes no money.
   * @throws ActionError `card_unchecked`, `card_mismatch`
   */
  async ofCard(record: CardRecord, action: Exclude<CardActRequest['action'], 'post'>): Promise<OwnWord | null> {
    return debitOf(debitedBy(termsOf(record.view)), action) ? checkedWord(record) : null;
  }

  #authorise(request: Unsigned, own: OwnWord | null): CardAuthorisation | null {
    const debit = own && debitOf(debitedBy(own.terms), request.action);
    if (!own || !debit) {
      return null;
    }
    const { account, device, privateKey } = this.core.device;
    const asked = request.amountMinor == null ? null : BigInt(request.amountMinor);
    const amountMinor = debit.amountOf(debitedBy(own.terms), account, asked);
    if (own.terms.card !== request.card || amountMinor === null) {
      throw localError('card_mismatch', false);
    }
    const expiresAt = Math.floor(this.core.clock.nowMs() / 1000) + Limits.authorisationSeconds;
    const statement = encodeDebit({
      terms: own.terms,
      detailCommit: own.detailCommit,
      action: request.action,
      version: request.version,
      payer: account,
      amountMinor,
      device,
      nonce: request.idempotencyKey,
      expiresAt,
    });
    return { expiresAt, signature: toBase64(sign(privateKey, statement)) };
  }

  #correctClock(thrown: unknown): boolean {
    const now = isCode(thrown, ErrorCode.authorisationExpired) ? thrown.info.details?.now : null;
    return typeof now === 'number' && this.core.clock.learn(now * 1000);
  }
}

/** What a card's terms say of who pays how much. */
export function debitedBy({ kind, payer, payee, amountMinor, plan }: CardTerms): Debited {
  const shares = (plan?.shares ?? []).map((share) => ({
    account: share.account,
    amountMinor: parseMinor(share.amountMinor),
  }));
  return { kind, payer, payee, amountMinor, delivery: plan?.delivery ?? null, shares };
}

/** What waits in the outbox was made here. */
export function postedWord(card: NonNullable<OutboxRecord['card']>, conversation: string): OwnWord {
  const { id, kind, payer, payee, amountMinor, asset, lifetimeSeconds, plan } = card;
  const amount = BigInt(amountMinor);
  const parties = { kind, card: id, conversation, payer, payee };
  const terms = { ...parties, amountMinor: amount, lifetimeSeconds, asset, plan: plan ?? null };
  return { terms, detailCommit: card.detailCommit };
}

/**
 * The terms of a received card as they were checked when its message was decrypted. The commitment is made once more from what
 * is shown, so that what is signed is what was read.
 */
async function checkedWord(record: CardRecord): Promise<OwnWord> {
  const { checked, memo, view } = record;
  if (record.mismatch) {
    throw localError('card_mismatch', false);
  }
  if (!checked || memo === null) {
    throw localError('card_unchecked', false);
  }
  const terms = fromStored(checked.terms);
  const commit = await detailCommit(terms, checked.salt, memo);
  if (!isChecked(record) || !equalBytes(commit, fromBase64(view.detailCommit))) {
    throw localError('card_mismatch', false);
  }
  return { terms, detailCommit: commit };
}
