import { describe, expect, it } from 'vitest';
import { parseContent } from '../protocol/content';
import type { FakeServer } from './testing/fakeServer';
import { keep, pair } from './testing/people';
import { TestDevice, until } from './testing/testDevice';

const pin = '480279';
const quiet = () => undefined;
/** Longer than any test. */
const neverMs = 600_000;
const archiveOf = (device: TestDevice) => device.engine.services.archive;
const coreOf = (device: TestDevice) => device.engine.services.core;
const status = (device: TestDevice) => archiveOf(device).status;

async function archived(device: TestDevice): Promise<void> {
  await until(() => status(device).state === 'on' && !status(device).isFilling, 'the history is queued');
  await device.settled();
  await archiveOf(device).flush();
  await until(async () => {
    const pending = await coreOf(device).db.archive('pending');
    return status(device).waiting === 0 && !status(device).isFilling && pending === null;
  }, 'nothing waits');
}

async function restored(device: TestDevice): Promise<void> {
  await until(() => status(device).restore?.isDone === true, 'the history is back');
}

async function turnOn(device: TestDevice): Promise<void> {
  await device.engine.services.keys.pins.set(pin, quiet);
  await archiveOf(device).turnOn();
  await archived(device);
}

async function house() {
  const made = await pair();
  await turnOn(made.ann);
  return made;
}

async function byPin(server: FakeServer, archiveMs?: number) {
  const client = server.client();
  const device = keep(await TestDevice.waiting('ann', client));
  coreOf(device).timing.archiveMs = archiveMs ?? coreOf(device).timing.archiveMs;
  await device.engine.services.keys.pins.recover(pin, quiet);
  await device.online();
  return { device, client };
}

/** As if the server had no room left, or had it again. */
const fill = (server: FakeServer, account: string) => {
  server.archive.maximumBytes = server.archive.view(account).bytes;
};
const makeRoom = async (server: FakeServer, device: TestDevice) => {
  server.archive.maximumBytes += 1024 * 1024;
  await archiveOf(device).look();
};

describe('what another device archives late', () => {
  it('comes a moment after the history, without anybody looking', async () => {
    const { server, id, ann, bob } = await house();
    coreOf(ann).timing.archiveMs = neverMs;
    await bob.send(id, 'late');
    await ann.sees(id, 'late');
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(id)).toEqual(['first']);
    await archiveOf(ann).flush();
    await again.sees(id, 'late');
    expect(await again.texts(id)).toEqual(['first', 'late']);
    expect(status(again).restore).toMatchObject({ isDone: true, damaged: 0 });
  });

  it('comes at the next greeting where that device was away, and what is read here anyway counts as unread', async () => {
    const { server, id, ann, annClient, bob } = await house();
    coreOf(ann).timing.archiveMs = neverMs;
    await bob.send(id, 'late');
    await ann.sees(id, 'late');
    annClient.drop();
    ann.stop();
    const { device: again, client } = await byPin(server, neverMs);
    await restored(again);
    await bob.send(id, 'to all');
    await again.sees(id, 'to all');
    again.stop();
    client.drop();
    await bob.send(id, 'while away');
    await ann.open();
    await ann.online();
    await ann.sees(id, 'while away');
    await archived(ann);
    await again.open();
    await again.online();
    await again.sees(id, 'late', 'while away');
    expect(await again.texts(id)).toEqual(['first', 'late', 'to all', 'while away']);
    expect(again.conversation(id).unread).toBe(2);
  });

  it('is read from its beginning where a restored server has lost what was read already', async () => {
    const { server, id, ann, bob } = await house();
    const { device: again } = await byPin(server, neverMs);
    await restored(again);
    again.stop();
    const { device } = coreOf(ann).device;
    server.archive.kept.get(ann.account)?.streams.set(device, []);
    await bob.send(id, 'afterwards');
    await ann.sees(id, 'afterwards');
    await archived(ann);
    await bob.send(id, 'and later');
    await ann.sees(id, 'and later');
    await archived(ann);
    await again.open();
    await again.online();
    await again.sees(id, 'and later');
    await until(() => (status(again).restore?.total ?? 0) > 1, 'it has looked');
    await until(() => status(again).restore?.done === status(again).restore?.total, 'all is read');
    expect(status(again).restore?.damaged).toBe(0);
  });
});

describe('a full archive', () => {
  it('takes what was said meanwhile when there is room again', async () => {
    const { server, id, ann, bob } = await house();
    fill(server, ann.account);
    await bob.send(id, 'too much');
    await ann.sees(id, 'too much');
    await archiveOf(ann).flush();
    await until(() => status(ann).isFull, 'it is full');
    await bob.send(id, 'more');
    await ann.sees(id, 'more');
    await makeRoom(server, ann);
    await archived(ann);
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(id)).toEqual(['first', 'too much', 'more']);
  });

  it('has no more wait than a bound, and looks up the rest when there is room again, once', async () => {
    const { server, id, ann, bob } = await house();
    fill(server, ann.account);
    await bob.send(id, 'one');
    await ann.sees(id, 'one');
    await archiveOf(ann).flush();
    await until(() => status(ann).isFull, 'it is full');
    archiveOf(ann).store.mostQueued = 2;
    for (const text of ['two', 'three', 'four', 'five', 'six']) {
      await bob.send(id, text);
      await ann.sees(id, text);
      await ann.settled();
    }
    expect(await coreOf(ann).db.archiveQueued()).toBeLessThanOrEqual(3);
    await ann.reload();
    await ann.online();
    const before = server.archive.view(ann.account).bytes;
    await makeRoom(server, ann);
    await archived(ann);
    await bob.send(id, 'seven');
    await ann.sees(id, 'seven');
    await archived(ann);
    expect(server.archive.view(ann.account).bytes - before).toBeLessThan(8 * 1100);
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(id)).toEqual(['first', 'one', 'two', 'three', 'four', 'five', 'six', 'seven']);
  });
});

describe('text that is none', () => {
  it('is not taken from others, and one that is stored spoils no chunk', async () => {
    const bad = new TextEncoder().encode('{"v":1,"type":"text","text":"half \\ud800"}');
    expect(parseContent(bad)).toEqual({ type: 'malformed' });
    const { server, id, ann } = await pair();
    const { db } = coreOf(ann);
    const stored = (await db.itemsBefore(id, Number.MAX_SAFE_INTEGER, 10)).find(({ body }) => body.type === 'message');
    if (stored) {
      const body = { type: 'message' as const, text: 'half \ud800', error: null };
      await coreOf(ann).write([{ put: 'items', value: { ...stored, body } }]);
    }
    await turnOn(ann);
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(id)).toEqual(['half \ufffd']);
  });
});

describe('bringing the history back', () => {
  it('takes a chunk that is no base64 for damage', async () => {
    const { server, id, ann, bob } = await house();
    await bob.send(id, 'second');
    await ann.sees(id, 'second');
    await archived(ann);
    const { page } = server.archive;
    server.archive.page = (...asked) => {
      const { chunks, next } = page.apply(server.archive, asked);
      return { chunks: chunks.map((chunk, i) => (asked[3] + i === 1 ? '%%%' : chunk)), next: next ?? null };
    };
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(status(again).restore).toMatchObject({ damaged: 1 });
    expect(await again.texts(id)).toEqual(['first']);
  });

  it('says that it has stopped where this device refuses, and goes on when it is told to', async () => {
    const { server, id, ann } = await house();
    ann.stop();
    const device = keep(await TestDevice.waiting('ann', server.client()));
    const core = coreOf(device);
    const { write } = core;
    let isRefusing = true;
    core.write = async (changes, durability) => {
      if (isRefusing && changes.some((change) => 'put' in change && change.put === 'items')) {
        throw new DOMException('no room', 'QuotaExceededError');
      }
      return write.call(core, changes, durability);
    };
    await device.engine.services.keys.pins.recover(pin, quiet);
    await until(() => device.screen.keys?.archive.restore?.isPaused === true, 'it says so');
    isRefusing = false;
    await archiveOf(device).look();
    await restored(device);
    await until(() => status(device).restore?.isPaused === false, 'it has not stopped any more');
    await device.sees(id, 'first');
  });

  it('judges a card that could not be opened here by the archive, and no card that contradicts itself', async () => {
    const { server, id, ann, bob } = await house();
    const card = { kind: 'transfer' as const, other: bob.account, amountMinor: 7n, asset: 'EUR' };
    await ann.engine.postCard({ conversation: id, ...card, memo: 'unread' });
    await ann.engine.postCard({ conversation: id, ...card, memo: 'contradicts' });
    await ann.settled();
    await archived(ann);
    ann.stop();
    const { device: again } = await byPin(server, neverMs);
    await restored(again);
    const { core } = again.engine.services;
    for (const item of await again.items(id)) {
      const record = item.type === 'card' ? await core.card(item.card.id) : null;
      if (record) {
        const contradicted = record.memo === 'contradicts' ? { contradicted: true } : {};
        await core.write([{ put: 'cards', value: { ...record, memo: null, mismatch: true, ...contradicted } }]);
      }
    }
    const archive = archiveOf(again).store.state?.archive ?? '';
    await archiveOf(again).store.update(archive, (state) => ({ ...state, restore: { isDone: false, streams: {} } }));
    await archiveOf(again).look();
    await restored(again);
    const shown = (await again.items(id)).flatMap((item) => (item.type === 'card' ? [item.card] : []));
    expect(shown.map(({ memo, mismatch }) => [memo, mismatch])).toEqual([
      ['unread', false],
      ['contradicts', true],
    ]);
  });

  it('brings the name of a group that was left before the archive was turned on, and what was said there', async () => {
    const { server, ann, bob } = await pair();
    const group = await ann.createGroup('Gone', bob);
    await ann.send(group, 'so long');
    await ann.settled();
    await ann.engine.services.chats.leave(group);
    await ann.settled();
    await coreOf(ann).update(group, (record) => ({ ...record, retentionDays: undefined }));
    await turnOn(ann);
    ann.stop();
    const { device: again } = await byPin(server);
    await restored(again);
    expect(await again.texts(group)).toEqual(['so long']);
    expect(again.conversation(group)).toMatchObject({ active: false, title: 'Gone' });
  });
});

describe('an archive', () => {
  it('can be deleted where the server keeps none any more', async () => {
    const { server, ann } = await house();
    server.archive.isOff = true;
    await archiveOf(ann).look();
    expect(status(ann)).toMatchObject({ state: 'unavailable', isKept: true });
    await archiveOf(ann).turnOff();
    expect(server.archive.kept.size).toBe(0);
    expect(ann.engine.services.keys.own.record.archiveKey).toBeNull();
    expect(status(ann)).toMatchObject({ state: 'unavailable', isKept: false });
  });

  it('sends what comes while its queue is looked at', async () => {
    const { server, id, ann, bob } = await house();
    const { db } = coreOf(ann);
    const { archiveQueue } = db;
    let isFirst = true;
    db.archiveQueue = async (limit) => {
      const rows = await archiveQueue.call(db, limit);
      if (rows.length === 0 && isFirst) {
        isFirst = false;
        await bob.send(id, 'in between');
        await ann.sees(id, 'in between');
        await new Promise((resolve) => setTimeout(resolve, 3 * coreOf(ann).timing.archiveMs));
      }
      return rows;
    };
    const before = server.archive.view(ann.account).bytes;
    await archiveOf(ann).flush();
    await until(() => server.archive.view(ann.account).bytes > before, 'it is sent');
  });

  it('is not asked for without a pause by a device whose server contradicts itself', async () => {
    const { id, ann, annClient, bob, server } = await house();
    server.archive.store = () => server.archive.page(ann.account, 'another one', '', 0);
    await bob.send(id, 'refused');
    await ann.sees(id, 'refused');
    await archiveOf(ann).flush();
    const before = annClient.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(annClient.calls.slice(before).filter((call) => call === 'archive').length).toBeLessThan(10);
  });
});
