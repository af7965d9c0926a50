import type { Catalogue } from '../../i18n/en';
import type { Asset, StatementEntry } from '../../state/contract';
import { formatMoney, toDecimal } from '../lib/money';
import { fold } from '../lib/text';
import { entryText } from './words';

/** What of an entry is looked through: who, what, and how much, as it is shown and as it is typed. */
function textOf(entry: StatementEntry, asset: Asset, t: Catalogue, locale: string): string {
  const minor = entry.postedMinor !== 0n ? entry.postedMinor : entry.heldMinor;
  const amount = minor < 0n ? -minor : minor;
  const plain = toDecimal(amount, asset.exponent);
  const { handle = '', displayName = '' } = entry.counterparty ?? {};
  const words = [displayName, `@${handle}`, entryText(entry, t), formatMoney(amount, asset, locale), plain];
  return fold([...words, plain.replace('.', ',')].join('\n'));
}

/** Entries in which every word of a search stands. */
export function search(
  entries: StatementEntry[],
  query: string,
  asset: Asset,
  t: Catalogue,
  locale: string,
): StatementEntry[] {
  const needles = fold(query.trim()).split(/\s+/).filter(Boolean);
  return needles.length === 0
    ? entries
    : entries.filter((entry) => {
        const text = textOf(entry, asset, t, locale);
        return needles.every((needle) => text.includes(needle));
      });
}
