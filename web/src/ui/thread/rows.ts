import type { ThreadItem } from '../../state/contract';
import { sameDay } from '../lib/time';

/** An item with what its neighbours decide: separators before it, and its place in a run of one person's items. */
export type Row = { item: ThreadItem; newDay: boolean; unread: boolean; first: boolean; last: boolean };

const runMs = 5 * 60_000;

function joins(a: ThreadItem | undefined, b: ThreadItem | undefined, unreadKey: string | null): boolean {
  if (!a || !b || a.type === 'notice' || b.type === 'notice' || b.key === unreadKey) {
    return false;
  }
  return a.sender.id === b.sender.id && b.at - a.at < runMs && sameDay(a.at, b.at);
}

export function buildRows(items: ThreadItem[], unreadKey: string | null): Row[] {
  return items.map((item, i) => {
    const before = items[i - 1];
    return {
      item,
      newDay: !before || !sameDay(before.at, item.at),
      unread: item.key === unreadKey,
      first: !joins(before, item, unreadKey),
      last: !joins(item, items[i + 1], unreadKey),
    };
  });
}

/** The part of the items that is in the document: `shown` of them, ending at `endKey` or at the newest. */
export function windowOf(items: ThreadItem[], shown: number, endKey: string | null): { start: number; end: number } {
  const at = endKey === null ? -1 : items.findIndex((item) => item.key === endKey);
  const end = at < 0 ? items.length : at + 1;
  return { start: Math.max(0, end - shown), end };
}
