import { type DBSchema, type IDBPDatabase, openDB, wrap } from 'idb';
import { uuidv7 } from '../protocol/ids';
import type {
  ArchiveQueueRecord,
  ArchiveRecord,
  CardRecord,
  ConversationRecord,
  DeviceRecord,
  GroupRecord,
  ItemRecord,
  KeyPackageRecord,
  KeysRecord,
  OutboxRecord,
} from './records';
import { pack, Sealer, unpack } from './seal';

/** Of the layout of the stores. */
const version = 3;

type Sealed = { sealed: Uint8Array };

interface Schema extends DBSchema {
  meta: { key: string; value: unknown };
  device: { key: string; value: Sealed & { id: string } };
  conversations: { key: string; value: Sealed & { id: string } };
  groups: { key: string; value: Sealed & { id: string } };
  items: {
    key: [string, string];
    value: Sealed & { conversation: string; key: string; order: number; seq: number; counts: 0 | 1 };
    indexes: { order: [string, number]; unread: [string, number, number] };
  };
  outbox: { key: string; value: Sealed & { id: string } };
  cards: { key: string; value: Sealed & { id: string } };
  keyPackages: { key: string; value: Sealed & { id: string } };
  keys: { key: string; value: Sealed & { id: string } };
  archive: { key: string; value: Sealed & { id: string } };
  archiveQueue: { key: string; value: Sealed & { id: string } };
}

const stores = [
  'meta',
  'device',
  'conversations',
  'groups',
  'items',
  'outbox',
  'cards',
  'keyPackages',
  'keys',
  'archive',
  'archiveQueue',
] as const;

/** One change of a batch; a batch is one transaction. */
export type Change =
  | { put: 'device'; value: DeviceRecord }
  | { put: 'conversations'; value: ConversationRecord }
  | { put: 'groups'; value: GroupRecord }
  | { put: 'items'; value: ItemRecord }
  | { put: 'outbox'; value: OutboxRecord }
  | { put: 'cards'; value: CardRecord }
  | { put: 'keyPackages'; value: KeyPackageRecord }
  | { put: 'keys'; id: string; value: KeysRecord }
  | { put: 'archive'; id: string; value: ArchiveRecord }
  | { put: 'archiveQueue'; value: ArchiveQueueRecord }
  | { remove: 'groups' | 'outbox' | 'keyPackages' | 'keys' | 'archive' | 'archiveQueue'; id: string }
  | { clear: 'archiveQueue' }
  | { removeItem: string; conversation: string };

/** Another tab has taken over: nothing may be written from here any more. */
export class FencedError extends Error {
  constructor() {
    super('another tab holds the database');
  }
}

export type DatabaseOptions = { name?: string; factory?: IDBFactory };

/**
 * The device's IndexedDB. Every write is one transaction and begins by checking that this tab still owns the database,
 * so that a tab that lost its ownership cannot write back an older ratchet.
 */
export class Database {
  readonly #db: IDBPDatabase<Schema>;
  readonly #sealer: Sealer;
  readonly #owner = uuidv7();
  onWrite: ((changes: Change[]) => void) | null = null;

  private constructor(db: IDBPDatabase<Schema>, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  static async open(options: DatabaseOptions = {}): Promise<Database> {
    const db = await openSchema(options);
    // Made outside of the transaction, which would end while WebCrypto works.
    const fresh = await Sealer.generateKey();
    const tx = db.transaction('meta', 'readwrite');
    let key = (await tx.store.get('key')) as CryptoKey | undefined;
    if (!key) {
      key = fresh;
      await tx.store.put(key, 'key');
    }
    await tx.done;
    return new Database(db, new Sealer(key));
  }

  /** From now on only this instance may write. */
  async own(): Promise<void> {
    await this.#db.put('meta', this.#owner, 'owner');
  }

  close(): void {
    this.#db.close();
  }

  /**
   * All changes or none. Strict durability is for what must not be forgotten by a power loss, because something was
   * made with it that leaves the device: forgetting would use a message key twice.
   */
  async write(changes: Change[], durability: 'relaxed' | 'strict' = 'relaxed'): Promise<void> {
    const sealed = await Promise.all(changes.map((change) => this.#seal(change)));
    const tx = this.#db.transaction([...stores], 'readwrite', { durability });
    if ((await tx.objectStore('meta').get('owner')) !== this.#owner) {
      tx.abort();
      await tx.done.catch(() => undefined);
      throw new FencedError();
    }
    try {
      for (const run of sealed) {
        run(tx as unknown as Writer);
      }
    } catch (thrown) {
      tx.abort();
      await tx.done.catch(() => undefined);
      throw thrown;
    }
    await tx.done;
    this.onWrite?.(changes);
  }

  /** Deletes everything, the key included. */
  async wipe(): Promise<void> {
    const tx = this.#db.transaction([...stores], 'readwrite');
    if ((await tx.objectStore('meta').get('owner')) !== this.#owner) {
      tx.abort();
      await tx.done.catch(() => undefined);
      throw new FencedError();
    }
    await Promise.all(stores.map((store) => tx.objectStore(store).clear()));
    await tx.done;
  }

  async device(): Promise<DeviceRecord | null> {
    return this.#read('device', 'device');
  }

  async conversations(): Promise<ConversationRecord[]> {
    return this.#readAll<ConversationRecord>('conversations');
  }

  async outbox(): Promise<OutboxRecord[]> {
    const entries = await this.#readAll<OutboxRecord>('outbox');
    return entries.sort((a, b) => a.order - b.order);
  }

  async keyPackages(): Promise<KeyPackageRecord[]> {
    return this.#readAll<KeyPackageRecord>('keyPackages');
  }

  async group(conversation: string): Promise<GroupRecord | null> {
    return this.#read('groups', conversation);
  }

  async keyPackage(ref: string): Promise<KeyPackageRecord | null> {
    return this.#read('keyPackages', ref);
  }

  async card(id: string): Promise<CardRecord | null> {
    return this.#read('cards', id);
  }

  /** A record about keys, by its place: `own`, `log`, `of/…`, `alarm/…`, or about codes for paying, `code/…`. */
  async keys<T extends KeysRecord>(id: string): Promise<T | null> {
    return this.#read('keys', id);
  }

  async keysUnder<T extends KeysRecord>(prefix: string): Promise<T[]> {
    const rows = await this.#db.getAll('keys', IDBKeyRange.bound(prefix, `${prefix}\uffff`));
    return Promise.all(rows.map((row) => this.#open<T>('keys', row)));
  }

  /** A record of the archive, by its place: `state` or `pending`. */
  async archive<T extends ArchiveRecord>(id: string): Promise<T | null> {
    return this.#read('archive', id);
  }

  /** What waits first to be archived. */
  async archiveQueue(limit: number): Promise<ArchiveQueueRecord[]> {
    const rows = await this.#db.getAll('archiveQueue', null, limit);
    return Promise.all(rows.map((row) => this.#open<ArchiveQueueRecord>('archiveQueue', row)));
  }

  async archiveQueued(): Promise<number> {
    return this.#db.count('archiveQueue');
  }

  async item(conversation: string, key: string): Promise<ItemRecord | null> {
    const row = await this.#db.get('items', [conversation, key]);
    return row ? this.#openItem(row) : null;
  }

  async items(conversation: string, keys: string[]): Promise<Map<string, ItemRecord>> {
    const found = await Promise.all(keys.map((key) => this.item(conversation, key)));
    return new Map(found.filter((item) => item !== null).map((item) => [item.key, item]));
  }

  /** The newest items before an order, oldest first. */
  async itemsBefore(conversation: string, before: number, limit: number): Promise<ItemRecord[]> {
    const range = IDBKeyRange.bound([conversation, -1], [conversation, before], false, true);
    const rows: Schema['items']['value'][] = [];
    let cursor = await this.#db.transaction('items').store.index('order').openCursor(range, 'prev');
    while (cursor && rows.length < limit) {
      rows.push(cursor.value);
      cursor = await cursor.continue();
    }
    return Promise.all(rows.reverse().map((row) => this.#openItem(row)));
  }

  /** How many items after a seq count as unread. */
  async countUnread(conversation: string, afterSeq: number): Promise<number> {
    const range = IDBKeyRange.bound([conversation, 1, afterSeq], [conversation, 1, Number.MAX_SAFE_INTEGER], true);
    return this.#db.countFromIndex('items', 'unread', range);
  }

  async firstUnread(conversation: string, afterSeq: number): Promise<{ key: string; order: number } | null> {
    const range = IDBKeyRange.bound([conversation, 1, afterSeq], [conversation, 1, Number.MAX_SAFE_INTEGER], true);
    const row = await this.#db.getFromIndex('items', 'unread', range);
    return row ? { key: row.key, order: row.order } : null;
  }

  async #seal(change: Change): Promise<(tx: Writer) => void> {
    if ('remove' in change) {
      return (tx) => void tx.objectStore(change.remove).delete(change.id);
    }
    if ('clear' in change) {
      return (tx) => void tx.objectStore(change.clear).clear();
    }
    if ('removeItem' in change) {
      return (tx) => void tx.objectStore('items').delete([change.conversation, change.removeItem]);
    }
    const id = keyOf(change);
    const sealed = await this.#sealer.seal(`${change.put}/${id}`, pack(change.value));
    if (change.put === 'items') {
      const { conversation, key, order, seq, counts } = change.value;
      const row = { conversation, key, order, seq: seq ?? 0, counts: counts ? (1 as const) : (0 as const), sealed };
      return (tx) => void tx.objectStore('items').put(row);
    }
    return (tx) => void tx.objectStore(change.put).put({ id, sealed });
  }

  async #read<T>(store: SimpleStore, id: string): Promise<T | null> {
    const row = await this.#db.get(store, id);
    return row ? this.#open<T>(store, row) : null;
  }

  async #readAll<T>(store: SimpleStore): Promise<T[]> {
    const rows = await this.#db.getAll(store);
    return Promise.all(rows.map((row) => this.#open<T>(store, row)));
  }

  async #open<T>(store: SimpleStore, row: { id: string; sealed: Uint8Array }): Promise<T> {
    return unpack<T>(await this.#sealer.open(`${store}/${row.id}`, row.sealed));
  }

  async #openItem(row: Schema['items']['value']): Promise<ItemRecord> {
    return unpack<ItemRecord>(await this.#sealer.open(`items/${row.conversation}/${row.key}`, row.sealed));
  }
}

type SimpleStore = Exclude<(typeof stores)[number], 'meta' | 'items'>;
/** The part of a transaction that sealed changes use; idb's own type needs the store's name at compile time. */
type Writer = {
  objectStore(name: string): { put(value: unknown): unknown; delete(key: IDBValidKey): unknown; clear(): unknown };
};

function keyOf(change: Extract<Change, { put: string }>): string {
  switch (change.put) {
    case 'device':
      return 'device';
    case 'groups':
      return change.value.conversation;
    case 'items':
      return `${change.value.conversation}/${change.value.key}`;
    case 'outbox':
      return change.value.clientId;
    case 'keyPackages':
      return change.value.ref;
    case 'keys':
    case 'archive':
      return change.id;
    default:
      return change.value.id;
  }
}

/** Whether anybody is signed in here, without loading anything else. */
export async function hasDevice(options: DatabaseOptions = {}): Promise<boolean> {
  const db = await openSchema(options);
  try {
    return (await db.count('device')) > 0;
  } finally {
    db.close();
  }
}

function openSchema(options: DatabaseOptions): Promise<IDBPDatabase<Schema>> {
  const name = options.name ?? 'chatpay';
  return options.factory
    ? openWith(options.factory, name)
    : openDB<Schema>(name, version, {
        upgrade: (db, from) => upgrade(db, from),
        // A later version of this client, in another tab, is not kept waiting.
        blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
      });
}

/** From any earlier version to the present one. */
function upgrade(db: IDBPDatabase<Schema>, from: number): void {
  if (from < 1) {
    db.createObjectStore('meta');
    for (const store of ['device', 'conversations', 'groups', 'outbox', 'cards', 'keyPackages'] as const) {
      db.createObjectStore(store, { keyPath: 'id' });
    }
    const items = db.createObjectStore('items', { keyPath: ['conversation', 'key'] });
    items.createIndex('order', ['conversation', 'order']);
    items.createIndex('unread', ['conversation', 'counts', 'seq']);
  }
  if (from < 2) {
    db.createObjectStore('keys', { keyPath: 'id' });
  }
  if (from < 3) {
    db.createObjectStore('archive', { keyPath: 'id' });
    db.createObjectStore('archiveQueue', { keyPath: 'id' });
  }
}

/** idb opens the global factory only; tests bring one of their own per device. */
function openWith(factory: IDBFactory, name: string): Promise<IDBPDatabase<Schema>> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, version);
    request.onupgradeneeded = (event) =>
      upgrade(wrap(request.result) as unknown as IDBPDatabase<Schema>, event.oldVersion);
    request.onsuccess = () => resolve(wrap(request.result) as unknown as IDBPDatabase<Schema>);
    request.onerror = () => reject(request.error);
  });
}
