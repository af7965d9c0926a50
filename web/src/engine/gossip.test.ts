import { afterEach, expect, it, vi } from 'vitest';
import type { UnprovenNotesRecord } from '../storage/records';
import { pair } from './testing/people';
import { keysOf } from './testing/pins';
import { type TestDevice, until } from './testing/testDevice';

const dayMs = 24 * 3600_000;

afterEach(() => {
  vi.useRealTimers();
});

async function kept(device: TestDevice) {
  const record = await keysOf(device).core.db.keys<UnprovenNotesRecord>('unproven');
  return record?.notes ?? [];
}

const alarmsOf = (device: TestDevice) => keysOf(device).alarms.list.map(({ kind }) => kind);

/** Bob has seen more of the log than ann, and the server does not tell ann how the two go together. */
async function unanswered() {
  const { id, server, ann, bob, annClient } = await pair();
  await ann.settled();
  server.keys.log.append(new Uint8Array(32));
  await keysOf(bob).personKeys(ann.account);
  const note = keysOf(bob).log.log?.note ?? '';
  // The log goes on, so that the two are never of one size.
  server.keys.log.append(new Uint8Array(32).fill(1));
  annClient.busy.add('keyConsistency');
  keysOf(bob).gossip.next = () => note;
  await bob.send(id, 'do you see what I see?');
  await ann.sees(id, 'do you see what I see?');
  await vi.waitUntil(async () => (await kept(ann)).length === 1, { timeout: 60_000 });
  return { ann, bob, annClient, note };
}

it('What the server does not answer for is kept, asked again, and raises an alarm after a day', async () => {
  const { ann, bob, note } = await unanswered();
  expect((await kept(ann))[0]).toMatchObject({ from: bob.account, note, tries: 1 });
  await ann.reload();
  await ann.online();
  await vi.waitUntil(async () => ((await kept(ann))[0]?.tries ?? 0) >= 2, { timeout: 60_000 });
  await keysOf(ann).gossip.tryAgain();
  expect(alarmsOf(ann)).toEqual([]);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + dayMs });
  await keysOf(ann).gossip.tryAgain();
  expect(alarmsOf(ann)).toEqual(['logUnproven']);
  const [alarm] = keysOf(ann).alarms.list;
  expect(alarm).toMatchObject({ account: bob.account, evidence: [keysOf(ann).log.log?.note, note] });
  expect(alarm?.evidence[0]).not.toBe(note);
  expect(await kept(ann)).toEqual([]);
});

it('Without a connection nothing was asked, so nothing is held against the server', async () => {
  const { ann, annClient } = await unanswered();
  annClient.up = false;
  annClient.drop();
  await until(() => ann.screen.state !== 'online', 'ann is offline');
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + dayMs });
  for (let look = 0; look < 4; look++) {
    await keysOf(ann).gossip.tryAgain();
  }
  expect(await kept(ann)).toMatchObject([{ tries: 1 }]);
  expect(alarmsOf(ann)).toEqual([]);
});

it('What the server answers for in the end is forgotten without an alarm', async () => {
  const { ann, annClient } = await unanswered();
  // A day alone is no reason, where it was not asked.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + dayMs });
  await keysOf(ann).gossip.tryAgain();
  expect(await kept(ann)).toHaveLength(1);
  annClient.busy.clear();
  await keysOf(ann).gossip.tryAgain();
  expect(await kept(ann)).toEqual([]);
  expect(alarmsOf(ann)).toEqual([]);
});

it('Of each person one note is kept, of few people, and none of another log', async () => {
  const { ann, bob, note } = await unanswered();
  const { gossip, core, log } = keysOf(ann);
  const strangers = Array.from({ length: 10 }, (_, n) => `0198a000-0000-7000-8000-0000000000${10 + n}`);
  for (const from of [bob.account, ...strangers]) {
    gossip.heard(from, note);
    await core.queue.run('keys/gossip', async () => undefined);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const notes = await kept(ann);
  expect(notes.map(({ from }) => from).sort()).toEqual([bob.account, ...strangers.slice(0, 7)].sort());
  await core.write([{ put: 'keys', id: 'unproven', value: { verifierKey: `another ${log.log?.verifierKey}`, notes } }]);
  await gossip.tryAgain();
  expect(alarmsOf(ann)).toEqual([]);
});
