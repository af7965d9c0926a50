import type { Catalogue } from '../../i18n/en';
import type { Asset, StatementEntry } from '../../state/contract';
import { formatMoney } from '../lib/money';

/** What a movement was, naming the other person. */
export function entryText(entry: StatementEntry, t: Catalogue): string {
  const words = t.wallet.kind;
  const name = entry.counterparty?.displayName ?? words.somebody;
  switch (entry.kind) {
    case 'funding':
      return words.funding;
    case 'hold':
      return entry.isForAll ? t.book.heldForAll : words.hold(name);
    case 'release':
      return entry.isForAll ? t.book.backFromAll : words.release(name);
    case 'expire':
      return entry.isForAll ? t.book.backFromAll : words.expire(name);
    case 'refund':
      return entry.postedMinor > 0n ? words.refundReceived(name) : words.refundSent(name);
    case 'capture':
      return entry.postedMinor > 0n ? words.received(name) : words.capture(name);
    // A kind that is newer than this page still moved money one way or the other.
    default:
      return entry.postedMinor > 0n ? words.received(name) : words.sent(name);
  }
}

/** What it did to the wallet: the balance after it, or where that did not change, what became of the money. */
export function entryEffect(entry: StatementEntry, asset: Asset, t: Catalogue, locale: string): string {
  if (entry.postedMinor !== 0n) {
    return t.wallet.balanceAfter(formatMoney(entry.balanceAfterMinor, asset, locale));
  }
  return entry.heldMinor > 0n ? t.book.holdStep : t.book.backStep;
}
