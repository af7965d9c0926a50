import { toBase64 } from '../protocol/bytes';
import { type CardTerms, detailCommit, nobody } from '../protocol/cardTerms';
import type { Content } from '../protocol/content';
import { uuidv7 } from '../protocol/ids';
import { Limits } from '../protocol/limits';
import type { CardPlan } from '../protocol/wire';
import type { NewCard } from '../state/contract';
import type { OutboxRecord } from '../storage/records';

/** An entry of the outbox before anything was encrypted for it. */
export function newEntry(
  conversation: string,
  clientId: string,
  order: number,
  content: Content,
  kind: OutboxRecord['kind'],
): OutboxRecord {
  return {
    clientId,
    conversation,
    order,
    createdAt: Date.now(),
    content: JSON.stringify(content),
    kind,
    epoch: 0,
    body: null,
    failed: false,
    card: null,
  };
}

/** What a new card settles. */
export function newTerms(me: string, card: NewCard, id: string): CardTerms {
  const other = card.other ?? nobody;
  const asks = card.kind === 'request' || card.kind === 'split';
  return {
    kind: card.kind,
    card: id,
    conversation: card.conversation,
    payer: asks ? other : me,
    payee: asks ? me : other,
    amountMinor: card.amountMinor,
    lifetimeSeconds: card.lifetimeSeconds ?? Limits.cardLifetimeDefaultSeconds,
    asset: card.asset,
    plan: card.plan ? toWire(card.plan) : null,
  };
}

/** Amounts are text on the wire, and what a kind does not have is absent. */
function toWire({ shares, ownMinor, ...rest }: NonNullable<NewCard['plan']>): CardPlan {
  return {
    ...rest,
    ...(shares
      ? { shares: shares.map(({ account, amountMinor }) => ({ account, amountMinor: amountMinor.toString() })) }
      : {}),
    ...(ownMinor === undefined ? {} : { ownMinor: ownMinor.toString() }),
  };
}

/** A card with a salt of its own and the commitment to everything it says. */
export async function newCardEntry(me: string, card: NewCard, clientId: string, order: number): Promise<OutboxRecord> {
  const id = uuidv7();
  const terms = newTerms(me, card, id);
  const salt = crypto.getRandomValues(new Uint8Array(32));
  const content: Content = { v: 1, type: 'card', card: id, salt: toBase64(salt), memo: card.memo, items: [] };
  return {
    ...newEntry(card.conversation, clientId, order, content, 'card'),
    card: {
      id,
      kind: terms.kind,
      payer: terms.payer,
      payee: terms.payee,
      amountMinor: terms.amountMinor.toString(),
      asset: terms.asset,
      lifetimeSeconds: terms.lifetimeSeconds,
      plan: terms.plan ?? null,
      detailCommit: await detailCommit(terms, salt, card.memo),
      idempotencyKey: uuidv7(),
    },
  };
}
