import { describe, expect, it } from 'vitest';
import { type BillRow, divideBill, isAskable } from './bill';

const row = (id: string, fields: Partial<BillRow> = {}): BillRow => ({
  id,
  isMe: id === 'me',
  isChosen: true,
  weight: 1,
  text: '',
  ...fields,
});

describe('a bill', () => {
  it('is divided equally to the last cent, the first ones taking what does not divide', () => {
    const bill = divideBill('equally', 10_000n, [row('me'), row('bob'), row('cai')], 2, '.');
    expect(bill.amounts).toEqual([3334n, 3333n, 3333n]);
    expect(bill).toMatchObject({ leftMinor: 0n, askedMinor: 6666n, ownMinor: 3334n });
    expect(isAskable(bill)).toBe(true);
  });

  it('passes over who takes no part, also the one who asks', () => {
    const rows = [row('me', { isChosen: false }), row('bob'), row('cai', { isChosen: false }), row('dan')];
    const bill = divideBill('equally', 1001n, rows, 2, '.');
    expect(bill.amounts).toEqual([0n, 501n, 0n, 500n]);
    expect(bill.ownMinor).toBe(0n);
    expect(isAskable(bill)).toBe(true);
  });

  it('is divided by shares', () => {
    const rows = [row('me', { weight: 2 }), row('bob', { weight: 3 }), row('cai', { weight: 2 })];
    expect(divideBill('shares', 1000n, rows, 2, '.').amounts).toEqual([286n, 428n, 286n]);
    const none = divideBill('shares', 1000n, [row('me', { weight: 0 }), row('bob', { weight: 0 })], 2, '.');
    expect(none.leftMinor).toBe(1000n);
    expect(isAskable(none)).toBe(false);
  });

  it('is divided by amounts, and says what is left or too much', () => {
    const rows = (own: string) => [row('me', { text: own }), row('bob', { text: '12,50' })];
    expect(divideBill('amounts', 2000n, rows('5'), 2, ',').leftMinor).toBe(250n);
    expect(divideBill('amounts', 2000n, rows('9,99'), 2, ',').leftMinor).toBe(-249n);
    const exact = divideBill('amounts', 2000n, rows('7,50'), 2, ',');
    expect(exact).toMatchObject({ leftMinor: 0n, askedMinor: 1250n, ownMinor: 750n });
    expect(isAskable(exact)).toBe(true);
  });

  it.each([
    ['nobody else takes part', [row('me'), row('bob', { isChosen: false })]],
    ['somebody would pay nothing', [row('me', { text: '20' }), row('bob', { text: '' })]],
  ])('cannot be asked for while %s', (_, rows) => {
    expect(isAskable(divideBill('amounts', 2000n, rows as BillRow[], 2, '.'))).toBe(false);
    expect(isAskable(divideBill('equally', 1n, [row('me'), row('bob')], 2, '.'))).toBe(false);
  });
});
