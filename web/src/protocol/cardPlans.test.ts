import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { fromHex, toHex } from './bytes';
import { isPlanSound } from './cardPlans';
import { type CardTerms, detailCommit, encodeTerms, nobody } from './cardTerms';
import { leftToDraw, periodEnd, periodStart } from './mandatePeriods';
import { commitToSeed, dividePacket } from './packetShares';
import { divideByShares, divideEqually } from './splitDivision';
import type { CardPlan, MandatePeriod, PacketMode } from './wire';

/** Made by ChatPay.Core, so that both sides come to the same. */
const fixture = JSON.parse(
  readFileSync(new URL('../../../ChatPay.Tests/Fixtures/card-plans.json', import.meta.url), 'utf8'),
) as {
  cards: {
    name: string;
    terms: Omit<CardTerms, 'amountMinor'> & { amountMinor: string };
    salt: string;
    memo: string;
    encodedTerms: string;
    detailCommit: string;
  }[];
  packets: {
    mode: PacketMode;
    totalMinor: string;
    count: number;
    seed: string;
    seedCommit: string;
    shares: string[];
  }[];
  divisions: { totalMinor: string; weights: number[]; parts: string[]; equally: string[] }[];
  periods: { begun: string; period: MandatePeriod; now: string; start: string; end: string }[];
};

const termsOf = (name: string): CardTerms => {
  const found = fixture.cards.find((card) => card.name.includes(name));
  if (!found) {
    throw new Error(`no card ${name}`);
  }
  return { ...found.terms, amountMinor: BigInt(found.terms.amountMinor) };
};

describe('plans of cards', () => {
  test('There is one of every kind that has some', () => {
    expect(fixture.cards.length).toBeGreaterThanOrEqual(7);
  });

  it.each(fixture.cards)('encode and are committed to as on the server: $name', async (card) => {
    const terms = { ...card.terms, amountMinor: BigInt(card.terms.amountMinor) };
    expect(toHex(encodeTerms(terms))).toBe(card.encodedTerms);
    expect(toHex(await detailCommit(terms, fromHex(card.salt), card.memo))).toBe(card.detailCommit);
    expect(isPlanSound(terms, nobody)).toBe(true);
  });

  const split = termsOf('a split');
  const [first, second] = split.plan?.shares ?? [];
  const changed = (plan: CardPlan | null, terms: Partial<CardTerms> = {}) => ({ ...split, ...terms, plan });

  it.each<[string, CardTerms]>([
    ['a split without a plan', changed(null)],
    ['a split of nobody', changed({ shares: [], ownMinor: '0' })],
    ['a split that does not say what its author bears', changed({ shares: split.plan?.shares ?? [] })],
    ['shares that are not the sum', changed(split.plan ?? null, { amountMinor: 1n })],
    ['a person twice', changed({ shares: [first, first] as never, ownMinor: '0' }, { amountMinor: 6668n })],
    ['the author asked', changed({ shares: [{ account: split.payee, amountMinor: '6667' }], ownMinor: '0' })],
    [
      'a share of nothing',
      changed({
        shares: [
          { ...first, amountMinor: '6667' },
          { ...second, amountMinor: '0' },
        ] as never,
        ownMinor: '0',
      }),
    ],
    ['a share that is no number', changed({ shares: [{ ...first, amountMinor: '6667.0' }] as never, ownMinor: '0' })],
    ['a split with a payer', changed(split.plan ?? null, { payer: first?.account ?? '' })],
    ['a split that has a packet too', changed({ ...split.plan, packet: 'fixed', count: 2 })],
    ['a request with a plan', { ...termsOf('at once'), kind: 'request' }],
    ['a transfer with a period', { ...termsOf('at once'), plan: { period: 'day' } }],
    ['a delivery that nobody knows', { ...termsOf('at once'), plan: { delivery: 'toString' as never } }],
    ['a packet of no shares', { ...termsOf('fixed shares'), plan: { packet: 'fixed', count: 0 } }],
    ['a packet of too many', { ...termsOf('by chance'), plan: { packet: 'random', count: 1001 } }],
    ['less than one unit each', { ...termsOf('fixed shares'), amountMinor: 2n }],
    [
      'several shares for one person',
      { ...termsOf('for one person'), amountMinor: 2n, plan: { packet: 'fixed', count: 2 } },
    ],
    ['a mandate without a period', { ...termsOf('a mandate'), plan: null }],
  ])('are not sound: %s', (_, terms) => {
    expect(isPlanSound(terms, nobody)).toBe(false);
  });
});

describe('the shares of a packet', () => {
  it.each(fixture.packets)('are those of the server: $mode, $totalMinor in $count', (packet) => {
    const seed = fromHex(packet.seed);
    expect(toHex(commitToSeed(seed))).toBe(packet.seedCommit);
    expect(dividePacket(packet.mode, BigInt(packet.totalMinor), packet.count, seed).map(String)).toEqual(packet.shares);
  });

  it('are at least one unit each and together the total, whatever the seed', () => {
    for (let byte = 0; byte < 256; byte++) {
      const seed = new Uint8Array(32).fill(byte);
      const count = 1 + (byte % 17);
      const total = BigInt(count + byte * 3);
      const shares = dividePacket('random', total, count, seed);
      expect(shares).toHaveLength(count);
      expect(shares.every((share) => share >= 1n)).toBe(true);
      expect(shares.reduce((sum, share) => sum + share, 0n)).toBe(total);
    }
  });

  it('cannot be less than one unit', () => {
    expect(() => dividePacket('random', 3n, 4, new Uint8Array(32))).toThrow(RangeError);
  });
});

describe('a divided sum', () => {
  it.each(fixture.divisions)('is that of the server: $totalMinor by $weights', ({ totalMinor, weights, ...made }) => {
    const total = BigInt(totalMinor);
    expect(divideByShares(total, weights).map(String)).toEqual(made.parts);
    expect(divideEqually(total, weights.length).map(String)).toEqual(made.equally);
  });

  it('is not made by shares of nothing', () => {
    expect(() => divideByShares(100n, [0, 0])).toThrow(RangeError);
    expect(() => divideByShares(100n, [2, -1])).toThrow(RangeError);
  });
});

describe('the periods of a mandate', () => {
  it.each(fixture.periods)(
    'are those of the server: $period from $begun at $now',
    ({ begun, period, now, ...made }) => {
      const start = periodStart(Date.parse(begun), period, Date.parse(now));
      expect(new Date(start).toISOString()).toBe(made.start);
      expect(new Date(periodEnd(Date.parse(begun), period, start)).toISOString()).toBe(made.end);
    },
  );

  it('begin with all of the maximum', () => {
    const createdAt = Date.parse('2026-05-04T12:00:00Z');
    const day = 24 * 3_600_000;
    const mandate = { period: 'day' as const, periodStart: createdAt, periodMinor: 300n };
    const card = { createdAt, amountMinor: 1000n };
    expect(leftToDraw(card, mandate, createdAt + 5)).toBe(700n);
    expect(leftToDraw(card, mandate, createdAt + day - 1)).toBe(700n);
    expect(leftToDraw(card, mandate, createdAt + day)).toBe(1000n);
  });
});
