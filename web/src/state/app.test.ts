import 'fake-indexeddb/auto';
import { IDBFactory } from 'fake-indexeddb';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Mls } from '../crypto/mls';
import { FakeServer } from '../engine/testing/fakeServer';
import { until } from '../engine/testing/testDevice';
import { createChatApp } from './app.svelte';
import type { ChatApp } from './contract';
import { deviceName } from './deviceName';
import { createTabLock, type TabLock } from './tabLock';

/** The part of Web Locks that is used, for the tabs of one browser. */
class FakeLocks {
  #lost: ((reason: Error) => void) | null = null;

  request = (_: string, options: { steal?: boolean; ifAvailable?: boolean }, run: (lock: unknown) => unknown) => {
    if (this.#lost && !options.steal) {
      return Promise.resolve(run(null));
    }
    this.#lost?.(new Error('stolen'));
    return new Promise((resolve, reject) => {
      this.#lost = reject;
      void Promise.resolve(run({})).then((value) => {
        this.#lost = null;
        resolve(value);
      });
    });
  };
}

const tabs: (ChatApp & { close(): void })[] = [];

function tab(server: FakeServer, factory: IDBFactory, lock: TabLock, client = server.client()) {
  const app = createChatApp({
    lock,
    engine: {
      database: { factory },
      api: client.api,
      openHub: client.openHub,
      mls: new Mls(),
      sessionMode: 'token',
      stock: 4,
    },
  }) as ChatApp & { close(): void };
  tabs.push(app);
  return app;
}

const freeLock = () => createTabLock(new FakeLocks() as unknown as LockManager);

afterEach(() => {
  for (const app of tabs.splice(0)) {
    app.close();
  }
});

async function signedUp(server: FakeServer, handle: string): Promise<ChatApp> {
  const app = tab(server, new IDBFactory(), freeLock());
  await app.start();
  expect(app.phase).toBe('signedOut');
  await app.signUp({ handle, displayName: handle.toUpperCase(), password: 'correct horse battery' });
  await until(() => app.connection === 'online', 'online');
  return app;
}

describe('createChatApp', () => {
  it('says that it needs a secure address instead of offering a form that cannot work', async () => {
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const app = createChatApp({ lock: freeLock() });
    await app.start();
    vi.unstubAllGlobals();
    expect(app.phase).toBe('insecure');
  });

  it('says that it cannot start where the browser withholds its storage, and lets another tab try', async () => {
    const locks = new FakeLocks() as unknown as LockManager;
    const factory = {
      open: () => {
        throw new DOMException('denied', 'SecurityError');
      },
    } as unknown as IDBFactory;
    const app = tab(new FakeServer(), factory, createTabLock(locks));
    await app.start();
    expect(app.phase).toBe('failed');
    const other = tab(new FakeServer(), new IDBFactory(), createTabLock(locks));
    await other.start();
    expect(other.phase).toBe('signedOut');
  });

  it('says that there is a new version when the server asks for it', async () => {
    const server = new FakeServer();
    const app = await signedUp(server, 'ann');
    expect(app.updateReady).toBe(false);
    for (const client of server.connections) {
      client.deliver((listener) => listener.control({ kind: 'upgrade' }));
    }
    await until(() => app.updateReady, 'the banner');
  });

  it('shows a conversation, its thread and its cards as they change', async () => {
    const server = new FakeServer();
    const [ann, bob] = await Promise.all([signedUp(server, 'ann'), signedUp(server, 'bob')]);
    expect(ann.me).toMatchObject({ handle: 'ann', sandbox: true });
    await until(() => [...server.devices.values()].every((device) => device.lastResort), 'key packages are there');
    const id = await ann.startDirect(await ann.findPerson('bob'));
    const thread = ann.openThread(id);
    ann.sendText(id, 'hello');
    await until(() => thread?.items.some((item) => item.type === 'message' && item.send === 'sent') ?? false, 'sent');
    await until(() => bob.conversations[0]?.unread === 1, 'bob has it');
    const other = bob.openThread(id);
    await until(() => other?.loading === false, 'the thread is read');
    expect(other?.firstUnreadKey).toBe(other?.items.at(-1)?.key);
    bob.markRead(id);
    await until(() => bob.conversations[0]?.unread === 0, 'it is read');
    const bobPerson = ann.conversations[0]?.peer?.id ?? '';
    await ann.postCard({
      conversation: id,
      kind: 'transfer',
      other: bobPerson,
      amountMinor: 7n,
      asset: 'EUR',
      memo: 'tea',
    });
    await until(() => other?.items.some((item) => item.type === 'card') ?? false, 'bob sees the card');
    const item = other?.items.find((entry) => entry.type === 'card');
    await bob.actOnCard(item?.card.id ?? '', 'accept');
    await until(() => ann.card(item?.card.id ?? '')?.state === 'accepted', 'ann sees it accepted');
    expect(ann.conversations[0]?.preview).toMatchObject({ kind: 'card', card: { state: 'accepted', memo: 'tea' } });
    bob.setDraft(id, 'half a th');
    await until(() => bob.conversations[0]?.draft === 'half a th', 'the draft is kept');
    expect(ann.openThread('00000000-0000-7000-8000-000000000000')).toBeNull();
  });

  it('keeps a failed text with its reason, to retry or discard', async () => {
    const server = new FakeServer();
    const [ann] = await Promise.all([signedUp(server, 'ann'), signedUp(server, 'bob')]);
    await until(() => [...server.devices.values()].every((device) => device.lastResort), 'key packages are there');
    const id = await ann.startDirect(await ann.findPerson('bob'));
    const thread = ann.openThread(id);
    const conversation = server.conversations.get(id);
    server.conversations.delete(id);
    ann.sendText(id, 'nowhere');
    const failed = () => thread?.items.find((item) => item.type === 'message' && item.send === 'failed');
    await until(() => failed() !== undefined, 'it failed');
    expect(failed()).toMatchObject({ error: { name: 'conversation_unknown' } });
    if (conversation) {
      server.conversations.set(id, conversation);
    }
    ann.retry(id, failed()?.key ?? '');
    await until(() => thread?.items.some((item) => item.type === 'message' && item.send === 'sent') ?? false, 'sent');
  });

  it('runs in one tab, and moves to another when asked', async () => {
    const server = new FakeServer();
    const [factory, locks, client] = [new IDBFactory(), new FakeLocks() as unknown as LockManager, server.client()];
    const first = tab(server, factory, createTabLock(locks), client);
    await first.start();
    await first.signUp({ handle: 'ann', displayName: 'Ann', password: 'correct horse battery' });
    const second = tab(server, factory, createTabLock(locks), client);
    await second.start();
    expect(second.phase).toBe('otherTab');
    await second.takeOver();
    expect(second.phase).toBe('ready');
    expect(second.me?.handle).toBe('ann');
    expect(first.phase).toBe('otherTab');
    await expect(first.findPerson('ann')).rejects.toThrow('not_ready');
  });
});

describe('deviceName', () => {
  it('says browser and system', () => {
    expect(deviceName('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe(
      'Firefox on Linux',
    );
    expect(deviceName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1')).toBe(
      'Safari on iOS',
    );
    expect(deviceName('curl/8')).toBe('Browser');
  });
});
