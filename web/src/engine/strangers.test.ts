import { describe, expect, it } from 'vitest';
import type { Candidate } from '../crypto/port';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair, person } from './testing/people';
import { bringIn, seedOf, spyOf } from './testing/strangers';
import { TestDevice, until } from './testing/testDevice';

const keysOf = (device: TestDevice) => device.engine.services.keys;
const alarmsOf = (device: TestDevice) =>
  keysOf(device).alarms.list.map(({ kind, account }) => [kind, account] as [string, string | null]);

type House = { server: FakeServer; ann: TestDevice; bob: TestDevice; carol: TestDevice; group: string };

/** Ann, bob and carol in a group, and carol has read ann's chain. */
async function house(): Promise<House> {
  const { server, ann, bob } = await pair();
  const { device: carol } = await person(server, 'carol');
  const group = await bob.createGroup('Garden', ann, carol);
  await bob.send(group, 'all three');
  await Promise.all([ann.sees(group, 'all three'), carol.sees(group, 'all three')]);
  await keysOf(carol).personKeys(ann.account);
  return { server, ann, bob, carol, group };
}

function putOut(device: TestDevice, id: string, spy: Candidate): Promise<void> {
  const { core, groups } = device.engine.services;
  return core.lane.run(id, () =>
    groups.commit(id, (group) => {
      const removeLeaves = group.leaves.filter((leaf) => leaf.device === spy.device).map((leaf) => leaf.leaf);
      return removeLeaves.length > 0 ? { adds: [], removeLeaves } : null;
    }),
  );
}

describe.each(['the key in force', 'a replaced key'])(
  'a device in somebody’s name that their chain has not, under %s',
  (which) => {
    async function withSpy() {
      const all = await house();
      const { ann, bob, carol, group } = all;
      const stolen = seedOf(ann);
      if (which === 'a replaced key') {
        await keysOf(ann).own.rotate();
        for (const one of [bob, carol]) {
          await until(() => keysOf(one).people.isChanged(ann.account), 'the new key is seen');
          await keysOf(one).people.accept(ann.account, false);
        }
      }
      await carol.send(group, 'all is well');
      await ann.sees(group, 'all is well');
      const spy = await spyOf(ann, stolen);
      return { ...all, spy };
    }

    it('is told of, and nothing is sent or paid beside it until it is gone and its person accepted', async () => {
      const { ann, bob, carol, group, spy } = await withSpy();
      await bringIn(bob, group, spy);
      for (const one of [bob, carol]) {
        await until(() => keysOf(one).people.isChanged(ann.account), 'it is seen');
        await until(() => alarmsOf(one).length > 0, 'it is told of');
        expect(alarmsOf(one)).toEqual([['identityUnlogged', ann.account]]);
        await expect(one.send(group, 'a secret')).rejects.toThrow('identity_changed');
        const card = { kind: 'transfer' as const, other: ann.account, amountMinor: 1n, asset: 'EUR', memo: '' };
        await expect(one.engine.postCard({ conversation: group, ...card })).rejects.toThrow('identity_changed');
        expect(await keysOf(one).personKeys(ann.account)).toMatchObject({ state: 'changed', isLogged: false });
      }
      // What others say stays readable, and opened again this device is as careful.
      await carol.reload();
      await carol.online();
      await expect(carol.send(group, 'a secret')).rejects.toThrow('identity_changed');
      await putOut(ann, group, spy);
      await ann.send(group, 'it is gone');
      await carol.sees(group, 'it is gone');
      await expect(carol.send(group, 'a secret')).rejects.toThrow('identity_changed');
      await keysOf(carol).people.accept(ann.account, false);
      expect(await keysOf(carol).personKeys(ann.account)).toMatchObject({ state: 'accepted', isLogged: true });
      await carol.send(group, 'good');
      await ann.sees(group, 'good');
    });

    it('is told nothing where its person was accepted, before it is gone', async () => {
      const { ann, bob, carol, group, spy } = await withSpy();
      const elsewhere = await carol.startDirect(ann);
      await bringIn(bob, group, spy);
      const shown = () => carol.conversation(group).members.find(({ id }) => id === ann.account);
      await until(() => shown()?.hasStranger === true, 'it is in the group');
      expect(shown()?.trust).toBe('changed');
      const request = { kind: 'request' as const, other: ann.account, amountMinor: 1n, asset: 'EUR', memo: '' };
      const card = { conversation: group, ...request };
      await keysOf(carol).people.accept(ann.account, false);
      await expect(carol.send(group, 'a secret')).rejects.toThrow('device_unlogged');
      await expect(carol.engine.postCard(card)).rejects.toThrow('device_unlogged');
      expect(shown()).toMatchObject({ trust: 'accepted', hasStranger: true });
      // It is in this conversation alone, and opened again this device is as careful there.
      await carol.send(elsewhere, 'over here');
      await ann.sees(elsewhere, 'over here');
      await carol.reload();
      await carol.online();
      await expect(carol.send(group, 'a secret')).rejects.toThrow('device_unlogged');
      await putOut(ann, group, spy);
      await ann.send(group, 'it is gone');
      await carol.sees(group, 'it is gone');
      await carol.send(group, 'good');
      await ann.sees(group, 'good');
      expect(await ann.texts(group)).not.toContain('a secret');
    });

    it('stops what its own account says beside it, and tells of it', async () => {
      const { server, ann, bob, group, spy } = await withSpy();
      await bringIn(bob, group, spy);
      await until(() => alarmsOf(ann).length > 0, 'ann is told');
      expect(alarmsOf(ann)).toEqual([['identityUnlogged', ann.account]]);
      await ann.settled();
      await expect(ann.send(group, 'a secret')).rejects.toThrow('own_device_unlogged');
      await ann.reload();
      await ann.online();
      await expect(ann.send(group, 'a secret')).rejects.toThrow('own_device_unlogged');
      // Another device of hers does not come in beside it, but once it is gone.
      const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
      await until(() => alarmsOf(phone).length > 0, 'the phone sees it');
      expect((await phone.engine.services.core.group(group))?.state ?? null).toBeNull();
      await putOut(ann, group, spy);
      await ann.send(group, 'it is gone');
      await until(async () => (await phone.engine.services.core.group(group))?.state != null, 'the phone comes in');
      await phone.send(group, 'from the phone');
      await ann.sees(group, 'from the phone');
    });

    it('is added by nobody', async () => {
      const { server, ann, carol, spy } = await withSpy();
      // The server hands out its key package among hers.
      server.devices.set(spy.device, {
        id: spy.device,
        account: ann.account,
        key: '',
        revoked: false,
        packages: [],
        lastResort: Buffer.from(spy.keyPackage).toString('base64'),
      });
      for (const one of [ann, carol]) {
        await expect(one.createGroup('With a spy', one === ann ? carol : ann)).rejects.toThrow('identity_changed');
        expect(alarmsOf(one)).toEqual([['identityUnlogged', ann.account]]);
      }
    });
  },
);

describe('a device that is let in by a Welcome beside a stranger', () => {
  it('knows of it before it says anything there', async () => {
    const { ann, bob, carol } = await house();
    const spy = await spyOf(ann, seedOf(ann));
    const other = await bob.createGroup('Shed', ann);
    await bringIn(bob, other, spy);
    await until(() => keysOf(bob).people.isChanged(ann.account), 'bob sees it');
    await keysOf(bob).people.accept(ann.account, false);
    const { core, groups } = bob.engine.services;
    const candidates = await groups.claim([carol.account]);
    await core.lane.run(other, () => groups.commit(other, () => ({ adds: candidates, removeLeaves: [] })));
    await until(async () => (await carol.engine.services.core.group(other))?.state != null, 'carol is in');
    expect(keysOf(carol).people.isChanged(ann.account)).toBe(true);
    expect(alarmsOf(carol)).toEqual([['identityUnlogged', ann.account]]);
    await expect(carol.send(other, 'a secret')).rejects.toThrow('identity_changed');
  });
});

describe('a device of somebody’s that their chain has by now', () => {
  it('is looked for in the log, and stops and alarms nobody', async () => {
    const { server, ann, carol, group } = await house();
    const changes: boolean[] = [];
    const { people } = keysOf(carol);
    const told = people.onChange;
    people.onChange = (account) => {
      changes.push(people.isChanged(account));
      told(account);
    };
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await until(async () => (await phone.engine.services.core.group(group))?.state != null, 'the phone is in');
    await phone.send(group, 'from the phone');
    await carol.sees(group, 'from the phone');
    await carol.send(group, 'welcome');
    await phone.sees(group, 'welcome');
    expect(changes).not.toContain(true);
    expect(alarmsOf(carol)).toEqual([]);
    expect(alarmsOf(ann)).toEqual([]);
  });

  it('stops what goes to them while the log cannot be read, and no longer', async () => {
    const { server, ann, bob } = await house();
    const { device: dora, client } = await person(server, 'dora');
    const group = await bob.createGroup('Roof', ann, dora);
    await bob.send(group, 'up here');
    await dora.sees(group, 'up here');
    await keysOf(dora).personKeys(ann.account);
    client.busy.add('keyChain');
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await until(async () => (await phone.engine.services.core.group(group))?.state != null, 'the phone is in');
    await phone.send(group, 'from the phone');
    await dora.sees(group, 'from the phone');
    await expect(dora.send(group, 'welcome')).rejects.toThrow('identity_changed');
    expect(alarmsOf(dora)).toEqual([]);
    client.busy.clear();
    keysOf(dora).people.checkDue();
    await until(() => !keysOf(dora).people.isChanged(ann.account), 'it is found');
    await dora.send(group, 'welcome');
    await phone.sees(group, 'welcome');
    expect(alarmsOf(dora)).toEqual([]);
  });
});
