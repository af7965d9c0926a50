import { describe, expect, it } from 'vitest';
import type { FakeConversation, FakeServer } from './testing/fakeServer';
import { pair } from './testing/people';
import { type TestDevice, until } from './testing/testDevice';

/** As the server after its sweeper: only the newest event is left, and what was sent before is forgotten. */
function forget(server: FakeServer, id: string): void {
  const conversation = server.conversations.get(id) as FakeConversation;
  conversation.firstSeq = conversation.events.length;
  conversation.acks.clear();
}

const notices = async (device: TestDevice, id: string) =>
  (await device.items(id)).flatMap((item) => (item.type === 'notice' ? [item.notice.kind] : []));

describe('a log whose beginning was removed while a device was away', () => {
  it('goes on where it begins now', async () => {
    const { server, id, ann, bob, bobClient } = await pair();
    bobClient.up = false;
    bobClient.drop();
    await ann.send(id, 'too early');
    await ann.send(id, 'in time');
    await ann.settled();
    forget(server, id);
    bobClient.up = true;
    await bob.sees(id, 'in time');
    await bob.send(id, 'here again');
    await ann.sees(id, 'here again');
    expect(await bob.texts(id)).toEqual(['first', 'in time', 'here again']);
    expect(await notices(bob, id)).toContain('removedMeanwhile');
    expect(bobClient.calls.filter((name) => name === 'groupInfo')).toEqual([]);
  });

  it('is joined anew where commits were in it', async () => {
    const { server, id, ann, bob, bobClient } = await pair();
    bobClient.up = false;
    bobClient.drop();
    await ann.engine.services.groups.commit(id, () => ({ adds: [], removeLeaves: [] }));
    await ann.engine.services.groups.commit(id, () => ({ adds: [], removeLeaves: [] }));
    await ann.send(id, 'in an epoch that bob never reached');
    await ann.settled();
    forget(server, id);
    bobClient.up = true;
    await until(() => bobClient.calls.includes('groupInfo'), 'bob joins anew');
    await bob.settled();
    await bob.send(id, 'here again');
    await ann.sees(id, 'here again');
    await ann.send(id, 'welcome back');
    await bob.sees(id, 'welcome back');
    expect(await bob.texts(id)).toEqual(['first', 'here again', 'welcome back']);
    expect(await notices(bob, id)).toContain('removedMeanwhile');
  });

  it('makes no message of what may have been in it and gone', async () => {
    const { server, id, ann, bob, bobClient } = await pair();
    bobClient.loseOnly = 'send';
    bobClient.loseReplies = 1;
    bobClient.onCall = (name) => {
      bobClient.up = name !== 'send';
    };
    await bob.send(id, 'once');
    await ann.sees(id, 'once');
    await ann.send(id, 'later');
    await ann.settled();
    forget(server, id);
    bobClient.onCall = () => undefined;
    bobClient.up = true;
    await bob.sees(id, 'later');
    await bob.settled();
    const mine = (await bob.items(id)).find((item) => item.type === 'message' && item.text === 'once');
    expect(mine?.type === 'message' && mine.error?.name).toBe('outcome_unknown');
    expect((await ann.texts(id)).filter((text) => text === 'once')).toEqual(['once']);
  });
});
