import type { Presence } from '../state/contract';
import type { ItemRecord } from '../storage/records';
import type { Changed, Services } from './services';
import type { Sink } from './sink';

/** Tells the screens what changed: many changes of one moment together, and only what is looked at. */
export class Presenter implements Changed {
  /** Whether the list of conversations is known, from here or from the server. */
  loaded = false;
  #conversations = false;
  #flushing = false;
  readonly #threads = new Set<string>();
  readonly #cards = new Set<string>();

  constructor(
    readonly sink: Sink,
    readonly services: () => Services,
  ) {}

  conversation(id: string): void {
    this.thread(id);
    this.touchConversations();
    this.services().presence.touched();
  }

  keys(account: string | null): void {
    const { core, security } = this.services();
    this.sink.security(security);
    if (account !== null && account !== core.deviceOrNull?.account) {
      this.touchConversations();
    }
  }

  presence(changes: Map<string, Presence | null>): void {
    this.sink.presence(changes);
  }

  items(id: string, put: ItemRecord[], removed: string[]): void {
    const { threads, typing } = this.services();
    threads.follow(id, put, removed);
    for (const item of put) {
      if (item.sender && !item.mine) {
        typing.spoke(id, item.sender.id);
      }
    }
  }

  thread(id: string): void {
    if (this.services().threads.isOpen(id)) {
      this.#threads.add(id);
      this.#flushSoon();
    }
  }

  card(id: string): void {
    this.#cards.add(id);
    const conversation = this.services().core.cards.get(id)?.view.conversation;
    if (conversation) {
      this.conversation(conversation);
    }
    this.#flushSoon();
  }

  wallet(statement: string | null): void {
    const { wallet } = this.services();
    if (statement === null) {
      this.sink.wallet(wallet.wallet);
    } else {
      this.sink.statement(statement, wallet.statement(statement));
    }
  }

  payCodes(): void {
    this.sink.payCodes(this.services().payCodes.shown);
  }

  touchConversations(): void {
    this.#conversations = true;
    this.#flushSoon();
  }

  #flushSoon(): void {
    if (!this.#flushing) {
      this.#flushing = true;
      queueMicrotask(() => this.flush(false));
    }
  }

  flush(everything: boolean): void {
    const { core, views, threads } = this.services();
    this.#flushing = false;
    for (const id of this.#cards) {
      const card = views.cardById(id);
      if (card) {
        this.sink.card(card);
      }
    }
    for (const id of everything ? threads.openIds() : this.#threads) {
      const snapshot = threads.snapshot(id);
      if (snapshot) {
        this.sink.thread(id, snapshot);
      }
    }
    if (this.#conversations || everything) {
      const list = [...core.conversations.values()].sort((a, b) => b.lastActivityAt - a.lastActivityAt);
      const loading = !this.loaded && list.length === 0;
      this.sink.conversations(
        list.map((record) => views.conversation(record)),
        loading,
      );
    }
    this.#conversations = false;
    this.#threads.clear();
    this.#cards.clear();
  }
}
