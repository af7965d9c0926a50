import type { Catalogue } from '../../i18n/en';
import type { Card, CardAction, CardKind, CardState, ErrorInfo } from '../../state/contract';
import type { IconName } from '../kit/icons';

/** Who pays whom, as one phrase seen by `me`; the amount follows it. */
export function cardHeading(card: Card, me: string, t: Catalogue): string {
  const payer = card.payer.displayName;
  const payee = card.payee.displayName;
  if (card.kind === 'transfer') {
    if (card.payer.id === me) {
      return t.card.youSend(payee);
    }
    return card.payee.id === me ? t.card.sendsYou(payer) : t.card.sends(payer, payee);
  }
  if (card.payee.id === me) {
    return t.card.youAsk(payer);
  }
  return card.payer.id === me ? t.card.asksYou(payee) : t.card.asks(payee, payer);
}

/** Where the money is, in one sentence. */
export function cardExplanation(card: Card, me: string, t: Catalogue): string {
  const words = t.card.explain;
  switch (card.state) {
    case 'held':
      if (card.payer.id === me) {
        return words.heldPayer(card.payee.displayName);
      }
      return card.payee.id === me ? words.heldPayee : words.heldOther;
    case 'declined':
      return card.kind === 'request' ? words.declinedRequest : words.declined;
    default:
      return words[card.state];
  }
}

/** The sentence and the button of what one is about to do to a card of a kind. */
export function confirmWords(kind: CardKind, action: 'post' | CardAction, t: Catalogue) {
  const { sentence, does } = t.confirm;
  const sentences: Partial<Record<string, (amount: string, name: string, handle: string) => string>> = sentence[kind];
  const buttons: Partial<Record<string, (amount: string) => string>> = does[kind];
  return { sentence: sentences[action] ?? (() => ''), does: buttons[action] ?? (() => '') };
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
};

export type Tone = 'held' | 'open' | 'good' | 'over' | 'bad';

/** How a card is painted: waiting money, an open question, settled, over without money, or not to be trusted. */
export function toneOf(card: Card): Tone {
  if (card.mismatch) {
    return 'bad';
  }
  switch (card.state) {
    case 'held':
    case 'open':
      return card.state;
    case 'accepted':
    case 'paid':
      return 'good';
    default:
      return 'over';
  }
}
