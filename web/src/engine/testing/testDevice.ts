import { IDBFactory } from 'fake-indexeddb';
import { Mls } from '../../crypto/mls';
import type { OpenHub, ServerApi } from '../../net/api';
import type {
  AccountSecurity,
  Card,
  ConnectionState,
  Conversation,
  PayCode,
  Phase,
  Presence,
  Statement,
  ThreadItem,
  Wallet,
} from '../../state/contract';
import { stretchHere } from '../../vault/argon2/argon2';
import { cheap } from '../../vault/testing/testVault';
import { Engine } from '../engine';
import type { Sink } from '../sink';
import type { ThreadSnapshot } from '../threads';

export type Way = { api: ServerApi; openHub: OpenHub };

/** What a screen would see. */
export class Screen implements Sink {
  phases: Phase[] = [];
  state: ConnectionState = 'offline';
  list: Conversation[] = [];
  threads = new Map<string, ThreadSnapshot>();
  cards = new Map<string, Card>();
  money: Wallet = { balances: [], loading: true, error: null };
  statements = new Map<string, Statement>();
  phase = (phase: Phase) => void this.phases.push(phase);
  updates = 0;
  update = () => void this.updates++;
  connection = (state: ConnectionState) => {
    this.state = state;
  };
  keys: AccountSecurity | null = null;
  security = (security: AccountSecurity) => {
    this.keys = security;
  };
  me = () => undefined;
  assets = () => undefined;
  conversations = (list: Conversation[]) => {
    this.list = list;
  };
  thread = (id: string, snapshot: ThreadSnapshot) => void this.threads.set(id, snapshot);
  people = new Map<string, Presence | null>();
  presence = (changes: Map<string, Presence | null>) => {
    for (const [account, presence] of changes) {
      this.people.set(account, presence);
    }
  };
  card = (card: Card) => void this.cards.set(card.id, card);
  wallet = (wallet: Wallet) => {
    this.money = wallet;
  };
  codes: PayCode[] = [];
  payCodes = (codes: PayCode[]) => {
    this.codes = codes;
  };
  statement = (key: string, statement: Statement | null) =>
    void (statement ? this.statements.set(key, statement) : this.statements.delete(key));
}

/** One browser of one person: a database that outlives its engines, and the engine that runs on it now. */
export class TestDevice {
  readonly factory = new IDBFactory();
  screen = new Screen();
  engine!: Engine;
  /** For how long a request of a registration may still be on its way, once it is opened again. */
  onTheWayMs = 0;

  constructor(
    readonly handle: string,
    readonly way: Way,
  ) {}

  static async signUp(handle: string, way: Way): Promise<TestDevice> {
    const device = new TestDevice(handle, way);
    await device.open();
    await device.engine.signUp({ handle, displayName: handle.toUpperCase(), password });
    await device.online();
    return device;
  }

  /** A further device, which an earlier one approves. */
  static async signIn(handle: string, way: Way, approver: TestDevice): Promise<TestDevice> {
    const device = await TestDevice.waiting(handle, way);
    await approver.approve(device);
    await device.online();
    return device;
  }

  /** A further device that nobody has approved yet. */
  static async waiting(handle: string, way: Way): Promise<TestDevice> {
    const device = new TestDevice(handle, way);
    await device.open();
    await device.engine.signIn({ handle, password });
    await until(() => device.screen.state === 'online', `${handle} is online`);
    return device;
  }

  async approve(other: TestDevice): Promise<void> {
    const code = await other.engine.services.keys.approvalCode();
    await this.engine.approveDevice(code ?? '');
  }

  async open(): Promise<void> {
    this.screen = new Screen();
    this.engine = await Engine.open(
      {
        database: { factory: this.factory },
        api: this.way.api,
        openHub: this.way.openHub,
        mls: new Mls(),
        sessionMode: 'token',
        deviceName: 'vitest',
        stock: 6,
        pins: { stretch: () => stretchHere, parameters: cheap, onTheWayMs: this.onTheWayMs },
        timing: {
          removalMs: [20, 120],
          nameOwnMs: [5, 20],
          nameOtherMs: [200, 300],
          receiptsMs: 5,
          typingEveryMs: 50,
          presenceMs: 5,
          keysAgainMs: 50,
          archiveMs: 50,
          payCodesMs: 20,
        },
      },
      this.screen,
    );
    await this.engine.start();
  }

  /** As a reload of the page: everything in memory is gone. */
  async reload(): Promise<void> {
    this.engine.stop();
    await this.open();
  }

  async online(): Promise<void> {
    await until(() => this.screen.state === 'online', `${this.handle} is online`);
    await until(() => this.engine.services.core.device.lastResortUntilMs > 0, 'key packages are on the server');
    await this.settled();
  }

  /** Nothing queued, nothing being fetched. */
  async settled(): Promise<void> {
    const { core, sync } = this.engine.services;
    for (let i = 0; i < 3; i++) {
      await core.lane.idle();
      await core.queue.idle();
      await sync.settled();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  get account(): string {
    return this.engine.services.core.device.account;
  }

  conversation(id: string): Conversation {
    const found = this.screen.list.find((entry) => entry.id === id);
    if (!found) {
      throw new Error(`${this.handle} does not know the conversation`);
    }
    return found;
  }

  /** Every stored item of a conversation, as a thread would show it. */
  async items(id: string): Promise<ThreadItem[]> {
    const { core, views } = this.engine.services;
    const records = await core.db.itemsBefore(id, Number.MAX_SAFE_INTEGER, 100_000);
    await Promise.all(records.map((record) => core.cardOf(record)));
    const conversation = core.conversation(id);
    return records.map((record) => views.item(conversation, record)).filter((item) => item !== null);
  }

  async texts(id: string): Promise<string[]> {
    return (await this.items(id)).map((item) => (item.type === 'message' ? item.text : null)).filter((t) => t !== null);
  }

  async send(id: string, text: string): Promise<void> {
    await this.engine.sendText(id, text);
  }

  async sees(id: string, ...texts: string[]): Promise<void> {
    await until(
      async () => {
        const known = this.engine.services.core.conversations.has(id) ? await this.texts(id) : [];
        return texts.every((text) => known.includes(text));
      },
      () => `${this.handle} sees ${texts.join(', ')}`,
    );
  }

  async startDirect(other: TestDevice): Promise<string> {
    const person = await this.engine.findPerson(other.handle);
    return this.engine.services.chats.startDirect(person);
  }

  async createGroup(name: string, ...others: TestDevice[]): Promise<string> {
    const people = await Promise.all(others.map((other) => this.engine.findPerson(other.handle)));
    return this.engine.services.chats.createGroup(name, people);
  }

  stop(): void {
    this.engine.stop();
  }

  /** What went wrong in a conversation, if anything: nothing should. */
  async unreadable(id: string): Promise<ThreadItem[]> {
    const items = await this.items(id);
    return items.filter((item) => item.type === 'undecryptable' || (item.type === 'card' && item.card.mismatch));
  }
}

export const password = 'correct horse battery';

/** Waits for a condition with a deadline. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string | (() => string),
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) {
      throw new Error(`timed out waiting until ${typeof what === 'string' ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
