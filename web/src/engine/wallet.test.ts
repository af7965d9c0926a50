import { beforeEach, describe, expect, it } from 'vitest';
import { nobody } from '../protocol/cardTerms';
import type * as wire from '../protocol/wire';
import { everyEntry, statementKey } from '../state/contract';
import { FakeServer } from './testing/fakeServer';
import { person } from './testing/people';
import { type TestDevice, until } from './testing/testDevice';

const chen = { id: '0190a000-0000-7000-8000-0000000000c0', handle: 'chen', displayName: 'Chen' };
const dora = { id: '0190a000-0000-7000-8000-0000000000d0', handle: 'dora', displayName: 'Dora' };

let server: FakeServer;
let ann: TestDevice;

function entry(version: number, from: typeof chen, minor = '100'): wire.StatementEntry {
  return {
    version,
    transfer: `0190a000-0000-7000-8000-${version.toString(16).padStart(12, '0')}`,
    kind: 'capture',
    postedMinor: minor,
    heldMinor: '0',
    balanceAfterMinor: '0',
    heldAfterMinor: '0',
    counterparty: from,
    at: new Date(1_799_000_000_000 + version * 1000).toISOString(),
  };
}

/** Every tenth from dora. */
const many = (count: number) =>
  Array.from({ length: count }, (_, index) => entry(count - index, (count - index) % 10 === 0 ? dora : chen));

const withDora = { ...everyEntry, with: dora.id };
const shown = (filter = everyEntry) => ann.screen.statements.get(statementKey('EUR', filter));
const versions = (filter = everyEntry) => shown(filter)?.entries.map(({ version }) => version);

beforeEach(async () => {
  server = new FakeServer();
  ann = (await person(server, 'ann')).device;
});

describe('A filtered statement', () => {
  it('asks the server for exactly that, and stands beside the whole one', async () => {
    server.book.entries = many(60);
    const { wallet } = ann.engine.services;
    await wallet.loadMore('EUR');
    await wallet.loadMore('EUR', { with: dora.id, side: 'in', from: 0, to: 1_800_000_000_000 });
    expect(server.book.asked.at(-1)).toEqual({
      with: dora.id,
      side: 'in',
      from: '1970-01-01T00:00:00.000Z',
      to: '2027-01-15T08:00:00.000Z',
    });
    expect(versions()).toHaveLength(50);
    const filter = { with: dora.id, side: 'in' as const, from: 0, to: 1_800_000_000_000 };
    expect(versions(filter)).toEqual([60, 50, 40, 30, 20, 10]);
    expect(shown(filter)?.hasMore).toBe(false);
  });

  it('goes on through pages that have nothing, a few at a time', async () => {
    server.book.entries = many(60);
    server.book.looksThrough = 6;
    const { wallet } = ann.engine.services;
    await wallet.loadMore('EUR', withDora);
    expect(versions(withDora)).toEqual([60]);
    await wallet.loadMore('EUR', withDora);
    expect(versions(withDora)).toEqual([60, 50]);
    const zoe = { ...everyEntry, with: ann.account };
    const before = server.book.asked.length;
    await wallet.loadMore('EUR', zoe);
    expect(server.book.asked.length - before).toBe(4);
    expect(shown(zoe)).toMatchObject({ entries: [], hasMore: true, loading: false });
  });

  it('takes in what is booked while somebody looks, without losing what was loaded before', async () => {
    server.book.entries = many(120);
    server.book.looksThrough = 30;
    const { wallet } = ann.engine.services;
    await wallet.loadMore('EUR', withDora);
    await wallet.loadMore('EUR', withDora);
    expect(versions(withDora)).toEqual([120, 110, 100, 90, 80, 70]);
    server.book.entries = [entry(121, dora), ...server.book.entries];
    wallet.take([{ asset: 'EUR', exponent: 2, balanceMinor: '1', heldMinor: '0' }]);
    await until(async () => versions(withDora)?.[0] === 121, 'the new entry is shown');
    await until(async () => shown(withDora)?.loading === false, 'it has settled');
    expect(versions(withDora)).toEqual([121, 120, 110, 100, 90, 80, 70]);
    await wallet.loadMore('EUR', withDora);
    expect(versions(withDora)?.slice(-3)).toEqual([60, 50, 40]);
  });

  it('is forgotten once others were looked at', async () => {
    server.book.entries = many(20);
    const { wallet } = ann.engine.services;
    const filters = (['in', 'out', 'held'] as const).map((side) => ({ ...everyEntry, side }));
    for (const filter of [everyEntry, ...filters]) {
      await wallet.loadMore('EUR', filter);
    }
    expect([...ann.screen.statements.keys()]).toEqual([
      'EUR',
      ...filters.slice(1).map((one) => statementKey('EUR', one)),
    ]);
  });
});

it('Whom money on hold is for, or that it is for everybody, is told by the card', async () => {
  const { core, wallet } = ann.engine.services;
  const view = { id: dora.id, kind: 'transfer', payee: dora.id, conversation: chen.id } as wire.CardView;
  core.learn(dora);
  core.cards.set(dora.id, { id: dora.id, view, memo: null, mismatch: false, timeline: [] });
  const packet = { ...view, id: chen.id, kind: 'packet' as const, payee: nobody };
  core.cards.set(chen.id, { id: chen.id, view: packet, memo: null, mismatch: false, timeline: [] });
  const { counterparty: _, ...held } = { ...entry(2, chen, '0'), kind: 'hold', heldMinor: '100' };
  server.book.entries = [
    { ...held, card: dora.id },
    { ...held, version: 1, card: chen.id },
  ];
  await wallet.loadMore('EUR');
  expect(shown()?.entries[0]).toMatchObject({ counterparty: { displayName: 'Dora' } });
  expect(shown()?.entries[1]).toMatchObject({ counterparty: null, isForAll: true });
});

describe('The rest of a wallet', () => {
  it('is told in the client’s own terms', async () => {
    const { walletBook } = ann.engine.services;
    server.book.activity = {
      asset: 'EUR',
      exponent: 2,
      from: null,
      people: [{ person: dora, inMinor: '500', outMinor: '0', count: 5, lastAt: '2026-11-29T10:00:00Z' }],
      months: [{ month: '2026-11', inMinor: '500', outMinor: '250' }],
    };
    const activity = await walletBook.activity('EUR');
    expect(activity.people).toMatchObject([{ person: { displayName: 'Dora' }, inMinor: 500n, count: 5 }]);
    expect(activity.months).toEqual([
      { from: Date.UTC(2026, 10), to: Date.UTC(2026, 11), inMinor: 500n, outMinor: 250n },
    ]);
    expect((await walletBook.limits()).amountMaxMinor).toBe(1_000_000_000_000_000n);
  });

  it('has what returns next first', async () => {
    const hold = (returnsAt: string): wire.WalletHold => ({
      card: dora.id,
      kind: 'transfer',
      conversation: chen.id,
      payee: dora,
      asset: 'EUR',
      amountMinor: '250',
      returnsAt,
    });
    server.book.holds = [hold('2026-12-02T10:00:00Z'), hold('2026-12-01T10:00:00Z')];
    const holds = await ann.engine.services.walletBook.holds();
    expect(holds.map(({ returnsAt }) => returnsAt)).toEqual([
      Date.parse('2026-12-01T10:00:00Z'),
      Date.parse('2026-12-02T10:00:00Z'),
    ]);
    expect(holds[0]).toMatchObject({ asset: { code: 'EUR', exponent: 2 }, amountMinor: 250n, delivery: null });
  });
});
