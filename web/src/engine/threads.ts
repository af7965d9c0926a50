import type { ThreadItem } from '../state/contract';
import type { ItemRecord } from '../storage/records';
import type { Core } from './core';
import type { Views } from './views';

const firstPage = 50;
const nextPage = 100;

export type ThreadSnapshot = {
  items: ThreadItem[];
  loading: boolean;
  hasEarlier: boolean;
  firstUnreadKey: string | null;
};

type OpenThread = {
  items: ItemRecord[];
  loading: boolean;
  hasEarlier: boolean;
  firstUnreadKey: string | null;
  opened: number;
};

/** The threads that screens show now: their newest page at once from local data, earlier ones on demand. */
export class Threads {
  readonly #open = new Map<string, OpenThread>();

  constructor(
    readonly core: Core,
    readonly views: Views,
    readonly changed: (conversation: string) => void,
  ) {}

  open(id: string): void {
    const known = this.#open.get(id);
    if (known) {
      known.opened++;
      return;
    }
    this.#open.set(id, { items: [], loading: true, hasEarlier: false, firstUnreadKey: null, opened: 1 });
    void this.#loadFirst(id);
  }

  close(id: string): void {
    const thread = this.#open.get(id);
    if (thread && --thread.opened === 0) {
      this.#open.delete(id);
      this.views.forget(id);
    }
  }

  isOpen(id: string): boolean {
    return this.#open.has(id);
  }

  async #loadFirst(id: string): Promise<void> {
    const read = this.core.conversations.get(id)?.read ?? 0;
    const [items, unread] = await Promise.all([
      this.core.db.itemsBefore(id, Number.MAX_SAFE_INTEGER, firstPage),
      this.core.db.firstUnread(id, read),
      // Who is in it may stop what is sent there, and shows as soon as that is known.
      this.core.group(id).then(() => this.core.watcher.conversation(id)),
    ]);
    await this.#take(id, items, items.length === firstPage);
    const thread = this.#open.get(id);
    if (thread) {
      thread.loading = false;
      thread.firstUnreadKey = unread?.key ?? null;
      this.changed(id);
    }
  }

  async loadEarlier(id: string): Promise<void> {
    const thread = this.#open.get(id);
    const first = thread?.items[0];
    if (!thread?.hasEarlier || thread.loading || !first) {
      return;
    }
    thread.loading = true;
    this.changed(id);
    try {
      const items = await this.core.db.itemsBefore(id, first.order, nextPage);
      await this.#take(id, items, items.length === nextPage);
    } finally {
      thread.loading = false;
      this.changed(id);
    }
  }

  async #take(id: string, items: ItemRecord[], hasEarlier: boolean): Promise<void> {
    await Promise.all(items.map((item) => this.core.cardOf(item)));
    const thread = this.#open.get(id);
    if (thread) {
      const newer = new Set(thread.items.map((item) => item.key));
      thread.items = sorted([...items.filter((item) => !newer.has(item.key)), ...thread.items]);
      thread.hasEarlier = hasEarlier;
    }
  }

  /** Items were written: those that belong to what is shown take their places. */
  follow(id: string, put: ItemRecord[], removed: string[]): void {
    const thread = this.#open.get(id);
    if (!thread) {
      return;
    }
    const oldest = thread.hasEarlier ? (thread.items[0]?.order ?? 0) : 0;
    const shown = put.filter((item) => item.order >= oldest);
    const replaced = new Set([...put.map((item) => item.key), ...removed]);
    thread.items = sorted([...thread.items.filter((item) => !replaced.has(item.key)), ...shown]);
    this.changed(id);
  }

  snapshot(id: string): ThreadSnapshot | null {
    const thread = this.#open.get(id);
    const record = this.core.conversations.get(id);
    if (!thread || !record) {
      return null;
    }
    const items = thread.items.map((item) => this.views.item(record, item)).filter((item) => item !== null);
    const { loading, hasEarlier, firstUnreadKey } = thread;
    return { items, loading, hasEarlier, firstUnreadKey };
  }

  openIds(): string[] {
    return [...this.#open.keys()];
  }
}

function sorted(items: ItemRecord[]): ItemRecord[] {
  return items.sort((a, b) => a.order - b.order);
}
