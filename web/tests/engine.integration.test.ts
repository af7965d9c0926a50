import 'fake-indexeddb/auto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { vaultOverview } from '../src/engine/keys/vaultTold';
import { TestDevice, until, type Way } from '../src/engine/testing/testDevice';
import { hubAt } from '../src/net/hub';
import { RestApi } from '../src/net/rest';
import { RealServer } from './server';

let server: RealServer;
const devices: TestDevice[] = [];
let names = 0;

beforeAll(async () => {
  server = await RealServer.start();
});

afterEach(() => {
  for (const device of devices.splice(0)) {
    device.stop();
  }
});

afterAll(async () => {
  await server?.stop();
});

function way(): Way {
  const api = new RestApi({ baseUrl: server.url, session: 'token' });
  return { api, openHub: hubAt(`${server.url}/hub`, () => api.token) };
}

/** Handles are taken once per server. */
async function person(name: string): Promise<TestDevice> {
  const device = await TestDevice.signUp(`${name}_${names++}`, way());
  devices.push(device);
  return device;
}

async function another(device: TestDevice): Promise<TestDevice> {
  const second = await TestDevice.signIn(device.handle, way(), device);
  devices.push(second);
  return second;
}

async function pair(): Promise<{ ann: TestDevice; bob: TestDevice; id: string }> {
  const [ann, bob] = await Promise.all([person('ann'), person('bob')]);
  const id = await ann.startDirect(bob);
  await ann.send(id, 'first');
  await bob.sees(id, 'first');
  return { ann, bob, id };
}

const epochOf = async (device: TestDevice, id: string) => (await device.engine.services.core.group(id))?.epoch;

describe('on the real server', () => {
  it('two people talk both ways, with receipts', async () => {
    const { ann, bob, id } = await pair();
    await bob.send(id, 'second');
    await ann.sees(id, 'second');
    expect(await ann.texts(id)).toEqual(['first', 'second']);
    await bob.engine.services.receipts.markRead(id);
    await until(
      async () => (await ann.items(id)).some((item) => item.type === 'message' && item.send === 'read'),
      'ann sees that it was read',
    );
    expect(await bob.startDirect(ann)).toBe(id);
  });
});

describe('a wait for the PIN to go', () => {
  it('is begun without the keys at the real realms, told of at once, and ended with them', async () => {
    const ann = await person('ann');
    const { keys } = ann.engine.services;
    await keys.pins.set('480279', () => undefined);
    const phone = await TestDevice.waiting(ann.handle, way());
    devices.push(phone);
    const { pins } = phone.engine.services.keys;
    const day = 24 * 3_600_000;
    expect(await pins.waits.begin()).toBeGreaterThan(2 * day);
    expect(await pins.waits.begin()).toBeLessThanOrEqual(3 * day);
    await until(() => keys.alarms.list.some(({ kind }) => kind === 'pinWait'), 'the first device is alarmed');
    const { wait } = await vaultOverview(keys.core.api);
    expect(wait?.device).toBe(phone.engine.services.core.device.device);
    await keys.pins.waits.cancel();
    expect((await vaultOverview(keys.core.api)).wait).toBeNull();
    expect(keys.alarms.list.filter(({ kind }) => kind === 'pinWait')).toHaveLength(1);
    expect((await keys.pins.guesses.look()).guessesLeft).toBe(10);
  });
});

describe('two commits for the same epoch at once', () => {
  it('one wins, the other recovers, everyone still decrypts', async () => {
    const [ann, bob] = await Promise.all([person('ann'), person('bob')]);
    const others = await Promise.all(['carol', 'dave', 'erin', 'frank'].map(person));
    const id = await ann.createGroup('Race', bob);
    await until(() => bob.screen.list[0]?.title === 'Race', 'bob is in');
    const people = await Promise.all(others.map((other) => ann.engine.findPerson(other.handle)));
    const add = (by: TestDevice, index: number) =>
      by.engine.services.chats.addMembers(id, people.slice(index, index + 1));
    await Promise.all([add(ann, 0), add(bob, 1), add(ann, 2), add(bob, 3)]);
    const all = [ann, bob, ...others];
    for (const sender of all) {
      await until(() => sender.screen.list[0]?.title === 'Race', `${sender.handle} is in and knows the name`);
      await sender.send(id, `from ${sender.handle}`);
    }
    for (const reader of all) {
      await reader.sees(id, ...all.map((sender) => `from ${sender.handle}`));
      expect(await reader.unreadable(id)).toEqual([]);
    }
    const epochs = await Promise.all(all.map((device) => epochOf(device, id)));
    expect(epochs).toEqual(all.map(() => 5));
  });

  it('bare commits by everybody at once all take their turn', async () => {
    const [ann, bob, carol] = await Promise.all([person('ann'), person('bob'), person('carol')]);
    const id = await ann.createGroup('Storm', bob, carol);
    const all = [ann, bob, carol];
    await until(() => all.every((device) => device.screen.list[0]?.title === 'Storm'), 'all are in');
    const commit = (device: TestDevice) => {
      const { core, groups } = device.engine.services;
      return core.lane.run(id, () => groups.commit(id, () => ({ adds: [], removeLeaves: [] })));
    };
    await Promise.all([...all, ...all].map(commit));
    for (const device of all) {
      await device.send(id, device.handle);
    }
    for (const device of all) {
      await device.sees(id, ...all.map((sender) => sender.handle));
      expect(await device.unreadable(id)).toEqual([]);
      expect(await epochOf(device, id)).toBe(7);
    }
  });
});

describe('devices on the real server', () => {
  it('join all conversations from outside, and learn the name', async () => {
    const { ann, bob, id } = await pair();
    const group = await ann.createGroup('Pair', bob);
    await until(() => bob.screen.list.some((entry) => entry.title === 'Pair'), 'bob is in');
    await bob.send(group, 'before');
    await ann.sees(group, 'before');
    const second = await another(ann);
    await until(() => second.screen.list.length === 2, 'it knows both conversations');
    await until(() => second.screen.list.some((entry) => entry.title === 'Pair'), 'it knows the name');
    await bob.send(group, 'after');
    await Promise.all([second.sees(group, 'after'), ann.sees(group, 'after')]);
    expect(await second.texts(group)).toEqual(['after']);
    await second.send(id, 'from the second device');
    await Promise.all([ann.sees(id, 'from the second device'), bob.sees(id, 'from the second device')]);
    for (const device of [ann, bob, second]) {
      expect(await device.unreadable(group)).toEqual([]);
      expect(await device.unreadable(id)).toEqual([]);
    }
  });

  it('are cut off and removed once revoked', async () => {
    const { ann, bob, id } = await pair();
    const second = await another(ann);
    await until(() => second.screen.list.length === 1, 'it is in');
    await second.send(id, 'here');
    await bob.sees(id, 'here');
    const revoked = second.engine.services.core.device.device;
    await ann.engine.options.api.revokeDevice(revoked);
    await until(() => second.screen.phases.at(-1) === 'revoked', 'it knows');
    expect(await second.engine.services.core.db.device()).toBeNull();
    await bob.send(id, 'without it');
    await ann.sees(id, 'without it');
    await until(
      async () => (await bob.engine.services.chats.fingerprints(id, ann.account)).length === 1,
      'its leaf is gone',
    );
    await until(
      () => bob.engine.services.core.conversation(id).pendingRemovals.length === 0,
      'nothing is left to remove',
    );
    expect(await ann.unreadable(id)).toEqual([]);
  });

  it('sign out, and sign in again as a new device', async () => {
    const { ann, bob, id } = await pair();
    await ann.engine.signOut();
    expect(ann.screen.phases.at(-1)).toBe('signedOut');
    expect(ann.screen.list).toEqual([]);
    await ann.engine.signIn({ handle: ann.handle, password: 'correct horse battery' });
    // It was the only one, and there is no PIN: the account begins anew, which bob has to accept.
    await until(() => ann.screen.keys?.standing === 'waiting', 'it waits for keys that nobody has');
    await ann.engine.services.keys.own.reset();
    await ann.online();
    const { people } = bob.engine.services.keys;
    await until(() => people.isChanged(ann.account), 'bob notices');
    await people.accept(ann.account, false);
    await until(() => ann.screen.list.length === 1, 'the conversation is there');
    await bob.send(id, 'welcome back');
    await ann.sees(id, 'welcome back');
    expect(await ann.texts(id)).toEqual(['welcome back']);
  });
});

describe('members on the real server', () => {
  it('come, go, are renamed and take roles', async () => {
    const [ann, bob, carol] = await Promise.all([person('ann'), person('bob'), person('carol')]);
    const id = await ann.createGroup('Lunch', bob, carol);
    await until(() => carol.screen.list[0]?.title === 'Lunch', 'carol is in');
    await bob.engine.services.chats.rename(id, 'Dinner');
    await until(() => carol.screen.list[0]?.title === 'Dinner', 'carol knows the new name');
    await expect(bob.engine.services.chats.removeMember(id, carol.account)).rejects.toThrow('not_owner');
    await ann.engine.services.chats.setRole(id, bob.account, 'owner');
    await until(() => bob.conversation(id).myRole === 'owner', 'bob is an owner');
    await bob.engine.services.chats.removeMember(id, carol.account);
    await until(() => !carol.conversation(id).active, 'carol knows that she is out');
    await ann.send(id, 'just us');
    await bob.sees(id, 'just us');
    await ann.engine.services.chats.leave(id);
    expect(ann.conversation(id).active).toBe(false);
    await until(() => bob.conversation(id).members.length === 1, 'ann is gone');
    await bob.send(id, 'alone');
    await bob.sees(id, 'alone');
    expect(await bob.unreadable(id)).toEqual([]);
    expect(await carol.texts(id)).toEqual([]);
    // Added again, carol reads from then on.
    await bob.engine.services.chats.addMembers(id, [await bob.engine.findPerson(carol.handle)]);
    await until(() => carol.conversation(id).active, 'carol is back');
    await bob.send(id, 'hello again');
    await carol.sees(id, 'hello again');
    expect(await carol.texts(id)).toEqual(['hello again']);
  });
});

describe('money on the real server', () => {
  const money = (device: TestDevice) => device.screen.money.balances.find((balance) => balance.asset.code === 'EUR');

  it('moves with the cards, on both sides', async () => {
    const { ann, bob, id } = await pair();
    await until(() => money(ann) !== undefined && money(bob) !== undefined, 'both wallets are known');
    const [before, bobBefore] = [money(ann)?.balanceMinor ?? 0n, money(bob)?.balanceMinor ?? 0n];
    await ann.engine.postCard({
      conversation: id,
      kind: 'transfer',
      other: bob.account,
      amountMinor: 1234n,
      asset: 'EUR',
      memo: 'Pizza',
    });
    await until(() => money(ann)?.heldMinor === 1234n, 'the money is held');
    const cardOf = async (device: TestDevice) => (await device.items(id)).find((item) => item.type === 'card')?.card;
    await until(async () => (await cardOf(bob)) !== undefined, 'bob has the card');
    const card = await cardOf(bob);
    expect(card).toMatchObject({ memo: 'Pizza', state: 'held', mismatch: false, actions: ['accept', 'decline'] });
    await bob.engine.actOnCard(card?.id ?? '', 'accept');
    await until(async () => (await cardOf(ann))?.state === 'accepted', 'ann sees that it was accepted');
    await until(() => money(ann)?.balanceMinor === before - 1234n && money(ann)?.heldMinor === 0n, 'ann paid');
    await until(() => money(bob)?.balanceMinor === bobBefore + 1234n, 'bob was paid');
    await expect(ann.engine.actOnCard(card?.id ?? '', 'cancel')).rejects.toThrow('card_terminal');
    await bob.engine.postCard({
      conversation: id,
      kind: 'request',
      other: ann.account,
      amountMinor: 500n,
      asset: 'EUR',
      memo: '',
    });
    const request = async () =>
      (await ann.items(id))
        .map((item) => (item.type === 'card' ? item.card : null))
        .find((found) => found?.kind === 'request');
    await until(async () => (await request()) !== undefined, 'ann is asked');
    await ann.engine.actOnCard((await request())?.id ?? '', 'pay');
    await until(() => money(ann)?.balanceMinor === before - 1734n, 'ann paid again');
    await ann.engine.services.wallet.loadMore('EUR');
    expect(ann.screen.statements.get('EUR')?.entries.length).toBeGreaterThan(2);
  });

  it('is not spent beyond what is there', async () => {
    const { ann, bob, id } = await pair();
    const card = { conversation: id, kind: 'transfer' as const, other: bob.account, asset: 'EUR', memo: '' };
    await expect(ann.engine.postCard({ ...card, amountMinor: 10n ** 12n })).rejects.toThrow('insufficient_funds');
    await ann.send(id, 'no money, then');
    await bob.sees(id, 'no money, then');
    expect((await bob.items(id)).filter((item) => item.type === 'card')).toEqual([]);
  });
});

describe('a server that dies', () => {
  it('comes back with everything, and everybody goes on', async () => {
    const { ann, bob, id } = await pair();
    for (let i = 0; i < 10; i++) {
      await ann.send(id, `before ${i}`);
    }
    await server.kill();
    await until(() => ann.screen.state !== 'online', 'ann notices');
    await ann.send(id, 'into the dark');
    await server.run();
    ann.engine.reconnectNow();
    bob.engine.reconnectNow();
    await bob.sees(id, 'into the dark');
    const expected = ['first', ...Array.from({ length: 10 }, (_, i) => `before ${i}`), 'into the dark'];
    expect(await bob.texts(id)).toEqual(expected);
    await ann.reload();
    expect(await ann.texts(id)).toEqual(expected);
    await bob.send(id, 'light');
    await ann.sees(id, 'light');
  });
});
