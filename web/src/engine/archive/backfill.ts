import type { Change } from '../../storage/database';
import type { ItemRecord } from '../../storage/records';
import type { Core } from '../core';
import { ofStored, toQueue } from './entries';
import type { ArchiveStore } from './store';

/** Messages queued in one transaction; more are not while this many wait. */
const pageItems = 64;
const mostWaiting = 256;

/** Queues the history that this device has when an archive is turned on: conversation by conversation, a page at a time. */
export class ArchiveBackfill {
  #running: Promise<void> | null = null;
  onDone: () => void = () => undefined;

  constructor(
    readonly core: Core,
    readonly store: ArchiveStore,
  ) {}

  /** Goes on where it was, until all is queued or enough waits. */
  start(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
    void this.#running.catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { core, store } = this;
    while (!core.stopped && store.state?.backfill && store.queued < mostWaiting) {
      const { archive, backfill } = store.state;
      const { conversation, before } = backfill;
      const page = conversation === '' ? [] : await core.db.itemsBefore(conversation, before, pageItems);
      const first = page[0];
      const next = first ? { conversation, before: first.order } : this.#after(conversation);
      await store.update(archive, (state) => ({ ...state, backfill: next }), await this.#queue(page));
      if (next === null) {
        this.onDone();
      }
    }
  }

  #after(conversation: string): { conversation: string; before: number } | null {
    const next = [...this.core.conversations.values()]
      .filter((record) => record.id > conversation && this.core.archiving.wants(record))
      .map(({ id }) => id)
      .sort()[0];
    return next === undefined ? null : { conversation: next, before: Number.MAX_SAFE_INTEGER };
  }

  async #queue(items: ItemRecord[]): Promise<Change[]> {
    const changes: Change[] = [];
    for (const item of items) {
      const card = item.body.type === 'card' ? await this.core.card(item.body.card) : null;
      const archived = ofStored(item, card);
      if (archived && item.sender) {
        changes.push({ put: 'archiveQueue', value: toQueue(archived, item.sender) });
      }
    }
    return changes;
  }
}
