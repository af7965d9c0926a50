import { describe, expect, it } from 'vitest';
import type { VaultAttempt, VaultAttemptOutcome, VaultWait } from '../../protocol/wire';
import type { SeenWait } from '../../storage/records';
import { mergeAttempts } from './vaultAttempts';
import type { RealmTold } from './vaultTold';
import { withEnded, withWait } from './vaultWaits';

const time = (second: number) => new Date(Date.UTC(2026, 10, 28, 12, 0, second)).toISOString();
const attempt = (second: number, outcome: VaultAttemptOutcome, device = 'phone'): VaultAttempt => ({
  at: time(second),
  device,
  outcome,
});
const told = (realm: string, ...attempts: VaultAttempt[]): RealmTold => ({ realm, attempts, wait: null });
const merged = (...all: RealmTold[]) => mergeAttempts(all).map(({ device, outcome }) => [device, outcome]);

describe('what several realms tell of guesses', () => {
  it('is one guess where they tell of the same', () => {
    expect(
      merged(told('a', attempt(0, 'failed')), told('b', attempt(2, 'failed')), told('c', attempt(4, 'failed'))),
    ).toEqual([['phone', 'failed']]);
  });

  it('is in the list also where one of them hides it, or knows more than the others', () => {
    expect(merged(told('a'), told('b', attempt(0, 'failed')), told('c', attempt(1, 'failed')))).toHaveLength(1);
    expect(
      merged(
        told('a', attempt(200, 'failed'), attempt(0, 'failed', 'laptop')),
        told('b', attempt(400, 'succeeded'), attempt(200, 'failed')),
      ),
    ).toEqual([
      ['phone', 'succeeded'],
      ['phone', 'failed'],
      ['laptop', 'failed'],
    ]);
  });

  it('are as many as one realm tells of, however quickly they came', () => {
    const three = [20, 10, 0].map((second) => attempt(second, 'failed'));
    expect(
      merged(told('a', ...three), told('b', ...three.map(({ at }) => ({ ...attempt(0, 'failed'), at })))),
    ).toHaveLength(3);
    expect(merged(told('a', ...three.slice(1)), told('b', ...three))).toHaveLength(3);
  });

  it('succeeded where one says so, for nobody else gives a share away', () => {
    expect(merged(told('a', attempt(0, 'failed')), told('b', attempt(1, 'succeeded')))).toEqual([
      ['phone', 'succeeded'],
    ]);
    expect(merged(told('a', attempt(0, 'open')), told('b', attempt(1, 'failed')))).toEqual([['phone', 'failed']]);
  });

  it('of other devices, or a minute apart, are others', () => {
    expect(merged(told('a', attempt(0, 'failed')), told('b', attempt(0, 'failed', 'laptop')))).toHaveLength(2);
    expect(merged(told('a', attempt(0, 'failed')), told('b', attempt(60, 'failed')))).toHaveLength(2);
  });
});

describe('a wait', () => {
  const wait = (realm: string, id: string, second: number, device = 'phone'): VaultWait => ({
    realm,
    id,
    device,
    until: time(second),
    state: 'begun',
  });

  function hear(...all: VaultWait[]): { news: number; known: SeenWait[] } {
    let known: SeenWait[] = [];
    let news = 0;
    for (const one of all) {
      const found = withWait(known, one);
      known = found?.waits ?? known;
      news += found?.isNew ? 1 : 0;
    }
    return { news, known };
  }

  it('is one at all realms, however often they tell of it', () => {
    const all = [wait('a', '1', 0), wait('b', '2', 3), wait('c', '3', 5)];
    expect(hear(...all, ...all).news).toBe(1);
  });

  it('that is begun again within a minute is another one, and again one at all realms', () => {
    const first = [wait('a', '1', 0), wait('b', '2', 1), wait('c', '3', 2)];
    const second = [wait('a', '4', 20), wait('b', '5', 21), wait('c', '6', 22)];
    expect(hear(...first, ...second).news).toBe(2);
    expect(hear(...first, ...second, ...first, ...second).news).toBe(2);
  });

  it('that ended is another one than what begins elsewhere within the minute, and that is one again', () => {
    const { known } = hear(wait('a', '1', 0));
    expect(withEnded(known, [{ realm: 'b', id: null }])).toBeNull();
    expect(withEnded(known, [{ realm: 'a', id: '1' }])).toBeNull();
    const ended = withEnded(known, [{ realm: 'a', id: null }]) ?? [];
    const second = withWait(ended, wait('b', '2', 20));
    expect(second?.isNew).toBe(true);
    expect(withWait(second?.waits ?? [], wait('c', '3', 21))).toMatchObject({ isNew: false });
    expect(withEnded(ended, [{ realm: 'a', id: null }])).toBeNull();
  });

  it('of another device, or a minute later, is another one', () => {
    expect(hear(wait('a', '1', 0), wait('b', '2', 1, 'laptop')).news).toBe(2);
    expect(hear(wait('a', '1', 0), wait('b', '2', 60)).news).toBe(2);
  });

  it('that an earlier version has told of is not told of again', () => {
    const known: SeenWait[] = [{ device: 'phone', until: Date.parse(time(0)) }];
    expect(withWait(known, wait('a', '1', 3))).toMatchObject({ isNew: false });
  });

  it('takes up no more than its place', () => {
    const many = Array.from({ length: 200 }, (_, index) => wait('a', String(index), index));
    expect(hear(...many).known.length).toBeLessThanOrEqual(64);
  });
});
