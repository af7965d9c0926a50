import { describe, expect, it } from 'vitest';
import { FakeServer } from './testing/fakeServer';
import { keep, pair, person } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

describe('groups', () => {
  it('tell joiners their name, and let members come and go', async () => {
    const server = new FakeServer();
    const [ann, bob, carol] = await Promise.all([
      person(server, 'ann'),
      person(server, 'bob'),
      person(server, 'carol'),
    ]);
    const id = await ann.device.createGroup('Lunch', bob.device);
    await until(() => bob.device.screen.list[0]?.title === 'Lunch', 'bob knows the name');
    await ann.device.engine.services.chats.addMembers(id, [await ann.device.engine.findPerson('carol')]);
    await until(() => carol.device.screen.list[0]?.title === 'Lunch', 'carol knows the name');
    await bob.device.engine.services.chats.rename(id, 'Dinner');
    await until(() => carol.device.screen.list[0]?.title === 'Dinner', 'carol knows the new name');
    await carol.device.send(id, 'hello');
    await Promise.all([ann.device.sees(id, 'hello'), bob.device.sees(id, 'hello')]);
    await ann.device.engine.services.chats.removeMember(id, carol.device.account);
    await until(
      () => !bob.device.conversation(id).members.some((member) => member.handle === 'carol'),
      'carol is gone',
    );
    await ann.device.send(id, 'without carol');
    await bob.device.sees(id, 'without carol');
    await until(() => !carol.device.conversation(id).active, 'carol knows');
    expect(await carol.device.texts(id)).toEqual(['hello']);
    const notices = (await bob.device.items(id))
      .filter((item) => item.type === 'notice')
      .map((item) => item.notice.kind);
    expect(notices).toEqual(['created', 'added', 'renamed', 'removed']);
  });

  it('survive two commits for the same epoch: one wins, the other recovers, everyone still decrypts', async () => {
    const server = new FakeServer();
    const [ann, bob] = await Promise.all([person(server, 'ann'), person(server, 'bob')]);
    const others = await Promise.all(['carol', 'dave', 'erin', 'frank'].map((handle) => person(server, handle)));
    const id = await ann.device.createGroup('Race', bob.device);
    await until(() => bob.device.screen.list[0]?.title === 'Race', 'bob is in');
    const people = await Promise.all(others.map((other) => ann.device.engine.findPerson(other.device.handle)));
    const add = (by: TestDevice, index: number) =>
      by.engine.services.chats.addMembers(id, people.slice(index, index + 1));
    await Promise.all([add(ann.device, 0), add(bob.device, 1), add(ann.device, 2), add(bob.device, 3)]);
    const all = [ann, bob, ...others].map((entry) => entry.device);
    for (const sender of all) {
      await until(() => sender.screen.list.some((entry) => entry.id === id), `${sender.handle} is in`);
      await sender.send(id, `from ${sender.handle}`);
    }
    for (const reader of all) {
      await reader.sees(id, ...all.slice(2).map((sender) => `from ${sender.handle}`));
      expect(await reader.unreadable(id)).toEqual([]);
    }
    const epochs = await Promise.all(all.map(async (entry) => (await entry.engine.services.core.group(id))?.epoch));
    expect(new Set(epochs).size).toBe(1);
  });
});

describe('devices', () => {
  it('join by external commit, learn the group name, and read from then on', async () => {
    const { server, id, ann, bob } = await pair();
    const group = await ann.createGroup('Pair', bob);
    await until(() => bob.screen.list.some((entry) => entry.title === 'Pair'), 'bob is in');
    await bob.send(group, 'before');
    await ann.sees(group, 'before');
    const second = keep(await TestDevice.signIn('ann', server.client(), ann));
    await until(() => second.screen.list.length === 2, 'both conversations are there');
    await until(() => second.screen.list.some((entry) => entry.title === 'Pair'), 'the name is known');
    await bob.send(group, 'after');
    await Promise.all([second.sees(group, 'after'), ann.sees(group, 'after')]);
    expect(await second.texts(group)).toEqual(['after']);
    expect((await second.items(group)).map((item) => item.type === 'notice' && item.notice.kind)).toContain(
      'historyStartsHere',
    );
    await second.send(id, 'from my second device');
    await Promise.all([ann.sees(id, 'from my second device'), bob.sees(id, 'from my second device')]);
    const mine = (await ann.items(id)).find((item) => item.type === 'message' && item.text === 'from my second device');
    expect(mine).toMatchObject({ mine: true });
    await ann.reload();
    await ann.send(id, 'and the first');
    await second.sees(id, 'and the first');
  });

  it('of a member may all be gone, and an owner can still put that member out', async () => {
    const { server, ann, bob } = await pair();
    const group = await ann.createGroup('Pair', bob);
    await until(() => bob.screen.list.some((entry) => entry.title === 'Pair'), 'bob is in');
    const { account, device } = bob.engine.services.core.device;
    server.revoke(device);
    await until(() => bob.screen.phases.at(-1) === 'revoked', 'bob knows');
    await ann.send(group, 'bob has no device now');
    await until(() => ann.engine.services.core.conversation(group).pendingRemovals.length === 0, 'the leaf is removed');
    await ann.engine.services.chats.removeMember(group, account);
    await until(() => ann.conversation(group).members.length === 1, 'bob is out');
  });

  it('are removed from every group once revoked, and forget everything', async () => {
    const { server, id, ann, bob } = await pair();
    const second = keep(await TestDevice.signIn('ann', server.client(), ann));
    await until(() => second.screen.list.length === 1, 'the second device is in');
    await second.sees(id);
    await until(
      async () => (await bob.engine.services.chats.fingerprints(id, ann.account)).length === 2,
      'bob has both',
    );
    const revoked = second.engine.services.core.device.device;
    server.revoke(revoked);
    await until(() => second.screen.phases.at(-1) === 'revoked', 'it knows');
    expect(second.screen.phases.filter((phase) => phase === 'revoked')).toHaveLength(1);
    expect(await second.engine.services.core.db.device()).toBeNull();
    expect(await second.engine.services.core.db.conversations()).toEqual([]);
    await bob.send(id, 'only for the living');
    await ann.sees(id, 'only for the living');
    await until(
      async () => (await bob.engine.services.chats.fingerprints(id, ann.account)).length === 1,
      'its leaf is gone',
    );
    expect(await ann.unreadable(id)).toEqual([]);
  });

  it('get back in when the group cannot follow its log', async () => {
    const { id, ann, bob } = await pair();
    const { core } = bob.engine.services;
    const group = await core.group(id);
    await ann.engine.services.groups.commit(id, () => ({ adds: [], removeLeaves: [] }));
    await bob.settled();
    // The state of an earlier epoch, as after a database was copied back.
    await core.write([{ put: 'groups', value: group as NonNullable<typeof group> }]);
    await ann.engine.services.groups.commit(id, () => ({ adds: [], removeLeaves: [] }));
    await ann.send(id, 'are you there?');
    await until(
      async () => (await core.group(id))?.epoch === (await ann.engine.services.core.group(id))?.epoch,
      'bob is back',
    );
    await ann.send(id, 'now?');
    await bob.sees(id, 'now?');
    await bob.send(id, 'yes');
    await ann.sees(id, 'yes');
  });
});

describe('key packages', () => {
  it('let a device be added while it is away, more often than it has one-time packages', async () => {
    const { server, ann, bob, bobClient } = await pair();
    bobClient.up = false;
    bobClient.drop();
    const stock = bobClient.device?.packages.length ?? 0;
    expect(stock).toBeGreaterThan(0);
    const ids: string[] = [];
    for (let i = 0; i < stock + 2; i++) {
      const id = await ann.createGroup(`Group ${i}`, bob);
      await ann.send(id, `in ${i}`);
      ids.push(id);
    }
    expect(bobClient.device?.packages).toEqual([]);
    bobClient.up = true;
    for (const [i, id] of ids.entries()) {
      await bob.sees(id, `in ${i}`);
    }
    expect([...server.queues.values()].flat()).toEqual([]);
    // Only the last resort and the fresh stock are kept: the keys of used packages are gone.
    await until(() => (bobClient.device?.packages.length ?? 0) === 6, 'the stock is full again');
    const kept = await bob.engine.services.core.db.keyPackages();
    expect(kept.filter((entry) => entry.lastResort)).toHaveLength(1);
    expect(kept.filter((entry) => !entry.lastResort)).toHaveLength(6);
  });
});
