import type { Identity, MlsPort } from '../crypto/port';
import type { Hub, OpenHub, ServerApi } from '../net/api';
import type { Connection } from '../net/connection';
import { localError } from '../protocol/errors';
import type { AccountView, SessionMode } from '../protocol/wire';
import type { Person } from '../state/contract';
import type { Change, Database } from '../storage/database';
import type {
  CardRecord,
  ConversationRecord,
  DeviceRecord,
  GroupRecord,
  ItemRecord,
  OutboxRecord,
} from '../storage/records';
import type { PinOptions } from './keys/pins';
import { KeyedQueue } from './queue';
import { ServerClock } from './serverClock';

/** How the engine's waits are scaled; tests shorten them. */
export type Timing = {
  /** Before pending removals are committed by whoever is online, at least and at most. */
  removalMs: [number, number];
  /** Before the group's name is sent again for a new device of mine, and for one of somebody else. */
  nameOwnMs: [number, number];
  nameOtherMs: [number, number];
  receiptsMs: number;
  typingEveryMs: number;
  /** Before people of changed conversations are watched. */
  presenceMs: number;
  /** Before a device looks again for the keys that another one has renewed; doubles with each look. */
  keysAgainMs: number;
  /** How long a message waits for others before it is archived. */
  archiveMs: number;
  /** How long after one look at an own code for paying comes the next, while somebody may scan it. */
  payCodesMs: number;
};

export const defaultTiming: Timing = {
  removalMs: [500, 4000],
  nameOwnMs: [200, 1500],
  nameOtherMs: [3000, 8000],
  receiptsMs: 250,
  typingEveryMs: 4000,
  presenceMs: 1000,
  keysAgainMs: 2000,
  archiveMs: 20_000,
  payCodesMs: 1500,
};

export type EngineParts = {
  db: Database;
  mls: MlsPort;
  api: ServerApi;
  openHub: OpenHub;
  sessionMode: SessionMode;
  /** One-time key packages to keep on the server. */
  stock: number;
  timing: Timing;
  pins: PinOptions;
};

/** The account's archive, as whatever stores messages sees it. */
export type Archiving = {
  /** Whether what is said in a conversation is kept there. */
  wants(conversation: ConversationRecord): boolean;
  /** More wait. */
  queued(): void;
  /** Whether it has brought messages of a conversation from before a seq. */
  hasBrought(conversation: string, seq: number): Promise<boolean>;
};

/** What changed, for whoever shows it. */
export type Watcher = {
  conversation(id: string): void;
  items(conversation: string, items: ItemRecord[], removed: string[]): void;
  card(id: string): void;
};

/**
 * What the parts of the engine share: the records in memory, which follow the database and never run ahead of it, the
 * queue in which a conversation's state changes, and the lane in which its network operations wait for each other.
 */
export class Core {
  readonly db: Database;
  readonly mls: MlsPort;
  readonly api: ServerApi;
  readonly timing: Timing;
  /** Short jobs on a conversation's records; nothing in it waits for the network. */
  readonly queue = new KeyedQueue();
  /** Sends, commits and joins of a conversation, one at a time, across the network. */
  readonly lane = new KeyedQueue();
  readonly conversations = new Map<string, ConversationRecord>();
  readonly groups = new Map<string, GroupRecord | null>();
  readonly outbox = new Map<string, OutboxRecord>();
  readonly previews = new Map<string, ItemRecord>();
  readonly cards = new Map<string, CardRecord>();
  readonly people = new Map<string, Person>();
  readonly watcher: Watcher;
  connection: Connection | null = null;
  /** Told of every group whose devices or their keys have changed; who is in it shows identity keys. */
  groupSeen: (group: GroupRecord) => void = () => undefined;
  /** Told of every card that was written. */
  cardSeen: (card: CardRecord) => void = () => undefined;
  /** What takes messages into the account's archive. */
  archiving: Archiving = { wants: () => false, queued: () => undefined, hasBrought: async () => false };
  stopped = false;
  readonly clock = new ServerClock();
  #device: DeviceRecord | null = null;
  #unsent = 0;

  constructor(
    readonly parts: EngineParts,
    watcher: Watcher,
  ) {
    this.db = parts.db;
    this.mls = parts.mls;
    this.api = parts.api;
    this.timing = parts.timing;
    this.watcher = watcher;
  }

  get deviceOrNull(): DeviceRecord | null {
    return this.#device;
  }

  /** @throws ActionError `not_ready` where nobody is signed in. */
  get device(): DeviceRecord {
    if (!this.#device) {
      throw localError('not_ready', false);
    }
    return this.#device;
  }

  get identity(): Identity {
    const { account, device, publicKey, privateKey, credential } = this.device;
    return { account, device, publicKey, privateKey, credential: credential ?? null };
  }

  /** @throws ActionError `offline`. */
  get hub(): Hub {
    const hub = this.connection?.hub;
    if (!hub || this.stopped) {
      throw localError('offline');
    }
    return hub;
  }

  get online(): boolean {
    return !this.stopped && this.connection?.hub != null;
  }

  /** Reads everything that is kept in memory. */
  async load(): Promise<void> {
    this.#device = await this.db.device();
    for (const entry of await this.db.outbox()) {
      this.outbox.set(entry.clientId, entry);
    }
    for (const conversation of await this.db.conversations()) {
      this.conversations.set(conversation.id, conversation);
      this.#learnPeople(conversation);
    }
    await Promise.all(
      [...this.conversations.values()].map(async (conversation) => {
        const item = conversation.previewKey ? await this.db.item(conversation.id, conversation.previewKey) : null;
        if (item) {
          this.previews.set(conversation.id, item);
          await this.cardOf(item);
        }
      }),
    );
    if (this.#device) {
      const { account, handle, displayName } = this.#device;
      this.people.set(account, { id: account, handle, displayName });
    }
  }

  /** The card an item shows, in memory from then on. */
  async cardOf(item: ItemRecord): Promise<void> {
    if (item.body.type === 'card') {
      await this.card(item.body.card);
    }
  }

  async card(id: string): Promise<CardRecord | null> {
    const known = this.cards.get(id) ?? (await this.db.card(id));
    if (known) {
      this.cards.set(id, known);
    }
    return known;
  }

  async group(conversation: string): Promise<GroupRecord | null> {
    const known = this.groups.get(conversation);
    if (known !== undefined) {
      return known;
    }
    const stored = await this.db.group(conversation);
    this.groups.set(conversation, stored);
    return stored;
  }

  /** Writes one transaction, then lets memory follow. Whoever changes a conversation does so inside its queue. */
  async write(changes: Change[], durability: 'relaxed' | 'strict' = 'relaxed'): Promise<void> {
    if (this.stopped) {
      throw localError('not_ready', false);
    }
    await this.db.write(changes, durability);
    const items = new Map<string, { put: ItemRecord[]; removed: string[] }>();
    const touched = new Set<string>();
    const itemsOf = (conversation: string) => {
      const entry = items.get(conversation) ?? { put: [], removed: [] };
      items.set(conversation, entry);
      return entry;
    };
    for (const change of changes) {
      this.#follow(change, itemsOf, touched);
    }
    if (changes.some((change) => 'put' in change && change.put === 'archiveQueue')) {
      this.archiving.queued();
    }
    for (const [conversation, { put, removed }] of items) {
      this.#followPreview(conversation, put, removed);
      touched.add(conversation);
      this.watcher.items(conversation, put, removed);
    }
    for (const conversation of touched) {
      this.watcher.conversation(conversation);
    }
  }

  #follow(
    change: Change,
    itemsOf: (conversation: string) => { put: ItemRecord[]; removed: string[] },
    touched: Set<string>,
  ): void {
    if ('clear' in change) {
      return;
    }
    if ('remove' in change) {
      if (change.remove === 'outbox') {
        this.outbox.delete(change.id);
      } else if (change.remove === 'groups') {
        this.groups.set(change.id, null);
      }
    } else if ('removeItem' in change) {
      itemsOf(change.conversation).removed.push(change.removeItem);
    } else if (change.put === 'conversations') {
      this.conversations.set(change.value.id, change.value);
      this.#learnPeople(change.value);
      touched.add(change.value.id);
    } else if (change.put === 'groups') {
      const before = this.groups.get(change.value.conversation);
      this.groups.set(change.value.conversation, change.value);
      if (before?.leaves !== change.value.leaves) {
        this.groupSeen(change.value);
      }
    } else if (change.put === 'outbox') {
      this.outbox.set(change.value.clientId, change.value);
    } else if (change.put === 'cards') {
      this.cards.set(change.value.id, change.value);
      this.watcher.card(change.value.id);
      this.cardSeen(change.value);
    } else if (change.put === 'items') {
      itemsOf(change.value.conversation).put.push(change.value);
    } else if (change.put === 'device') {
      this.#device = change.value;
    }
  }

  #followPreview(conversation: string, put: ItemRecord[], removed: string[]): void {
    const key = this.conversations.get(conversation)?.previewKey;
    const preview = put.find((item) => item.key === key);
    if (preview) {
      this.previews.set(conversation, preview);
    } else if (key && removed.includes(key)) {
      this.previews.delete(conversation);
    }
  }

  /** Changes one conversation's record inside its queue. */
  update(conversation: string, change: (record: ConversationRecord) => ConversationRecord | null): Promise<void> {
    return this.queue.run(conversation, async () => {
      const record = this.conversations.get(conversation);
      const next = record && change(record);
      if (next && next !== record) {
        await this.write([{ put: 'conversations', value: next }]);
      }
    });
  }

  /** Changes the device's own record; several parts do, and none may undo another's change. */
  updateDevice(change: Partial<DeviceRecord>): Promise<void> {
    return this.queue.run('device', () => this.write([{ put: 'device', value: { ...this.device, ...change } }]));
  }

  /** @throws ActionError `not_ready` for a conversation that this device does not know. */
  conversation(id: string): ConversationRecord {
    const record = this.conversations.get(id);
    if (!record) {
      throw localError('not_ready', false);
    }
    return record;
  }

  person(account: string): Person {
    return this.people.get(account) ?? { id: account, handle: '', displayName: '' };
  }

  learn(account: AccountView): Person {
    const person = { id: account.id, handle: account.handle, displayName: account.displayName };
    this.people.set(account.id, person);
    return person;
  }

  #learnPeople(conversation: ConversationRecord): void {
    for (const former of conversation.former) {
      if (!this.people.has(former.id)) {
        this.people.set(former.id, former);
      }
    }
    for (const member of conversation.members) {
      const { account, handle, displayName } = member;
      this.people.set(account, { id: account, handle, displayName });
    }
  }

  /** Entries that wait to be sent in a conversation, in order. */
  waiting(conversation: string): OutboxRecord[] {
    return [...this.outbox.values()]
      .filter((entry) => entry.conversation === conversation)
      .sort((a, b) => a.order - b.order);
  }

  /** Orders of unsent items increase, also across reloads. */
  nextUnsent(base: number): number {
    this.#unsent = Math.max(this.#unsent + 1, Date.now() * 8);
    return base + this.#unsent;
  }
}
