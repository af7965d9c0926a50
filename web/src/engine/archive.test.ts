import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../protocol/bytes';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair, person } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

const pin = '480279';
const quiet = () => undefined;
const archiveOf = (device: TestDevice) => device.engine.services.archive;
const status = (device: TestDevice) => archiveOf(device).status;

/** Everything that waits is with the server. */
async function archived(device: TestDevice): Promise<void> {
  await until(() => status(device).state === 'on' && !status(device).isFilling, 'the history is queued');
  await device.settled();
  await archiveOf(device).flush();
  await until(async () => {
    const { db } = device.engine.services.core;
    return status(device).waiting === 0 && (await db.archive('pending')) === null;
  }, 'nothing waits');
}

async function restored(device: TestDevice): Promise<void> {
  await until(() => status(device).restore?.isDone === true, 'the history is back');
}

/** Two people with some history, of whom ann keeps an archive. */
async function house() {
  const made = await pair();
  const { id, ann, bob } = made;
  await bob.send(id, 'second');
  await ann.sees(id, 'second');
  await ann.engine.services.keys.pins.set(pin, quiet);
  await archiveOf(ann).turnOn();
  await archived(ann);
  return made;
}

/** Another browser of ann's, which gets in by the PIN. */
async function byPin(server: FakeServer) {
  const client = server.client();
  const device = keep(await TestDevice.waiting('ann', client));
  await device.engine.services.keys.pins.recover(pin, quiet);
  await device.online();
  return { device, client };
}

const chunksOf = (server: FakeServer, account: string) =>
  [...(server.archive.kept.get(account)?.streams.values() ?? [])].flat();

describe('an archive', () => {
  it('is off, and needs a PIN to be turned on', async () => {
    const { server, ann } = await pair();
    await until(() => status(ann).state === 'off', 'it is known to be off');
    await expect(archiveOf(ann).turnOn()).rejects.toThrow('archive_needs_pin');
    expect(server.archive.kept.size).toBe(0);
    server.archive.isOff = true;
    await archiveOf(ann).look();
    expect(ann.screen.keys?.archive.state).toBe('unavailable');
  });

  it('brings the history to a browser that only the PIN lets in, and contacts see no change', async () => {
    const { server, id, ann, bob } = await house();
    const group = await ann.createGroup('Garden', bob);
    await ann.send(group, 'dig');
    await bob.sees(group, 'dig');
    const card = { kind: 'transfer' as const, other: bob.account, amountMinor: 7n, asset: 'EUR', memo: 'seeds' };
    await ann.engine.postCard({ conversation: group, ...card });
    await bob.send(id, 'after it was on');
    await ann.sees(id, 'after it was on');
    await archived(ann);
    const before = ann.screen.keys?.identityKey;
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(id)).toEqual(['first', 'second', 'after it was on']);
    expect(await again.texts(group)).toEqual(['dig']);
    const shown = (await again.items(group)).find((item) => item.type === 'card');
    expect(shown?.type === 'card' && [shown.card.memo, shown.card.mismatch]).toEqual(['seeds', false]);
    expect(
      (await again.items(id)).some((item) => item.type === 'notice' && item.notice.kind === 'historyStartsHere'),
    ).toBe(false);
    expect(again.screen.keys?.identityKey).toBe(before);
    await bob.send(id, 'still there?');
    await again.sees(id, 'still there?');
    expect(again.conversation(id).preview?.text).toBe('still there?');
    expect(bob.engine.services.keys.people.isChanged(again.account)).toBe(false);
    // What was brought back is not archived once more by this device.
    await archived(again);
    expect(await again.texts(id)).toEqual(['first', 'second', 'after it was on', 'still there?']);
  });

  it('brings a conversation back that the account has left', async () => {
    const { server, ann, bob } = await house();
    const group = await ann.createGroup('Gone', bob);
    await ann.send(group, 'so long');
    await archived(ann);
    await ann.engine.services.chats.leave(group);
    await ann.settled();
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(group)).toEqual(['so long']);
    expect(again.conversation(group)).toMatchObject({ active: false, title: 'Gone' });
  });

  it('is followed by the other devices, each with a stream of its own', async () => {
    const { server, id, ann, bob } = await pair();
    await ann.engine.services.keys.pins.set(pin, quiet);
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await bob.send(id, 'to both');
    await phone.sees(id, 'to both');
    await archiveOf(ann).turnOn();
    await archived(ann);
    await archived(phone);
    expect(server.archive.kept.get(ann.account)?.streams.size).toBe(2);
    expect(phone.screen.keys?.archive).toMatchObject({ state: 'on', restore: null });
    // And off again.
    await archiveOf(phone).turnOff();
    await until(() => status(ann).state === 'off', 'ann follows');
    expect(ann.engine.services.keys.own.record.archiveKey).toBeNull();
    expect(server.archive.kept.size).toBe(0);
    await bob.send(id, 'not kept');
    await ann.sees(id, 'not kept');
    expect(await ann.engine.services.core.db.archiveQueued()).toBe(0);
    ann.stop();
    phone.stop();
    const { device: third } = await byPin(server);
    await third.settled();
    expect(await third.texts(id)).toEqual([]);
    expect(third.screen.keys?.archive).toMatchObject({ state: 'off', restore: null });
  });

  it('does not take what is not to be kept', async () => {
    const { server, id, ann, bob } = await pair();
    const kept = await ann.createGroup('Kept', bob);
    await ann.send(kept, 'kept');
    await bob.sees(kept, 'kept');
    const conversation = server.conversations.get(id);
    if (conversation) {
      conversation.retentionDays = 30;
    }
    await ann.engine.services.core.update(id, (record) => ({ ...record, retentionDays: undefined }));
    await ann.engine.services.keys.pins.set(pin, quiet);
    await archiveOf(ann).turnOn();
    await bob.send(id, 'gone in a month');
    await ann.sees(id, 'gone in a month');
    await bob.send(kept, 'for good');
    await ann.sees(kept, 'for good');
    // A member that says so keeps a message out, whatever it will come to mean.
    const { encrypt } = bob.engine.services.core.mls;
    bob.engine.services.core.mls.encrypt = (state, plaintext, data) => {
      const content = { ...JSON.parse(new TextDecoder().decode(plaintext)), expires: 60 };
      return encrypt.call(bob.engine.services.core.mls, state, new TextEncoder().encode(JSON.stringify(content)), data);
    };
    await bob.send(kept, 'burn after reading');
    await ann.sees(kept, 'burn after reading');
    await archived(ann);
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(kept)).toEqual(['kept', 'for good']);
    expect(await again.texts(id)).toEqual([]);
  });
});

describe('a stream', () => {
  it('whose answer is lost is sent again with the same bytes, also after a crash', async () => {
    const { server, id, ann, annClient, bob } = await house();
    annClient.loseOnly = 'storeArchiveChunk';
    annClient.loseReplies = 1;
    await bob.send(id, 'once');
    await ann.sees(id, 'once');
    await archiveOf(ann).flush();
    await until(() => annClient.loseReplies === 0, 'the answer is lost');
    const before = chunksOf(server, ann.account);
    await ann.reload();
    await ann.online();
    await archived(ann);
    expect(chunksOf(server, ann.account)).toEqual(before);
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(id)).toEqual(['first', 'second', 'once']);
  });

  it('of which a restored server has lost the end goes on where the server is', async () => {
    const { server, id, ann, bob } = await house();
    const { device } = ann.engine.services.core.device;
    await bob.send(id, 'lost with the server');
    await ann.sees(id, 'lost with the server');
    await archived(ann);
    const streams = server.archive.kept.get(ann.account)?.streams;
    streams?.set(device, (streams.get(device) ?? []).slice(0, -1));
    await bob.send(id, 'later');
    await ann.sees(id, 'later');
    await archived(ann);
    await archived(ann);
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(id)).toEqual(['first', 'second', 'lost with the server', 'later']);
    expect(status(again).restore?.damaged).toBe(0);
  });

  it('that was tampered with is told of, and stops there; another one is read all the same', async () => {
    const { server, id, ann, bob } = await house();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await restored(phone);
    for (const text of ['third', 'fourth']) {
      await bob.send(id, text);
      await ann.sees(id, text);
      await archived(ann);
    }
    await phone.sees(id, 'fourth');
    await archived(phone);
    const streams = server.archive.kept.get(ann.account)?.streams;
    const { device } = ann.engine.services.core.device;
    const stream = streams?.get(device) ?? [];
    const broken = fromBase64(stream[1] ?? '');
    broken[40] = (broken[40] ?? 0) ^ 1;
    streams?.set(device, [stream[0] ?? '', toBase64(broken), ...stream.slice(2)]);
    ann.stop();
    phone.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(again.screen.keys?.archive.restore).toMatchObject({ damaged: 1, isDone: true });
    expect(await again.texts(id)).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('longer than a page is brought back after an interruption, and history is queued in pieces', async () => {
    const { server, id, ann, bob } = await pair();
    const texts = Array.from({ length: 700 }, (_, i) => `message ${i}`);
    // As if they had been there for long: writing them one by one takes too long.
    const { core } = ann.engine.services;
    const first = (await core.db.itemsBefore(id, Number.MAX_SAFE_INTEGER, 10)).find(
      ({ body }) => body.type === 'message',
    );
    await core.write(
      texts.map((text, i) => ({
        put: 'items' as const,
        value: {
          ...(first as NonNullable<typeof first>),
          key: `${bob.engine.services.core.device.device}:${crypto.randomUUID()}`,
          seq: 1000 + i,
          order: 1000 + i,
          body: { type: 'message' as const, text, error: null },
        },
      })),
    );
    await ann.engine.services.keys.pins.set(pin, quiet);
    await archiveOf(ann).turnOn();
    await archived(ann);
    expect(chunksOf(server, ann.account).length).toBeGreaterThan(20);
    ann.stop();
    const client = server.client();
    const again = keep(await TestDevice.waiting('ann', client));
    await again.engine.services.keys.pins.recover(pin, quiet);
    await until(() => client.calls.includes('archiveChunks'), 'it has begun');
    client.drop();
    await again.reload();
    await again.online();
    await restored(again);
    expect(await again.texts(id)).toEqual(['first', ...texts]);
    expect(status(again).restore).toMatchObject({ damaged: 0 });
  });

  it('stops when the account has no room left, and says so', async () => {
    const { server, id, ann, bob } = await house();
    server.archive.maximumBytes = server.archive.view(ann.account).bytes;
    await bob.send(id, 'too much');
    await ann.sees(id, 'too much');
    await archiveOf(ann).flush();
    await until(() => ann.screen.keys?.archive.isFull === true, 'it is full');
    server.archive.maximumBytes += 1024 * 1024;
    await archiveOf(ann).look();
    await archived(ann);
    expect(status(ann).isFull).toBe(false);
  });
});

describe('the key of an archive', () => {
  it('outlives a change of the PIN and of the identity key', async () => {
    const { server, id, ann } = await house();
    await ann.engine.services.keys.pins.set('905142', quiet);
    await ann.engine.services.keys.own.rotate();
    ann.stop();
    const again = keep(await TestDevice.waiting('ann', server.client()));
    await again.engine.services.keys.pins.recover('905142', quiet);
    await again.online();
    await restored(again);
    expect(await again.texts(id)).toEqual(['first', 'second']);
  });

  it('is not on a device that knows no root secret: it says so, and the PIN brings it', async () => {
    const { server, id, ann, bob } = await pair();
    const phone = keep(await TestDevice.signIn('ann', server.client(), ann));
    await ann.engine.services.keys.pins.set(pin, quiet);
    await archiveOf(ann).turnOn();
    await until(() => phone.screen.keys?.archive.state === 'locked', 'the phone cannot follow');
    expect(phone.screen.keys?.knowsPin).toBe(false);
    await bob.send(id, 'meanwhile');
    await phone.sees(id, 'meanwhile');
    await phone.engine.services.keys.pins.recover(pin, quiet);
    await archiveOf(phone).look();
    await archived(phone);
    expect(server.archive.kept.get(ann.account)?.streams.size).toBe(2);
  });

  it('is put back where another device has stored one that is none', async () => {
    const { server, id, ann } = await pair();
    await ann.engine.services.keys.pins.set(pin, quiet);
    const { own } = ann.engine.services.keys;
    const { turnArchiveOn } = ann.engine.services.core.api;
    // As if another device, which began at the same moment, had stored its own one and lost.
    ann.engine.services.core.api.turnArchiveOn = async (archive) => {
      const { rootSecret, identitySeed } = own.record;
      await own.wrapped.setArchiveKey(rootSecret as Uint8Array, identitySeed as Uint8Array, new Uint8Array(32));
      return turnArchiveOn(archive);
    };
    await archiveOf(ann).turnOn();
    await archived(ann);
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(id)).toEqual(['first']);
  });

  it('of two devices that turn it on at once is the same', async () => {
    const server = (await pair()).server;
    const { device: carol } = await person(server, 'carol');
    await carol.engine.services.keys.pins.set(pin, quiet);
    const phone = keep(await TestDevice.signIn('carol', server.client(), carol));
    await Promise.all([archiveOf(carol).turnOn(), archiveOf(phone).turnOn()]);
    await archived(carol);
    await archived(phone);
    const keys = [carol, phone].map((device) => device.engine.services.keys.own.record.archiveKey);
    expect(keys[0]).toEqual(keys[1]);
    expect(server.archive.kept.get(carol.account)?.archive).toBe(archiveOf(carol).store.state?.archive);
  });
});
