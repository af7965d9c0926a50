import type { LogResult } from '../crypto/port';
import { decodeAuthenticatedData } from '../protocol/authenticatedData';
import { equalBytes, fromBase64 } from '../protocol/bytes';
import { encodePlan, isPlanSound } from '../protocol/cardPlans';
import { authorOf, type CardTerms, detailCommit, encodeTerms, nobody } from '../protocol/cardTerms';
import { type Content, parseContent } from '../protocol/content';
import { parseMinor } from '../protocol/money';
import type { CardView, Event } from '../protocol/wire';
import type { CardRecord, OutboxRecord } from '../storage/records';

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
    // Of a hidden card the commitment is not told.
    const isSame = card && (card.hidden || equalBytes(data.detailCommit, fromBase64(card.detailCommit)));
    if (data.card !== card?.id || !isSame) {
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
    plan: card.plan ?? null,
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

/** What a sound card's author committed to, to be kept with it. */
export function checkedOf(card: CardView, content: Extract<Content, { type: 'card' }>): CardRecord['checked'] {
  const terms = termsOf(card);
  return { terms: { ...terms, amountMinor: terms.amountMinor.toString() }, salt: fromBase64(content.salt) };
}

/** Whether a card is shown with the terms that were checked. */
export function sameAsChecked({ view, checked }: CardRecord): boolean {
  return checked !== undefined && equalBytes(encodeTerms(termsOf(view)), encodeTerms(fromStored(checked.terms)));
}

/** Amounts are kept as text. */
export function fromStored(terms: NonNullable<CardRecord['checked']>['terms']): CardTerms {
  return { ...terms, amountMinor: BigInt(terms.amountMinor) };
}

/** Whether this device knows what a card's author committed to, so that its money may be paid from here. */
export function isChecked(card: CardRecord): boolean {
  return !card.mismatch && card.memo !== null && sameAsChecked(card);
}

/**
 * Whether parties and plan fit the card's kind: the author of a transfer, packet or mandate pays, the author of a request or split
 * is paid, and the author is who posted it. A hidden card names no parties.
 */
export function partiesMatch(card: CardView, event: Event): boolean {
  if (card.author !== event.account || card.conversation !== event.conversation) {
    return false;
  }
  if (card.hidden) {
    return card.payer === nobody && card.payee === nobody && !card.plan && !card.progress;
  }
  const needsOther = card.kind !== 'split' && card.kind !== 'packet';
  return (
    card.author === authorOf(card) &&
    card.payer !== card.payee &&
    (!needsOther || (card.payer !== nobody && card.payee !== nobody)) &&
    isPlanSound(termsOf(card), nobody)
  );
}

/** A hidden card's message is only known to be for that card; its details are not for this device to show. */
export function isHiddenMatch(card: CardView, content: Extract<Content, { type: 'card' }>): boolean {
  return card.hidden === true && content.card === card.id;
}

/** Whether the server recorded what was posted, to the last minor unit. */
export function recordedAsPosted(card: CardView, entry: OutboxRecord, me: string): boolean {
  const { card: posted, conversation } = entry;
  return (
    posted !== null &&
    card.author === me &&
    card.conversation === conversation &&
    card.id === posted.id &&
    card.kind === posted.kind &&
    card.payer === posted.payer &&
    card.payee === posted.payee &&
    card.amountMinor === posted.amountMinor &&
    card.asset === posted.asset &&
    card.lifetimeSeconds === posted.lifetimeSeconds &&
    samePlan(card, { kind: posted.kind, plan: posted.plan ?? null }) &&
    equalBytes(fromBase64(card.detailCommit), posted.detailCommit)
  );
}

/** What a card settles never changes. The commitment covers it, and was checked when the card was first seen. */
export function sameTerms(a: CardView, b: CardView): boolean {
  return (
    a.id === b.id &&
    a.conversation === b.conversation &&
    a.kind === b.kind &&
    a.author === b.author &&
    a.payer === b.payer &&
    a.payee === b.payee &&
    a.amountMinor === b.amountMinor &&
    a.asset === b.asset &&
    a.lifetimeSeconds === b.lifetimeSeconds &&
    a.detailCommit === b.detailCommit &&
    (a.hidden ?? false) === (b.hidden ?? false) &&
    samePlan(a, b)
  );
}

function samePlan(a: Pick<CardView, 'kind' | 'plan'>, b: Pick<CardView, 'kind' | 'plan'>): boolean {
  try {
    return equalBytes(encodePlan(a.kind, a.plan), encodePlan(b.kind, b.plan));
  } catch {
    return false;
  }
}
