import type { ConnectionListener } from '../net/connection';
import { Limits } from '../protocol/limits';
import type { HelloReply } from '../protocol/wire';
import type { ConnectionState } from '../state/contract';
import type { Presenter } from './presenter';
import type { Services } from './services';
import type { Sink } from './sink';

/** What the connection has to ask of whoever keeps the session. */
export type LinkHost = {
  services(): Services;
  presenter: Presenter;
  sink: Sink;
  refreshMe(): Promise<void>;
  /** The server says that this session is over: was the device revoked, or only the session ended? */
  checkSession(): Promise<void>;
  sessionError(thrown: unknown): Promise<void>;
};

/** What happens on the connection: the greeting, what is done once it is there, what the server says by itself. */
export class Link {
  #hello: HelloReply | null = null;

  constructor(readonly host: LinkHost) {}

  get #services(): Services {
    return this.host.services();
  }

  /** Another session begins: what the last greeting said is of no use. */
  forget(): void {
    this.#hello = null;
  }

  listener(): ConnectionListener {
    const services = () => this.#services;
    return {
      greet: (hub) => this.#greet(hub),
      changed: (state, retryInMs) => this.#connectionChanged(state, retryInMs),
      lost: () => void this.#lost().catch(() => undefined),
      events: (events) => services().sync.pushed(events),
      heads: (views) => services().sync.heads(views),
      deviceMessages: (messages) => services().sync.welcomes(messages),
      receipts: (receipts) => this.#receipts(receipts),
      ephemeral: (signals) => services().typing.heard(signals),
      presence: (views) => services().presence.heard(views),
      walletChanged: (balances) => services().wallet.take(balances),
      control: (signal) => this.#control(signal),
      keys: (signal) => {
        const { keys, archive } = services();
        void keys.heard(signal).catch(() => undefined);
        void archive.look().catch(() => undefined);
      },
    };
  }

  async #greet(hub: Parameters<ConnectionListener['greet']>[0]): Promise<void> {
    const { core } = this.#services;
    const cursors = [...core.conversations.values()]
      .filter((conversation) => conversation.active)
      .slice(0, Limits.cursorsPerHello)
      .map((conversation) => ({ conversation: conversation.id, seq: conversation.cursor }));
    const { device, lineage } = core.device;
    const { protocolVersion: protocol, viewsPerHello: views } = Limits;
    const request = { device, protocol, capabilities: [], lineage, cursors, views };
    try {
      this.#hello = await hub.hello(request);
      core.clock.learn(Date.parse(this.#hello.serverTime));
    } catch (thrown) {
      await this.host.sessionError(thrown);
      throw thrown;
    }
  }

  #connectionChanged(state: ConnectionState, retryInMs: number | null): void {
    this.host.sink.connection(state, retryInMs);
    if (state === 'online' && this.#hello) {
      void this.#online(this.#hello).catch(() => undefined);
    }
  }

  async #online(hello: HelloReply): Promise<void> {
    const { sync, stock, receipts, outbox, wallet, presence, threads, keys, groups, archive } = this.#services;
    const watched = keys.watch().catch(() => undefined);
    if (!keys.isApproved) {
      await watched;
    }
    void stock.fill(hello.keyPackagesLeft).catch(() => undefined);
    void wallet.refresh().catch(() => undefined);
    void this.host.refreshMe().catch(() => undefined);
    await sync.greeted(hello);
    presence.refresh();
    threads.openIds().forEach((id) => void sync.look(id));
    this.host.presenter.loaded = true;
    this.host.presenter.touchConversations();
    receipts.touchedAll();
    outbox.kickAll();
    groups.renewal.start();
    void archive.look().catch(() => undefined);
    this.#services.payCodes.look();
  }

  async #lost(): Promise<void> {
    this.#services.presence.lost();
    await this.#services.outbox.lost();
    if (!this.#services.core.online) {
      await this.host.checkSession();
    }
  }

  #control(signal: Parameters<ConnectionListener['control']>[0]): void {
    switch (signal.kind) {
      case 'resync':
        // Anything may have been dropped, also that there is a conversation at all: a greeting says what differs.
        if (signal.conversation) {
          this.#services.sync.want([signal.conversation]);
        } else {
          void this.#services.connection.greetAgain();
        }
        break;
      case 'revoked':
        void this.host.checkSession();
        break;
      case 'reconnect':
        this.#services.connection.reconnectAfter(signal.reconnectAfterMs ?? 1000);
        break;
      case 'upgrade':
        this.host.sink.update();
        break;
      case 'keyPackagesLow':
        void this.#services.stock.fill(Limits.keyPackagesLowStock - 1).catch(() => undefined);
    }
  }

  #receipts(receipts: Parameters<ConnectionListener['receipts']>[0]): void {
    const { sync, receipts: own, core } = this.#services;
    sync.receipts(receipts);
    const mine = receipts.filter((receipt) => receipt.account === core.deviceOrNull?.account);
    for (const id of new Set(mine.map((receipt) => receipt.conversation))) {
      void own.followOwnDevices(id).catch(() => undefined);
    }
  }
}
