import type { Change } from '../../storage/database';
import type { ArchiveBackfillRecord, ItemRecord } from '../../storage/records';
import type { Core } from '../core';
import { isKeptForGood, ofName, ofStored, toQueue } from './entries';
import { type ArchiveStore, fromTheStart } from './store';

/** Messages queued in one transaction; more are not while this many wait. */
const pageItems = 64;
const mostWaiting = 256;

/**
 * Queues the history that this device has when an archive is turned on, and what more came than may wait: conversation by
 * conversation, a page at a time.
 */
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
    while (!core.stopped && store.state && store.queued < this.#most) {
      const { archive, backfill, behind } = store.state;
      if (!backfill && !behind) {
        return;
      }
      if (!backfill) {
        // From here on what comes is queued again.
        const since = { ...fromTheStart(), floors: behind ?? undefined };
        await store.update(archive, (state) => ({ ...state, backfill: since, behind: null }));
        continue;
      }
      const { conversation, before } = backfill;
      const floor = backfill.floors?.[conversation] ?? 0;
      // In its turn: what was not queued because too much waited is stored by then.
      const page =
        conversation === ''
          ? []
          : await core.queue.run(conversation, () => core.db.itemsBefore(conversation, before, pageItems));
      const first = page[0];
      const next = first && first.order > floor ? { ...backfill, before: first.order } : this.#after(backfill);
      const changes = await this.#queue(page, backfill, archive);
      if (next && next.conversation !== conversation) {
        changes.push(...this.#name(next, archive));
      }
      await store.update(archive, (state) => ({ ...state, backfill: next }), changes);
      await store.recount();
      if (next === null) {
        this.onDone();
      }
    }
  }

  get #most(): number {
    return Math.min(mostWaiting, this.store.mostQueued);
  }

  #after(backfill: ArchiveBackfillRecord): ArchiveBackfillRecord | null {
    const next = [...this.core.conversations.values()]
      .filter((record) => record.id > backfill.conversation && isKeptForGood(record))
      .map(({ id }) => id)
      .sort()[0];
    return next === undefined ? null : { ...backfill, conversation: next, before: Number.MAX_SAFE_INTEGER };
  }

  /** What a group is called: no item shows the message that said it. */
  #name({ conversation, floors, isAll }: ArchiveBackfillRecord, archive: string): Change[] {
    const record = this.core.conversations.get(conversation);
    const archived = record && record.nameSeq > (floors?.[conversation] ?? 0) ? ofName(record) : null;
    return archived && (isAll || record?.nameBy?.archive !== archive)
      ? [{ put: 'archiveQueue', value: toQueue(archived, this.core.person(archived.account)) }]
      : [];
  }

  async #queue(items: ItemRecord[], backfill: ArchiveBackfillRecord, archive: string): Promise<Change[]> {
    const { floors, conversation, isAll } = backfill;
    const floor = floors?.[conversation] ?? 0;
    const changes: Change[] = [];
    for (const item of items.filter(({ order }) => order > floor)) {
      const card = item.body.type === 'card' ? await this.core.card(item.body.card) : null;
      const archived = isAll || item.archive !== archive ? ofStored(item, card) : null;
      if (archived && item.sender) {
        changes.push({ put: 'archiveQueue', value: toQueue(archived, item.sender) });
      }
    }
    return changes;
  }
}
