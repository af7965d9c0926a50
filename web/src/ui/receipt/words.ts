import type { Catalogue } from '../../i18n/en';
import { fromHex, toBase64 } from '../../protocol/bytes';
import type { Card, MoneyReceipt, Person, ReceiptFacts, ReceiptStep } from '../../state/contract';
import type { IconName } from '../kit/icons';

export const verdictIcons: Record<MoneyReceipt['verdict'], IconName> = {
  sealed: 'checks',
  signed: 'check',
  wrong: 'alert',
};

export const stepIcons: Record<ReceiptStep['state'], IconName> = {
  holds: 'check',
  broken: 'alert',
  waiting: 'hourglass',
  unknown: 'info',
};

/** A person on paper: by name and handle, by id where nothing else is known. */
export function nameOnPaper({ id, handle, displayName }: Person): string {
  return displayName === '' ? id : `${displayName} (@${handle})`;
}

export function sentence(facts: ReceiptFacts, t: Catalogue): string {
  const [payer, payee] = [facts.payer, facts.payee].map(({ id, displayName }) => displayName || id.slice(-8));
  return (facts.isRefund ? t.receipt.gaveBack : t.receipt.paid)(payer ?? '', payee ?? '');
}

/** SHA-256 of what was signed, as an address carries it. */
export function digestInAddress(digest: string): string {
  return toBase64(fromHex(digest)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/** Where a receipt is, with what lets the screen compare itself with the page that the address was printed on. */
export function addressOf({ transfer, digest }: MoneyReceipt): string {
  return `${location.origin}${location.pathname}#/receipt/${transfer}?sha256=${digestInAddress(digest)}`;
}

/** Whether money of the card has moved to or from this person, so that there is a receipt. */
export function hasReceipt(card: Card, me: string): boolean {
  const isMine = card.payer.id === me || card.payee.id === me;
  switch (card.kind) {
    case 'transfer':
      return isMine && card.state === 'accepted';
    case 'request':
      return isMine && card.state === 'paid';
    case 'split':
      return card.split?.mine?.state === 'paid' || (card.author.id === me && (card.split?.paidMinor ?? 0n) > 0n);
    case 'packet':
      return Boolean(card.packet?.mine) || (card.author.id === me && (card.packet?.taken ?? 0) > 0);
    default:
      return isMine && (card.mandate?.drawnMinor ?? 0n) > 0n;
  }
}
