import type { LogResult } from '../crypto/port';
import { decodeAuthenticatedData } from '../protocol/authenticatedData';
import { equalBytes, fromBase64 } from '../protocol/bytes';
import { type CardTerms, detailCommit } from '../protocol/cardTerms';
import { type Content, parseContent } from '../protocol/content';
import { parseMinor } from '../protocol/money';
import type { CardView, Event } from '../protocol/wire';

export type Opened =
  | { ok: true; content: Content }
  | { ok: false; reason: 'failed' | 'newerVersion' | 'senderMismatch' };

/**
 * Whether a decrypted message is what its event says: the sending leaf is the device that the server names, and the
 * signed authenticated data names this very event. Everything else is shown as a warning instead of the content.
 */
export function openResult(event: Event, result: LogResult | undefined): Opened {
  if (result?.kind !== 'plaintext') {
    return { ok: false, reason: 'failed' };
  }
  if (result.sender.account !== event.account || result.sender.device !== event.device) {
    return { ok: false, reason: 'senderMismatch' };
  }
  const data = decodeAuthenticatedData(result.authenticatedData);
  if (!data || data.clientId !== event.clientId || data.kind !== event.kind) {
    return { ok: false, reason: 'failed' };
  }
  const content = parseContent(result.plaintext);
  if (content.type === 'unknown') {
    return { ok: false, reason: 'newerVersion' };
  }
  if (content.type === 'malformed' || (content.type === 'card') !== (event.kind === 'card')) {
    return { ok: false, reason: 'failed' };
  }
  if (data.kind === 'card') {
    const card = event.card;
    const named = card && data.card === card.id && equalBytes(data.detailCommit, fromBase64(card.detailCommit));
    if (!named) {
      return { ok: false, reason: 'failed' };
    }
  }
  return { ok: true, content };
}

export function termsOf(card: CardView): CardTerms {
  return {
    kind: card.kind,
    card: card.id,
    conversation: card.conversation,
    payer: card.payer,
    payee: card.payee,
    amountMinor: parseMinor(card.amountMinor),
    lifetimeSeconds: card.lifetimeSeconds,
    asset: card.asset,
  };
}

/** Whether terms as the server has them and details as they were decrypted are what the card's author committed to. */
export async function detailsMatch(card: CardView, content: Extract<Content, { type: 'card' }>): Promise<boolean> {
  if (content.card !== card.id) {
    return false;
  }
  const commit = await detailCommit(termsOf(card), fromBase64(content.salt), content.memo);
  return equalBytes(commit, fromBase64(card.detailCommit));
}

/** The author of a transfer pays, the author of a request is paid, and the author is who posted it. */
export function partiesMatch(card: CardView, event: Event): boolean {
  const author = card.kind === 'transfer' ? card.payer : card.payee;
  return card.author === author && card.author === event.account && card.conversation === event.conversation;
}
