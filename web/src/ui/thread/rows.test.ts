import { describe, expect, test } from 'vitest';
import type { Person, ThreadItem } from '../../state/contract';
import { buildRows, windowOf } from './rows';

const amina: Person = { id: 'a', handle: 'amina', displayName: 'Amina' };
const lea: Person = { id: 'l', handle: 'lea', displayName: 'Léa' };
const noon = new Date(2026, 4, 21, 12).getTime();

function message(key: string, minutes: number, sender: Person): ThreadItem {
  const at = noon + minutes * 60_000;
  return { type: 'message', key, at, mine: sender === lea, sender, text: key, send: null, error: null, seq: null };
}

function shape(items: ThreadItem[], unread: string | null = null): string[] {
  return buildRows(items, unread).map(
    (row) =>
      `${row.item.key}${row.newDay ? ' day' : ''}${row.unread ? ' unread' : ''}${row.first ? ' first' : ''}${row.last ? ' last' : ''}`,
  );
}

describe('The rows of a thread', () => {
  test('One person’s messages within five minutes form a run', () => {
    expect(
      shape([
        message('1', 0, amina),
        message('2', 2, amina),
        message('3', 4, amina),
        message('4', 5, lea),
        message('5', 20, lea),
      ]),
    ).toEqual(['1 day first', '2', '3 last', '4 first last', '5 first last']);
  });

  test('A new day and the unread separator break a run', () => {
    const minutesToMidnight = 12 * 60;
    expect(shape([message('1', minutesToMidnight - 1, amina), message('2', minutesToMidnight + 1, amina)])).toEqual([
      '1 day first last',
      '2 day first last',
    ]);
    expect(shape([message('1', 0, amina), message('2', 1, amina)], '2')).toEqual([
      '1 day first last',
      '2 unread first last',
    ]);
  });

  test('A notice belongs to nobody’s run', () => {
    const notice: ThreadItem = {
      type: 'notice',
      key: 'n',
      at: noon + 60_000,
      notice: { kind: 'historyStartsHere' },
      seq: null,
    };
    expect(shape([message('1', 0, amina), notice, message('2', 2, amina)])).toEqual([
      '1 day first last',
      'n first last',
      '2 first last',
    ]);
  });

  test('A long thread shows a window that follows its newest end, or stays at a key', () => {
    const items = Array.from({ length: 1000 }, (_, i) => message(`${i}`, i, amina));
    expect(windowOf(items, 100, null)).toEqual({ start: 900, end: 1000 });
    expect(windowOf(items, 100, '499')).toEqual({ start: 400, end: 500 });
    expect(windowOf(items, 100, 'gone')).toEqual({ start: 900, end: 1000 });
    expect(windowOf(items.slice(0, 20), 100, null)).toEqual({ start: 0, end: 20 });
  });
});
