import { Connection, type ConnectionListener } from '../net/connection';
import type { AccountSecurity, Presence } from '../state/contract';
import { Archive } from './archive/archive';
import { Cards } from './cards';
import { Chats } from './chats';
import { Core, type EngineParts, type Watcher } from './core';
import { Debits } from './debits';
import { Devices } from './devices';
import { Groups } from './groups';
import { DeviceKeys } from './keys/deviceKeys';
import { PayPin } from './keys/payPin';
import { Log } from './log';
import { Outbox } from './outbox';
import { PayCodes } from './payCodes';
import { PaymentReceipts } from './paymentReceipts';
import { PresenceModel } from './presence';
import { Receipts } from './receipts';
import { Stock } from './stock';
import { Sync } from './sync';
import { Threads } from './threads';
import { Typing } from './typing';
import { Views } from './views';
import { WalletModel } from './wallet';
import { WalletBook } from './walletBook';

export type Changed = Watcher & {
  /** @param statement which one, by its key; null for the balances */
  wallet(statement: string | null): void;
  thread(conversation: string): void;
  presence(changes: Map<string, Presence | null>): void;
  keys(account: string | null): void;
  payCodes(): void;
};

/** The parts of the engine for one signed-in device, put together. */
export class Services {
  readonly core: Core;
  readonly keys: DeviceKeys;
  readonly groups: Groups;
  readonly devices: Devices;
  readonly log: Log;
  readonly sync: Sync;
  readonly outbox: Outbox;
  readonly chats: Chats;
  readonly receipts: Receipts;
  readonly stock: Stock;
  readonly cards: Cards;
  readonly payCodes: PayCodes;
  readonly wallet: WalletModel;
  readonly walletBook: WalletBook;
  readonly paymentReceipts: PaymentReceipts;
  readonly typing: Typing;
  readonly presence: PresenceModel;
  readonly views: Views;
  readonly threads: Threads;
  readonly archive: Archive;
  readonly payPin: PayPin;
  readonly connection: Connection;

  constructor(parts: EngineParts, changed: Changed, listener: ConnectionListener) {
    this.core = new Core(parts, changed);
    this.keys = new DeviceKeys(this.core, parts.pins);
    this.keys.alarms.onChange = () => changed.keys(null);
    this.keys.vault.onNews = () => changed.keys(null);
    this.keys.own.onChange = () => changed.keys(null);
    this.keys.people.onChange = (account) => changed.keys(account);
    this.keys.own.onApproved = () => this.#approved();
    // A device that was certified before may have got the archive's key now.
    this.keys.own.onTaken = () => void this.archive.look().catch(() => undefined);
    this.payPin = new PayPin(this.core, this.keys);
    this.payPin.onChange = () => changed.keys(null);
    this.groups = new Groups(this.core, this.keys);
    this.groups.renewal.onChange = () => changed.keys(null);
    this.devices = new Devices(this.core, this.keys, this.groups);
    this.log = new Log(this.core, {
      commitSeen: (id, event, external, mine) => this.chats.commitSeen(id, event, external, mine),
      logHeard: (from, note) => this.keys.gossip.heard(from, note),
      unknownKeys: (leaves) => this.keys.people.unknown(leaves),
      lookAtKeys: (leaves) => this.keys.lookAt(leaves),
    });
    this.sync = new Sync(this.core, this.log, this.groups);
    this.groups.sync = this.sync;
    this.groups.log = this.log;
    this.archive = new Archive(this.core, this.keys, this.sync);
    this.archive.onChange = () => changed.keys(null);
    const debits = new Debits(this.core);
    this.outbox = new Outbox(this.core, this.groups, this.sync, this.keys, debits);
    this.chats = new Chats(this.core, this.groups, this.sync, this.outbox);
    this.receipts = new Receipts(this.core);
    this.stock = new Stock(this.core);
    this.cards = new Cards(this.core, this.sync, this.keys, debits, this.payPin);
    this.payCodes = new PayCodes(this.core, this.sync, this.keys, this.chats, () => changed.payCodes());
    this.wallet = new WalletModel(this.core, (statement) => changed.wallet(statement));
    this.walletBook = new WalletBook(this.core);
    this.paymentReceipts = new PaymentReceipts(this.core, this.keys);
    this.typing = new Typing(this.core, (id) => changed.conversation(id));
    this.presence = new PresenceModel(this.core, (changes) => changed.presence(changes));
    this.views = new Views(this.core, this.cards.busy, (id) => this.typing.names(id), this.keys.people);
    this.threads = new Threads(this.core, this.views, (id) => changed.thread(id));
    this.sync.onApplied = (id) => {
      this.receipts.touched(id);
      // What another device has read may have come before the events themselves.
      void this.receipts.followOwnDevices(id).catch(() => undefined);
    };
    this.sync.onReadElsewhere = (id) => this.receipts.followOwnDevices(id);
    this.connection = new Connection(parts.openHub, listener);
    this.core.connection = this.connection;
  }

  /** What screens are to know of keys. */
  get security(): AccountSecurity {
    return {
      ...this.keys.security,
      payPin: this.payPin.status,
      renewal: this.groups.renewal.progress,
      archive: this.archive.status,
    };
  }

  /** This device can be added from now on, and goes where it could not go before. */
  #approved(): void {
    if (!this.core.online) {
      // The greeting that follows sees to everything.
      return;
    }
    void this.stock.fill(0).catch(() => undefined);
    this.groups.renewal.start();
    void this.archive.look().catch(() => undefined);
  }

  /** After this nothing is sent or written any more. */
  stop(): void {
    this.core.stopped = true;
    this.connection.stop();
    this.keys.stop();
    this.payPin.stop();
    this.payCodes.stop();
    this.archive.stop();
    this.groups.stop();
    this.chats.stop();
    this.outbox.stop();
    this.sync.stop();
    this.receipts.stop();
    this.typing.stop();
    this.presence.stop();
  }
}
