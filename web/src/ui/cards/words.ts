import type { Catalogue } from '../../i18n/en';
import type {
  Asset,
  Card,
  CardAction,
  CardDelivery,
  CardKind,
  CardState,
  CardStep,
  ErrorInfo,
  MandatePeriod,
  Person,
} from '../../state/contract';
import type { IconName } from '../kit/icons';
import { formatMoney } from '../lib/money';

/** Who pays whom, as one phrase seen by `me`; the amount follows it. */
export function cardHeading(card: Card, me: string, t: Catalogue): string {
  const payer = card.payer.displayName;
  const payee = card.payee.displayName;
  const author = card.author.displayName;
  const isMine = card.author.id === me;
  if (card.hidden) {
    return t.kinds.hidden.title;
  }
  switch (card.kind) {
    case 'transfer':
      if (card.payer.id === me) {
        return t.card.youSend(payee);
      }
      return card.payee.id === me ? t.card.sendsYou(payer) : t.card.sends(payer, payee);
    case 'request':
      if (card.payee.id === me) {
        return t.card.youAsk(payer);
      }
      return card.payer.id === me ? t.card.asksYou(payee) : t.card.asks(payee, payer);
    case 'split': {
      const count = card.split?.parts.length ?? 0;
      if (isMine) {
        return t.kinds.split.youSplit(count);
      }
      return card.split?.mine ? t.kinds.split.asksYou(author) : t.kinds.split.splits(author, count);
    }
    case 'packet': {
      const words = t.kinds.packet;
      const isForOther = card.packet?.isForAll === false && card.payee.id !== me;
      if (isMine) {
        return isForOther ? words.yoursFor(payee) : words.yours;
      }
      return isForOther ? words.fromFor(author, payee) : words.from(author);
    }
    case 'mandate': {
      const words = t.kinds.mandate;
      if (card.payer.id === me) {
        return words.mayTake(payee);
      }
      return card.payee.id === me ? words.youMayTake(payer) : words.may(payee, payer);
    }
  }
}

/** What a card comes to for `me`: of a split that asks me, my share; of a packet that I opened, what I got. */
export function ownMinor(card: Card): bigint {
  return card.split?.mine?.amountMinor ?? card.packet?.mine?.amountMinor ?? card.amountMinor;
}

/** "a month" */
export function periodWord(period: MandatePeriod, t: Catalogue): string {
  const words = t.kinds.mandate;
  return { day: words.aDay, week: words.aWeek, month: words.aMonth }[period];
}

/** The state in the words of the card's kind. */
export function stateWord(card: Card, t: Catalogue): string {
  const { delivery, kind, state, hidden } = card;
  if (!hidden && kind === 'transfer' && delivery !== null) {
    if (state === 'held') {
      return t.kinds.delivery.heldState;
    }
    if (state === 'accepted') {
      return t.kinds.delivery.arrived;
    }
  }
  const own: Partial<Record<CardState, string>> =
    kind === 'split' || kind === 'packet' || kind === 'mandate' ? t.kinds[kind].state : {};
  return own[state] ?? t.card.state[state];
}

/** Where the money is, in one sentence. */
export function cardExplanation(card: Card, me: string, t: Catalogue): string {
  if (card.hidden) {
    return t.kinds.hidden.body;
  }
  switch (card.kind) {
    case 'split':
      return explainSplit(card, me, t.kinds.split);
    case 'packet':
      return explainPacket(card, me, t.kinds.packet);
    case 'mandate':
      return card.state !== 'active'
        ? t.kinds.mandate.explainOver
        : card.payee.id === me
          ? t.kinds.mandate.explainPayee
          : t.kinds.mandate.explainPayer;
    default:
      return explainTwo(card, me, t);
  }
}

function explainTwo(card: Card, me: string, t: Catalogue): string {
  const words = t.card.explain;
  const { state } = card;
  if (state === 'held') {
    const isPayer = card.payer.id === me;
    if (card.delivery === 'delayed') {
      return isPayer ? t.kinds.delivery.payer(card.payee.displayName) : t.kinds.delivery.payee;
    }
    if (isPayer) {
      return words.heldPayer(card.payee.displayName);
    }
    return card.payee.id === me ? words.heldPayee : words.heldOther;
  }
  if (state === 'declined') {
    return card.kind === 'request' ? words.declinedRequest : words.declined;
  }
  return state === 'exhausted' || state === 'active' || state === 'settled' ? '' : words[state];
}

function explainSplit({ state, split, author }: Card, me: string, words: Catalogue['kinds']['split']): string {
  switch (state) {
    case 'paid':
      return words.explainDone;
    case 'settled':
      return words.explainSettled;
    case 'cancelled':
      return words.explainStopped;
    case 'expired':
      return words.explainExpired;
    default:
      if (author.id === me) {
        return words.explainAuthor;
      }
      if (split?.mine?.state === 'open') {
        return words.explainAsked;
      }
      return split?.mine?.state === 'paid'
        ? words.explainPaid
        : split?.mine?.state === 'declined'
          ? words.explainDeclined
          : words.explainOther;
  }
}

function explainPacket(card: Card, me: string, words: Catalogue['kinds']['packet']): string {
  if (card.packet?.mine) {
    return words.explainMine;
  }
  if (card.state === 'exhausted') {
    return words.explainExhausted;
  }
  if (card.state === 'expired') {
    return words.explainExpired;
  }
  if (card.author.id === me) {
    return words.explainAuthor;
  }
  return card.packet?.isForAll || card.payee.id === me ? words.explainOpen : words.explainOther;
}

/** A line of a card's history. */
export function stepWord(card: Card, step: CardStep, t: Catalogue, locale: string): string {
  const words = t.kinds.steps;
  const amount = formatMoney(step.amountMinor ?? 0n, card.asset, locale);
  switch (step.what) {
    case 'refund':
      return words.refund(amount);
    case 'draw':
      return words.draw(amount);
    case 'remind':
      return words.remind;
    default:
      break;
  }
  const own: Partial<Record<string, string>> = {
    'split open': words.split,
    'split cancelled': words.stopped,
    'packet open': words.packet,
    'mandate cancelled': words.ended,
    'mandate declined': words.gaveUp,
    ...(card.delivery === 'atOnce' ? { 'transfer accepted': words.arrived } : {}),
    ...(card.delivery === 'delayed' ? { 'transfer held': words.delayed, 'transfer accepted': words.arrivedLater } : {}),
  };
  return own[`${card.kind} ${step.state}`] ?? t.card.event[step.state];
}

/** How a part of a split or packet stands. */
export function partWord(card: Card, state: CardState, t: Catalogue): string {
  const own: Partial<Record<CardState, string>> = t.kinds.split.part;
  return card.packet ? t.kinds.packet.took : (own[state] ?? t.card.state[state]);
}

/** What an action is called on a card of a kind. */
export function actionWord(kind: CardKind, action: CardAction, t: Catalogue): string {
  if (action === 'cancel' && kind === 'split') {
    return t.kinds.split.stop;
  }
  if (kind === 'mandate') {
    return action === 'cancel'
      ? t.kinds.mandate.end
      : action === 'decline'
        ? t.kinds.mandate.giveUp
        : t.card.action[action];
  }
  return t.card.action[action];
}

/** What the question says before a card is closed without money going to anybody. */
export function closingWords(card: Card, action: CardAction, t: Catalogue, locale: string) {
  const { kinds, card: words } = t;
  const name = card.author.displayName;
  if (card.kind === 'split' && action === 'cancel') {
    return { title: kinds.split.stopTitle, body: kinds.split.stopBody };
  }
  if (card.kind === 'mandate') {
    return action === 'cancel'
      ? { title: kinds.mandate.endTitle, body: kinds.mandate.endBody(card.payee.displayName) }
      : { title: kinds.mandate.giveUpTitle, body: kinds.mandate.giveUpBody };
  }
  const held = card.state === 'held';
  if (action === 'cancel') {
    const amount = formatMoney(card.amountMinor, card.asset, locale);
    return { title: words.confirmCancelTitle, body: held ? words.confirmCancelHeld(amount) : words.confirmCancelOpen };
  }
  return {
    title: words.confirmDeclineTitle,
    body: held ? words.confirmDeclineHeld(name) : words.confirmDeclineOpen(name),
  };
}

/** What one is about to do with money: all that the question before it names. */
export type Confirming = {
  kind: CardKind;
  action: 'post' | CardAction;
  delivery?: CardDelivery | null;
  conversation: string;
  /** Null where there is no single other side. */
  other: Person | null;
  asset: Asset;
  /** What moves, is asked for, or may move at most. */
  minor: bigint;
  memo: string | null;
  lifetimeMs: number;
  /** Of a split: whom it asks for how much. */
  asked?: { person: Person; amountMinor: bigint }[];
  ownMinor?: bigint;
  /** Of a packet: how many shares. */
  count?: number;
  period?: MandatePeriod;
};

/** The sentence and the button of what one is about to do. */
export function confirmWords(what: Confirming, t: Catalogue, locale: string): { sentence: string; does: string } {
  const { sentence, does } = t.confirm;
  const { kind, action, asked = [], count = 1, period = 'month' } = what;
  const amount = formatMoney(what.minor, what.asset, locale);
  const name = what.other?.displayName ?? '';
  const handle = what.other?.handle ?? '';
  switch (`${kind} ${action}`) {
    case 'transfer post':
      return { sentence: sentence.transfer.post(amount, name, handle), does: does.transfer.post(amount) };
    case 'request post':
      return { sentence: sentence.request.post(amount, name, handle), does: does.request.post(amount) };
    case 'request pay':
    case 'split pay':
      return { sentence: sentence.request.pay(amount, name, handle), does: does.request.pay(amount) };
    case 'split post':
      return { sentence: sentence.split(amount, asked.length), does: does.split.post(amount) };
    case 'packet post':
      return {
        sentence: what.other ? sentence.packetFor(amount, name, handle) : sentence.packetAll(amount, count),
        does: does.packet.post(amount),
      };
    case 'mandate post':
      return {
        sentence: sentence.mandate(amount, name, handle, periodWord(period, t)),
        does: does.mandate.post(amount),
      };
    case 'mandate draw':
      return { sentence: sentence.draw(amount, name, handle), does: does.mandate.draw(amount) };
    default:
      return { sentence: sentence.refund(amount, name, handle), does: does.refund(amount) };
  }
}

/** Nobody here knows whether a payment got through: sending it again could pay twice. */
export function outcomeUnknown(error: ErrorInfo | null): boolean {
  return error?.name === 'outcome_unknown' || error?.name === 'unexpected';
}

export const stateIcons: Record<CardState, IconName> = {
  held: 'clock',
  open: 'request',
  accepted: 'check',
  paid: 'checks',
  declined: 'cross',
  cancelled: 'undo',
  expired: 'hourglass',
  exhausted: 'checks',
  active: 'repeat',
  settled: 'check',
};

/** How each part of a split or packet stands. */
export const partIcons: Record<CardState, IconName> = { ...stateIcons, open: 'clock', paid: 'check' };

export const kindIcons: Record<CardKind, IconName> = {
  transfer: 'send',
  request: 'request',
  split: 'divide',
  packet: 'gift',
  mandate: 'repeat',
};

export type Tone = 'held' | 'open' | 'good' | 'over' | 'bad';

/** How a card is painted: waiting money, an open question, settled, over without money, or not to be trusted. */
export function toneOf(card: Card): Tone {
  if (card.mismatch || card.unfair) {
    return 'bad';
  }
  switch (card.state) {
    case 'held':
    case 'active':
      return 'held';
    case 'open':
      return card.kind === 'packet' && !card.hidden ? 'held' : 'open';
    case 'accepted':
    case 'paid':
    case 'exhausted':
    case 'settled':
      return 'good';
    default:
      return 'over';
  }
}
