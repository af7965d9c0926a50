import type { Catalogue } from '../../i18n/en';
import type { StatementEntry } from '../../state/contract';

/** What a movement was, naming the other person. */
export function entryText(entry: StatementEntry, t: Catalogue): string {
  const words = t.wallet.kind;
  const name = entry.counterparty?.displayName ?? words.somebody;
  switch (entry.kind) {
    case 'funding':
      return words.funding;
    case 'hold':
      return words.hold(name);
    case 'release':
      return words.release(name);
    case 'expire':
      return words.expire(name);
    case 'refund':
      return entry.postedMinor > 0n ? words.refundReceived(name) : words.refundSent(name);
    case 'capture':
      return entry.postedMinor > 0n ? words.received(name) : words.capture(name);
    // A kind that is newer than this page still moved money one way or the other.
    default:
      return entry.postedMinor > 0n ? words.received(name) : words.sent(name);
  }
}
