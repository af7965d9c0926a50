import { afterEach, expect, it, vi } from 'vitest';
import { FakeServer, fail } from './testing/fakeServer';
import { person } from './testing/people';
import { keysOf } from './testing/pins';
import type { TestDevice } from './testing/testDevice';

const dayMs = 24 * 3600_000;

afterEach(() => {
  vi.useRealTimers();
});

const alarmsOf = (device: TestDevice) => keysOf(device).alarms.list.map(({ kind, account }) => [kind, account]);

/** Ann talks with bob, and the server shows her nothing of his keys. */
async function withheld(how: 'empty' | 'unknown' | 'busy') {
  const server = new FakeServer();
  const [{ device: bob }, { device: ann }] = await Promise.all([person(server, 'bob'), person(server, 'ann')]);
  // His own device would tell of it as well.
  bob.stop();
  server.keys.tamper = (reply) => {
    if (reply.account !== bob.account) {
      return reply;
    }
    return how === 'empty'
      ? { ...reply, entries: [], length: 0 }
      : how === 'busy'
        ? fail(1007, 'overloaded')
        : fail(2014, 'account_unknown');
  };
  await ann.startDirect(bob);
  await vi.waitUntil(() => keysOf(ann).people.find(bob.account).seenKey !== null, { timeout: 60_000 });
  const tries = () => keysOf(ann).people.find(bob.account).withheld?.tries ?? 0;
  const look = async () => {
    const before = tries();
    keysOf(ann).people.checkDue();
    await vi.waitUntil(() => tries() !== before, { timeout: 60_000 });
  };
  const show = () => {
    server.keys.tamper = (reply) => reply;
  };
  return { server, ann, bob, look, tries, show };
}

it.each(['unknown', 'busy'] as const)(
  'A chain that is not shown at first contact (%s) is asked for again, and raises an alarm after a day',
  async (how) => {
    const { ann, bob, look, tries } = await withheld(how);
    while (tries() < 2) {
      await look();
    }
    await ann.reload();
    await ann.online();
    await vi.waitUntil(() => tries() >= 3, { timeout: 60_000 });
    expect(alarmsOf(ann)).toEqual([]);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + dayMs });
    await look();
    await vi.waitUntil(() => alarmsOf(ann).length > 0, { timeout: 60_000 });
    expect(alarmsOf(ann)).toEqual([['chainWithheld', bob.account]]);
    // It is told of once while it is kept, and counted anew.
    await look();
    expect(tries()).toBe(1);
    expect(alarmsOf(ann)).toHaveLength(1);
  },
);

it('A day alone is no reason, where it was hardly asked for', async () => {
  const { ann, look, tries } = await withheld('unknown');
  while (tries() < 1) {
    await look();
  }
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + dayMs });
  if (tries() === 1) {
    await look();
    expect(alarmsOf(ann)).toEqual([]);
  }
});

it('A chain that is shown in the end raises no alarm', async () => {
  const { ann, bob, look, tries, show } = await withheld('unknown');
  while (tries() < 3) {
    await look();
  }
  show();
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + dayMs });
  keysOf(ann).people.checkDue();
  await vi.waitUntil(() => keysOf(ann).people.chainOf(bob.account) !== null, { timeout: 60_000 });
  expect(keysOf(ann).people.find(bob.account).withheld).toBeNull();
  expect(alarmsOf(ann)).toEqual([]);
});

it('An empty chain behind a key that was seen raises an alarm at the first look', async () => {
  const { ann, bob } = await withheld('empty');
  keysOf(ann).people.checkDue();
  await vi.waitUntil(() => alarmsOf(ann).length > 0, { timeout: 60_000 });
  expect(alarmsOf(ann)).toEqual([['identityUnlogged', bob.account]]);
});
