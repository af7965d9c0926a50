import 'fake-indexeddb/auto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { uuidv7 } from '../protocol/ids';
import { FakeServer, flipped } from './testing/fakeServer';
import { TestDevice, until } from './testing/testDevice';

// Generous, because the machine may be busy with other tests; every wait inside has its own deadline.
vi.setConfig({ testTimeout: 60_000 });

const devices: TestDevice[] = [];

function keep(device: TestDevice): TestDevice {
  devices.push(device);
  return device;
}

async function person(server: FakeServer, handle: string) {
  const client = server.client();
  return { client, device: keep(await TestDevice.signUp(handle, client)) };
}

async function pair() {
  const server = new FakeServer();
  const [ann, bob] = await Promise.all([person(server, 'ann'), person(server, 'bob')]);
  const id = await ann.device.startDirect(bob.device);
  await ann.device.send(id, 'first');
  await bob.device.sees(id, 'first');
  return { server, id, ann: ann.device, bob: bob.device, annClient: ann.client, bobClient: bob.client };
}

afterEach(() => {
  for (const made of devices.splice(0)) {
    made.stop();
  }
});

const sendStates = async (device: TestDevice, id: string) =>
  (await device.items(id))
    .map((item) => (item.type === 'message' ? item.send : null))
    .filter((state) => state !== null);

describe('two people', () => {
  it('talk both ways, with receipts, unread counts and previews', async () => {
    const { id, ann, bob } = await pair();
    await bob.send(id, 'second');
    await ann.sees(id, 'first', 'second');
    expect(await ann.texts(id)).toEqual(['first', 'second']);
    expect(bob.conversation(id)).toMatchObject({ title: 'ANN', kind: 'direct', unread: 1 });
    await until(async () => (await sendStates(ann, id))[0] === 'delivered', 'it is delivered');
    await bob.engine.services.receipts.markRead(id);
    expect(bob.conversation(id).unread).toBe(0);
    await until(async () => (await sendStates(ann, id))[0] === 'read', 'it is read');
    expect(ann.conversation(id).preview).toMatchObject({ kind: 'text', text: 'second', mine: false });
  });

  it('open the same conversation when both start it', async () => {
    const { id, ann, bob } = await pair();
    expect(await bob.startDirect(ann)).toBe(id);
  });

  it('keep their history and their keys across reloads', async () => {
    const { id, ann, bob } = await pair();
    await ann.reload();
    expect(ann.conversation(id).preview?.text).toBe('first');
    expect(await ann.texts(id)).toEqual(['first']);
    await until(() => ann.screen.state === 'online', 'online again');
    await bob.reload();
    await ann.send(id, 'after');
    await bob.sees(id, 'after');
    await bob.send(id, 'indeed');
    await ann.sees(id, 'indeed');
  });

  it('find what was sent while they were away, in order and once', async () => {
    const { id, ann, bob, bobClient } = await pair();
    bobClient.up = false;
    bobClient.drop();
    const texts = Array.from({ length: 90 }, (_, i) => `away ${i}`);
    for (const text of texts) {
      await ann.send(id, text);
    }
    await until(
      async () => (await ann.texts(id)).length === 91 && (await sendStates(ann, id)).every((s) => s !== 'sending'),
      'all are sent',
      30_000,
    );
    bobClient.up = true;
    await bob.sees(id, 'away 89');
    expect(await bob.texts(id)).toEqual(['first', ...texts]);
    expect(bob.conversation(id).unread).toBe(91);
  });

  it('send what they wrote offline once they are back', async () => {
    const { id, ann, bob, annClient } = await pair();
    annClient.up = false;
    annClient.drop();
    await ann.send(id, 'one');
    await ann.send(id, 'two');
    expect((await sendStates(ann, id)).slice(1)).toEqual(['sending', 'sending']);
    await ann.reload();
    expect((await sendStates(ann, id)).slice(1)).toEqual(['sending', 'sending']);
    annClient.up = true;
    ann.engine.reconnectNow();
    await bob.sees(id, 'one', 'two');
    expect(await bob.texts(id)).toEqual(['first', 'one', 'two']);
  });
});

describe('a bad network', () => {
  it('loses answers, and nothing is doubled', async () => {
    const { id, ann, bob, annClient } = await pair();
    annClient.loseOnly = 'send';
    for (let i = 0; i < 4; i++) {
      annClient.loseReplies = 1;
      await ann.send(id, `lost ${i}`);
      await until(async () => (await ann.texts(id)).includes(`lost ${i}`), 'stored');
    }
    await bob.sees(id, 'lost 3');
    await until(async () => (await sendStates(ann, id)).every((state) => state === 'delivered'), 'all are delivered');
    expect(await bob.texts(id)).toEqual(['first', 'lost 0', 'lost 1', 'lost 2', 'lost 3']);
  });

  it('asks for the same answer with the same bytes', async () => {
    const { server, id, ann, annClient, bob } = await pair();
    // Without the log, which would tell first, only the repeated send can find out.
    annClient.busy.add('sync');
    annClient.pushes = () => false;
    annClient.loseOnly = 'send';
    annClient.loseReplies = 1;
    await ann.send(id, 'once');
    await until(
      async () => ['sent', 'delivered'].includes((await sendStates(ann, id)).at(-1) ?? ''),
      'the answer is there',
    );
    expect(annClient.calls.filter((call) => call === 'send')).toHaveLength(3);
    annClient.busy.clear();
    await bob.sees(id, 'once');
    expect(server.conversations.get(id)?.events).toHaveLength(3);
    await until(() => ann.engine.services.core.conversation(id).cursor === 3, 'ann has read the log at last');
  });

  it('drops and reorders pushes', async () => {
    const { id, ann, bob, bobClient } = await pair();
    let count = 0;
    bobClient.pushes = () => ++count % 3 === 0;
    for (let i = 0; i < 12; i++) {
      await ann.send(id, `m${i}`);
    }
    await bob.sees(id, 'm10');
    bobClient.pushes = () => true;
    await ann.send(id, 'last');
    await bob.sees(id, 'last');
    expect(await bob.texts(id)).toEqual(['first', ...Array.from({ length: 12 }, (_, i) => `m${i}`), 'last']);
    expect(await bob.unreadable(id)).toEqual([]);
  });

  it('shows a tampered message as unreadable, and reads on', async () => {
    const { server, id, ann, bob } = await pair();
    server.tamper = (event, device) =>
      event.kind === 'message' && event.body && device === bob.engine.services.core.device.device && event.seq === 3
        ? { ...event, body: flipped(event.body) }
        : event;
    await ann.send(id, 'tampered');
    await ann.send(id, 'intact');
    await bob.sees(id, 'intact');
    expect(await bob.unreadable(id)).toMatchObject([{ type: 'undecryptable', reason: 'failed', seq: 3 }]);
  });

  it('cannot put a message into another event', async () => {
    const { server, id, ann, bob } = await pair();
    // The client id is in the signed authenticated data.
    server.tamper = (event) => (event.kind === 'message' && event.seq === 3 ? { ...event, clientId: uuidv7() } : event);
    await ann.send(id, 'moved');
    await ann.send(id, 'intact');
    await bob.sees(id, 'intact');
    expect(await bob.unreadable(id)).toMatchObject([{ reason: 'failed', seq: 3 }]);
  });

  it('cannot put words into the mouth of somebody else', async () => {
    const { server, id, ann, bob } = await pair();
    const carol = await person(server, 'carol');
    const group = await ann.createGroup('Trio', bob, carol.device);
    await ann.send(group, 'to all');
    await carol.device.sees(group, 'to all');
    const { account, device } = carol.device.engine.services.core.device;
    server.tamper = (event, to) =>
      event.kind === 'message' && event.conversation === group && to === bob.engine.services.core.device.device
        ? { ...event, account, device }
        : event;
    await ann.send(group, 'not from carol');
    await until(async () => (await bob.unreadable(group)).length > 0, 'bob is warned');
    expect(await bob.unreadable(group)).toMatchObject([{ reason: 'senderMismatch' }]);
    expect(id).not.toBe(group);
  });
});

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
    const second = keep(await TestDevice.signIn('ann', server.client()));
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

  it('are removed from every group once revoked, and forget everything', async () => {
    const { server, id, ann, bob } = await pair();
    const second = keep(await TestDevice.signIn('ann', server.client()));
    await until(() => second.screen.list.length === 1, 'the second device is in');
    await second.sees(id);
    await until(
      async () => (await bob.engine.services.chats.fingerprints(id, ann.account)).length === 2,
      'bob has both',
    );
    const revoked = second.engine.services.core.device.device;
    server.revoke(revoked);
    await until(() => second.screen.phases.at(-1) === 'revoked', 'it knows');
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

describe('a restored server', () => {
  it('is read again without doubling what is known', async () => {
    const { server, id, ann, bob } = await pair();
    for (let i = 0; i < 5; i++) {
      await ann.send(id, `n${i}`);
    }
    await bob.sees(id, 'n4');
    await bob.send(id, 'mine');
    await ann.sees(id, 'mine');
    server.lineage = uuidv7();
    for (const connection of [...server.connections]) {
      connection.drop();
    }
    await until(() => ann.engine.services.core.device.lineage === server.lineage, 'ann knows');
    await until(() => bob.engine.services.core.device.lineage === server.lineage, 'bob knows');
    await ann.send(id, 'anew');
    await bob.sees(id, 'anew');
    const expected = ['first', 'n0', 'n1', 'n2', 'n3', 'n4', 'mine', 'anew'];
    expect(await bob.texts(id)).toEqual(expected);
    expect(await ann.texts(id)).toEqual(expected);
    expect(await bob.unreadable(id)).toEqual([]);
  });

  it('that lost the end of its log gets everybody together again', async () => {
    const { server, id, ann, bob, annClient, bobClient } = await pair();
    const conversation = server.conversations.get(id);
    const backup = structuredClone({ ...conversation });
    await ann.engine.services.groups.commit(id, () => ({ adds: [], removeLeaves: [] }));
    await ann.send(id, 'lost with the server');
    await bob.sees(id, 'lost with the server');
    annClient.up = false;
    bobClient.up = false;
    annClient.drop();
    bobClient.drop();
    server.conversations.set(id, backup as NonNullable<typeof conversation>);
    server.lineage = uuidv7();
    annClient.up = true;
    bobClient.up = true;
    await until(() => ann.screen.state === 'online' && bob.screen.state === 'online', 'both are back', 30_000);
    await bob.settled();
    await ann.settled();
    await ann.send(id, 'still here');
    await bob.sees(id, 'still here', 'first', 'lost with the server');
    await bob.send(id, 'me too');
    await ann.sees(id, 'me too');
  });
});

describe('cards', () => {
  const transfer = (id: string, other: TestDevice, memo = 'Pizza') => ({
    conversation: id,
    kind: 'transfer' as const,
    other: other.account,
    amountMinor: 1234n,
    asset: 'EUR',
    memo,
  });

  it('appear with their memo on both sides and change in place', async () => {
    const { id, ann, bob } = await pair();
    await ann.engine.postCard(transfer(id, bob));
    const cardOf = async (device: TestDevice) => (await device.items(id)).find((item) => item.type === 'card');
    await until(async () => (await cardOf(bob)) !== undefined, 'bob has the card');
    const seen = await cardOf(bob);
    expect(seen?.card).toMatchObject({
      memo: 'Pizza',
      amountMinor: 1234n,
      actions: ['accept', 'decline'],
      mismatch: false,
    });
    expect((await cardOf(ann))?.card).toMatchObject({ memo: 'Pizza', actions: ['cancel'], state: 'held' });
    await bob.engine.actOnCard(seen?.card.id ?? '', 'accept');
    expect((await cardOf(bob))?.card.state).toBe('accepted');
    await until(async () => (await cardOf(ann))?.card.state === 'accepted', 'ann knows');
    expect((await cardOf(ann))?.card.timeline.map((step) => step.state)).toEqual(['held', 'accepted']);
    expect((await cardOf(ann))?.key).toBe(seen?.key);
  });

  it('whose terms the server changed are not to be acted on', async () => {
    const { server, id, ann, bob } = await pair();
    server.tamper = (event, device) =>
      event.card && device === bob.engine.services.core.device.device
        ? { ...event, card: { ...event.card, amountMinor: '999999' } }
        : event;
    await ann.engine.postCard(transfer(id, bob));
    await until(async () => (await bob.unreadable(id)).length === 1, 'bob is warned');
    const [item] = await bob.unreadable(id);
    expect(item).toMatchObject({ type: 'card', card: { mismatch: true, actions: [] } });
    const card = item?.type === 'card' ? item.card.id : '';
    await expect(bob.engine.actOnCard(card, 'accept')).rejects.toThrow('card_mismatch');
  });

  it('are posted once when the answer is lost, and say that the outcome is not known', async () => {
    const { id, ann, bob, annClient } = await pair();
    annClient.onCall = (name) => {
      if (name === 'cardAct') {
        annClient.loseReplies = 1;
        annClient.onCall = () => undefined;
      }
    };
    await expect(ann.engine.postCard(transfer(id, bob))).rejects.toThrow('outcome_unknown');
    const cards = async (device: TestDevice) => (await device.items(id)).filter((item) => item.type === 'card');
    await until(async () => (await cards(bob)).length > 0 && (await cards(ann)).length > 0, 'both have it');
    await ann.send(id, 'there it is');
    await bob.sees(id, 'there it is');
    expect(await cards(bob)).toHaveLength(1);
    expect((await cards(ann))[0]?.card.memo).toBe('Pizza');
    expect(ann.engine.services.core.outbox.size).toBe(0);
  });

  it('are not posted some time later when there was no connection', async () => {
    const { id, ann, bob, annClient } = await pair();
    annClient.up = false;
    annClient.drop();
    await expect(ann.engine.postCard(transfer(id, bob))).rejects.toThrow('offline');
    expect(ann.engine.services.core.outbox.size).toBe(0);
  });
});
