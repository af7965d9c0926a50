import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { describe, expect, it } from 'vitest';
import { Database, FencedError, hasDevice } from './database';
import type { ItemRecord } from './records';

function item(conversation: string, seq: number, counts = true): ItemRecord {
  return {
    conversation,
    key: `seq:${seq}`,
    order: seq,
    seq,
    at: seq,
    sender: null,
    mine: false,
    counts,
    body: { type: 'message', text: `secret ${seq}`, error: null },
  };
}

async function open(factory = new IDBFactory()): Promise<Database> {
  const database = await Database.open({ factory });
  await database.own();
  return database;
}

describe('Database', () => {
  it('pages items newest first and counts what is unread', async () => {
    const db = await open();
    await db.write(
      Array.from({ length: 120 }, (_, i) => ({ put: 'items' as const, value: item('c', i + 1, i % 2 === 0) })),
    );
    await db.write([{ put: 'items', value: item('other', 7) }]);
    const page = await db.itemsBefore('c', Number.MAX_SAFE_INTEGER, 50);
    expect(page.map((entry) => entry.seq)).toEqual(Array.from({ length: 50 }, (_, i) => 71 + i));
    const earlier = await db.itemsBefore('c', page[0]?.order ?? 0, 100);
    expect(earlier).toHaveLength(70);
    expect(await db.countUnread('c', 100)).toBe(10);
    expect(await db.firstUnread('c', 100)).toEqual({ key: 'seq:101', order: 101 });
  });

  it('finds everything again after a reload, and only with the same key', async () => {
    const factory = new IDBFactory();
    const db = await open(factory);
    await db.write([
      { put: 'keyPackages', value: { ref: 'r', lastResort: true, notAfterMs: 1, secret: Uint8Array.of(1, 2, 3) } },
    ]);
    db.close();
    const again = await open(factory);
    expect((await again.keyPackage('r'))?.secret).toEqual(Uint8Array.of(1, 2, 3));
    expect(await hasDevice({ factory })).toBe(false);
  });

  it('keeps plaintext out of the stored rows', async () => {
    const factory = new IDBFactory();
    const db = await open(factory);
    await db.write([{ put: 'items', value: item('c', 1) }]);
    const raw = await new Promise<IDBDatabase>((resolve) => {
      const request = factory.open('chatpay');
      request.onsuccess = () => resolve(request.result);
    });
    const rows = await new Promise<unknown[]>((resolve) => {
      const request = raw.transaction('items').objectStore('items').getAll();
      request.onsuccess = () => resolve(request.result);
    });
    expect(Buffer.from((rows[0] as { sealed: Uint8Array }).sealed).includes('secret')).toBe(false);
  });

  it('takes up what an earlier version has stored, and has room for keys then', async () => {
    const factory = new IDBFactory();
    await new Promise<void>((resolve, reject) => {
      const request = factory.open('chatpay', 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore('meta');
        for (const store of ['device', 'conversations', 'groups', 'outbox', 'cards', 'keyPackages']) {
          request.result.createObjectStore(store, { keyPath: 'id' });
        }
        const items = request.result.createObjectStore('items', { keyPath: ['conversation', 'key'] });
        items.createIndex('order', ['conversation', 'order']);
        items.createIndex('unread', ['conversation', 'counts', 'seq']);
      };
      request.onsuccess = () => {
        request.result.close();
        resolve();
      };
      request.onerror = () => reject(request.error);
    });
    const db = await open(factory);
    const value = { number: 1, kind: 'logShrunk' as const, at: 1, account: null, evidence: [] };
    await db.write([
      { put: 'items', value: item('c', 1) },
      { put: 'keys', id: 'alarm/1', value },
      { put: 'keys', id: 'other', value: { ...value, number: 2 } },
    ]);
    expect(await db.keysUnder('alarm/')).toEqual([value]);
    expect(await db.keys('alarm/1')).toEqual(value);
    await db.write([{ remove: 'keys', id: 'alarm/1' }]);
    expect(await db.keysUnder('alarm/')).toEqual([]);
  });

  it('takes up what version 2 has stored, and has room for an archive then, in order', async () => {
    const factory = new IDBFactory();
    await new Promise<void>((resolve, reject) => {
      const request = factory.open('chatpay', 2);
      request.onupgradeneeded = () => {
        request.result.createObjectStore('meta');
        for (const store of ['device', 'conversations', 'groups', 'outbox', 'cards', 'keyPackages', 'keys']) {
          request.result.createObjectStore(store, { keyPath: 'id' });
        }
        const items = request.result.createObjectStore('items', { keyPath: ['conversation', 'key'] });
        items.createIndex('order', ['conversation', 'order']);
        items.createIndex('unread', ['conversation', 'counts', 'seq']);
      };
      request.onsuccess = () => {
        request.result.close();
        resolve();
      };
      request.onerror = () => reject(request.error);
    });
    const db = await open(factory);
    const waiting = (id: string) => {
      const place = { conversation: 'c', seq: 1, at: '', account: 'a', device: 'd', id };
      const content = { type: 'text' as const, text: 'secret' };
      return { id, item: { ...place, content }, sender: { id: 'a', handle: 'a', displayName: 'A' } };
    };
    await db.write([
      { put: 'items', value: item('c', 1) },
      { put: 'archive', id: 'pending', value: { archive: 'x', number: 3, sealed: Uint8Array.of(1) } },
      ...['2', '1', '3'].map((id) => ({ put: 'archiveQueue' as const, value: waiting(id) })),
    ]);
    expect((await db.archiveQueue(2)).map(({ id }) => id)).toEqual(['1', '2']);
    expect(await db.archive('pending')).toEqual({ archive: 'x', number: 3, sealed: Uint8Array.of(1) });
    await db.write([{ remove: 'archiveQueue', id: '1' }]);
    expect(await db.archiveQueued()).toBe(2);
    await db.write([{ clear: 'archiveQueue' }, { remove: 'archive', id: 'pending' }]);
    expect([await db.archiveQueued(), await db.archive('pending')]).toEqual([0, null]);
  });

  it('refuses writes of a tab that another one has replaced', async () => {
    const factory = new IDBFactory();
    const old = await open(factory);
    await old.write([{ put: 'items', value: item('c', 1) }]);
    const fresh = await open(factory);
    await expect(old.write([{ put: 'items', value: item('c', 2) }])).rejects.toThrow(FencedError);
    await expect(old.wipe()).rejects.toThrow(FencedError);
    expect(await fresh.item('c', 'seq:2')).toBeNull();
    expect(await fresh.item('c', 'seq:1')).not.toBeNull();
  });

  it('writes a batch wholly or not at all', async () => {
    const db = await open();
    const broken = { put: 'items', value: { ...item('c', 2), order: Number.NaN } } as const;
    await db.write([{ put: 'items', value: item('c', 1) }, broken]).catch(() => undefined);
    const found = [await db.item('c', 'seq:1'), await db.item('c', 'seq:2')].filter((entry) => entry !== null).length;
    expect([0, 2]).toContain(found);
  });
});
