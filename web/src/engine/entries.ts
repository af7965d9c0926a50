import { toBase64 } from '../protocol/bytes';
import { detailCommit } from '../protocol/cardTerms';
import type { Content } from '../protocol/content';
import { uuidv7 } from '../protocol/ids';
import { Limits } from '../protocol/limits';
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

/** A card with a salt of its own and the commitment to everything it says. */
export async function newCardEntry(me: string, card: NewCard, clientId: string, order: number): Promise<OutboxRecord> {
  const id = uuidv7();
  const terms = {
    kind: card.kind,
    card: id,
    conversation: card.conversation,
    payer: card.kind === 'transfer' ? me : card.other,
    payee: card.kind === 'transfer' ? card.other : me,
    amountMinor: card.amountMinor,
    lifetimeSeconds: Limits.cardLifetimeDefaultSeconds,
    asset: card.asset,
  };
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
      detailCommit: await detailCommit(terms, salt, card.memo),
      idempotencyKey: uuidv7(),
    },
  };
}
