import { equalBytes, fromBase64 } from '../protocol/bytes';
import { type CardForm, formOf, isPlanSound } from '../protocol/cardPlans';
import { nobody } from '../protocol/cardTerms';
import { commitToSeed, dividePacket, packetSeedBytes } from '../protocol/packetShares';
import type { CardPart, CardState, CardView } from '../protocol/wire';
import type { CardRecord } from '../storage/records';
import { sameTerms, termsOf } from './verify';

type Step = CardRecord['timeline'][number];

/**
 * The state machines of docs/PROTOCOL.md, by form: from which state to which others. The first one is where a card of the form
 * begins; a state may be seen again, as with every share of a split.
 */
const moves: Record<CardForm, [from: CardState, to: CardState[]][]> = {
  transfer: [['held', ['accepted', 'declined', 'cancelled', 'expired']]],
  transferAtOnce: [['accepted', []]],
  transferDelayed: [['held', ['accepted', 'declined', 'cancelled', 'expired']]],
  request: [['open', ['paid', 'declined', 'cancelled', 'expired']]],
  split: [['open', ['paid', 'settled', 'cancelled', 'expired']]],
  packet: [['open', ['exhausted', 'expired']]],
  mandate: [['active', ['cancelled', 'declined', 'expired']]],
};

/** The state in which a card was posted. Of a hidden transfer it is not told how it arrives. */
export function openingOf({ kind, plan, hidden, state, version }: CardView): CardState {
  if (hidden && version === 1) {
    return state;
  }
  return moves[formOf(kind, plan)]?.[0]?.[0] ?? state;
}

/** Whether a card that was seen in one state may be seen in the other, by their versions. */
function canFollow(a: CardView, b: CardView): boolean {
  const [earlier, later] = b.version < a.version ? [b, a] : [a, b];
  const rows = moves[formOf(later.kind, later.plan)] ?? [];
  if (earlier.state === later.state) {
    return rows.some(([from, to]) => from === later.state || to.includes(later.state));
  }
  return (
    earlier.version < later.version && rows.some(([from, to]) => from === earlier.state && to.includes(later.state))
  );
}

/**
 * A known card after something the server says of it. News that speak of other terms, or of a state that cannot
 * follow, are not believed: the card keeps what was checked, under a warning.
 */
export function advance(card: CardRecord, news: CardView, at: number, by: string | null): CardRecord {
  if (!sameTerms(card.view, news) || !canFollow(card.view, news)) {
    return card.contradicted ? card : { ...card, mismatch: true, contradicted: true };
  }
  const view = merged(card.view, news);
  const steps = stepsOf(card, news, at, by);
  const seedCommit = card.seedCommit ?? news.progress?.seedCommit ?? null;
  const isUnfair = card.unfair || !areFair(view, news, seedCommit);
  if (view === card.view && steps.length === 0 && isUnfair === (card.unfair ?? false)) {
    return card;
  }
  return {
    ...card,
    view,
    timeline: [...card.timeline, ...steps].sort((a, b) => a.at - b.at),
    ...(seedCommit ? { seedCommit } : {}),
    ...(isUnfair ? { unfair: true } : {}),
  };
}

/** The newer of both, with the parts of both; the terms are what they were. */
function merged(known: CardView, news: CardView): CardView {
  const parts = mergeParts(known.progress?.parts ?? null, news.progress?.parts ?? null);
  const isNewer = news.version > known.version;
  if (!isNewer && parts === (known.progress?.parts ?? null)) {
    return known;
  }
  const newest = isNewer ? news : known;
  const progress = newest.progress ?? (parts ? {} : null);
  return { ...newest, plan: known.plan ?? null, progress: progress && { ...progress, ...(parts ? { parts } : {}) } };
}

/** By place; what somebody has answered stays. Returns `known` where there is nothing new. */
function mergeParts(known: CardPart[] | null, news: CardPart[] | null): CardPart[] | null {
  if (!news) {
    return known;
  }
  const parts = new Map((known ?? []).map((part) => [part.account, part]));
  let isNew = false;
  for (const part of news) {
    const before = parts.get(part.account);
    if (!before || (before.state === 'open' && part.state !== 'open')) {
      parts.set(part.account, part);
      isNew = true;
    }
  }
  return isNew ? [...parts.values()].sort((a, b) => a.place - b.place) : known;
}

/** What the history has not told yet. */
function stepsOf({ timeline, view }: CardRecord, news: CardView, at: number, by: string | null): Step[] {
  const { state, version, progress } = news;
  const steps: Step[] = [];
  if (!timeline.some((step) => step.what === undefined && step.state === state)) {
    steps.push({ state, at, by, version });
  }
  const drawn = progress?.drawnMinor;
  if (drawn && !timeline.some((step) => step.what === 'draw' && step.version === version)) {
    steps.push({ state, at, by, version, what: 'draw', minor: drawn });
  }
  const returned = BigInt(progress?.refundedMinor ?? '0') - BigInt(view.progress?.refundedMinor ?? '0');
  if (version > view.version && returned > 0n) {
    steps.push({ state, at, by, version, what: 'refund', minor: returned.toString() });
  }
  if (progress?.remindedAt && !timeline.some((step) => step.what === 'remind')) {
    steps.push({ state, at: Date.parse(progress.remindedAt), by, version, what: 'remind' });
  }
  return steps;
}

/**
 * Whether what is known of a packet is what its division gives: of one by chance from the seed that was committed to when it was
 * posted. True for everything of which nothing can be said yet.
 * @param commit as first seen
 */
function areFair(view: CardView, news: CardView, commit: string | null): boolean {
  const { kind, plan, progress } = view;
  const count = plan?.count ?? 0;
  if (kind !== 'packet' || !plan?.packet || !progress || !isPlanSound(termsOf(view), nobody)) {
    return true;
  }
  let seed: Uint8Array = new Uint8Array();
  if (plan.packet === 'random') {
    const now = news.progress?.seedCommit;
    if (now && now !== commit) {
      return false;
    }
    if (!progress.seed) {
      return true;
    }
    seed = fromBase64(progress.seed);
    if (seed.length !== packetSeedBytes || !commit || !equalBytes(commitToSeed(seed), fromBase64(commit))) {
      return false;
    }
  }
  const shares = dividePacket(plan.packet, BigInt(view.amountMinor), count, seed);
  return (progress.parts ?? []).every((part) => shares[part.place] === BigInt(part.amountMinor));
}
