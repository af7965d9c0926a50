import { expect, it } from 'vitest';
import type { Event } from '../protocol/wire';
import { pair } from './testing/people';
import { until } from './testing/testDevice';

/** Two that go on in turn for so long do for ever. */
const mostLooks = 20;

it('Two who apply to one log and come to the same leaf look at its keys once', async () => {
  const { server, id, ann, bob } = await pair();
  const { sync, log, core } = ann.engine.services;
  const pushed = sync.pushed.bind(sync);
  // What the server pushes is handed over below, to two at once.
  sync.pushed = () => undefined;
  const { groups, core: bobs } = bob.engine.services;
  await bobs.lane.run(id, () => groups.commit(id, () => ({ adds: [], removeLeaves: [] })));
  const { cursor } = core.conversation(id);
  const events = (server.conversations.get(id)?.events ?? []).filter((event) => event.seq > cursor) as [Event];
  expect(events.map((event) => event.kind)).toEqual(['commit']);

  // As a stranger's of the own account, which no record says was looked at: only whoever applies knows that it has.
  let looks = 0;
  log.hooks.unknownKeys = (leaves) => leaves.slice(0, 1);
  log.hooks.lookAtKeys = async () => {
    const mine = ++looks;
    if (looks > mostLooks) {
      throw new Error('they keep each other looking');
    }
    // The other one comes to the same leaf meanwhile, if it is let.
    for (let turn = 0; turn < 50 && looks === mine; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  };
  pushed(events);
  pushed(events);
  await until(() => core.conversation(id).cursor === events[0].seq || looks > mostLooks, 'it is applied');
  await ann.settled();
  expect(looks).toBe(1);
  expect(core.conversation(id).cursor).toBe(events[0].seq);
});
