import { describe, expect, it } from 'vitest';
import { FakeServer } from './testing/fakeServer';
import { keep, person } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

/** Hello shows two of them. */
const many = 7;

async function crowd() {
  const server = new FakeServer();
  const [ann, bob] = await Promise.all([person(server, 'ann'), person(server, 'bob')]);
  const ids: string[] = [];
  for (let i = 0; i < many; i++) {
    const id = await ann.device.createGroup(`group ${i}`, bob.device);
    await ann.device.send(id, `first of ${i}`);
    await bob.device.sees(id, `first of ${i}`);
    ids.push(id);
  }
  await Promise.all([ann.device.settled(), bob.device.settled()]);
  server.viewsPerHello = 2;
  return { server, ann, bob, ids };
}

describe('somebody in more conversations than hello shows', () => {
  it('comes into all of them on a new device, also where other devices have read', async () => {
    const { server, ann, bob, ids } = await crowd();
    for (const id of ids) {
      await bob.device.engine.services.receipts.markRead(id);
    }
    await bob.device.settled();
    const client = server.client();
    const phone = keep(await TestDevice.signIn('bob', client, bob.device));
    await until(() => phone.screen.list.length === many, 'all of them are there');
    for (const [i, id] of ids.entries()) {
      await ann.device.send(id, `second of ${i}`);
      await phone.sees(id, `second of ${i}`);
    }
    expect(client.calls.filter((call) => call === 'hello')).toHaveLength(1);
  });

  it('learns after an absence what was said, and that there are more and fewer, in each', async () => {
    const { ann, bob, ids } = await crowd();
    bob.client.up = false;
    bob.client.drop();
    for (const [i, id] of ids.entries()) {
      await ann.device.send(id, `meanwhile in ${i}`);
    }
    const late = await ann.device.createGroup('late', bob.device);
    await ann.device.send(late, 'you are in');
    const lost = ids[3] as string;
    await ann.client.api.removeMember(lost, bob.device.account);
    await ann.device.settled();

    bob.client.up = true;
    bob.device.engine.reconnectNow();
    for (const [i, id] of ids.entries()) {
      if (id !== lost) {
        await bob.device.sees(id, `first of ${i}`, `meanwhile in ${i}`);
      }
    }
    await bob.device.sees(late, 'you are in');
    await until(() => !bob.device.engine.services.core.conversation(lost).active, 'it has left the one');
  });

  it('asks again for what was only named where the first answer was lost', async () => {
    const { ann, bob, ids } = await crowd();
    bob.client.up = false;
    bob.client.drop();
    for (const [i, id] of ids.entries()) {
      await ann.device.send(id, `meanwhile in ${i}`);
    }
    bob.client.loseOnly = 'sync';
    bob.client.loseReplies = 1;
    bob.client.up = true;
    bob.device.engine.reconnectNow();
    for (const [i, id] of ids.entries()) {
      await bob.device.sees(id, `first of ${i}`, `meanwhile in ${i}`);
    }
  });
});
