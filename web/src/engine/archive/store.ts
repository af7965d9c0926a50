import { ArchiveCipher, noDigest } from '../../archive/cipher';
import type { Change } from '../../storage/database';
import type { ArchiveBackfillRecord, ArchiveStateRecord } from '../../storage/records';
import type { Core } from '../core';
import type { OwnKeys } from '../keys/ownKeys';

const place = 'state';
/** No more messages wait; what comes then is looked up later. As much as the SDK has wait. */
const mostQueued = 10_000;

/** What this device does for the archive, as it is stored; the parts that do it change it one at a time. */
export class ArchiveStore {
  #state: ArchiveStateRecord | null = null;
  #cipher: ArchiveCipher | null = null;
  /** How many messages wait, as it was counted last. */
  queued = 0;
  mostQueued = mostQueued;
  #counting: Promise<void> | null = null;
  #isStale = false;
  onChange: () => void = () => undefined;

  constructor(
    readonly core: Core,
    readonly own: OwnKeys,
  ) {}

  async load(): Promise<void> {
    this.#state = await this.core.db.archive<ArchiveStateRecord>(place);
    await this.recount();
  }

  /** Counts what waits: whatever else queues or takes meanwhile has it counted again. */
  recount(): Promise<void> {
    this.#isStale = true;
    this.#counting ??= this.#count();
    return this.#counting;
  }

  async #count(): Promise<void> {
    try {
      while (this.#isStale) {
        this.#isStale = false;
        this.queued = await this.core.db.archiveQueued();
      }
    } finally {
      this.#counting = null;
    }
    if (this.queued >= this.mostQueued && this.#state && !this.#state.behind) {
      // Held before anything is left out: what comes after these is not in the queue.
      const floors = () =>
        Object.fromEntries([...this.core.conversations.values()].map(({ id, cursor }) => [id, cursor]));
      await this.update(this.#state.archive, (state) => ({ ...state, behind: state.behind ?? floors() }));
    }
    this.onChange();
  }

  get state(): ArchiveStateRecord | null {
    return this.#state;
  }

  /** Null where no archive is kept, or this device does not have its key. */
  get cipher(): ArchiveCipher | null {
    const { archiveKey } = this.own.record;
    const archive = this.#state?.archive;
    if (!archiveKey || !archive) {
      return null;
    }
    if (this.#cipher?.id !== archive) {
      const cipher = new ArchiveCipher(archiveKey, this.core.device.account);
      this.#cipher = cipher.id === archive ? cipher : null;
    }
    return this.#cipher;
  }

  /** Begins with an archive, and forgets what was meant for another one. */
  async begin(archive: string, isRestoring: boolean): Promise<void> {
    await this.#put(
      {
        archive,
        next: 0,
        previous: noDigest(),
        isFull: false,
        backfill: fromTheStart(),
        restore: isRestoring ? { isDone: false, streams: {} } : null,
      },
      [{ remove: 'archive', id: 'pending' }, { clear: 'archiveQueue' }],
    );
    await this.recount();
  }

  /** No archive is kept any more. */
  async drop(): Promise<void> {
    await this.core.queue.run('archive/state', async () => {
      await this.core.write([
        { remove: 'archive', id: place },
        { remove: 'archive', id: 'pending' },
        { clear: 'archiveQueue' },
      ]);
      this.#state = null;
    });
    await this.recount();
  }

  /** Changes the state of one archive, with whatever goes into the same transaction; nothing where it is another one by now. */
  async update(
    archive: string,
    change: (state: ArchiveStateRecord) => ArchiveStateRecord,
    others: Change[] = [],
  ): Promise<void> {
    await this.core.queue.run('archive/state', async () => {
      if (this.#state?.archive === archive) {
        const value = change(this.#state);
        await this.core.write([{ put: 'archive', id: place, value }, ...others], 'strict');
        this.#state = value;
      }
    });
    this.onChange();
  }

  async #put(value: ArchiveStateRecord, others: Change[]): Promise<void> {
    await this.core.queue.run('archive/state', async () => {
      await this.core.write([{ put: 'archive', id: place, value }, ...others], 'strict');
      this.#state = value;
    });
  }
}

/** All of the local history is to be queued. */
export function fromTheStart(): ArchiveBackfillRecord {
  return { conversation: '', before: Number.MAX_SAFE_INTEGER };
}
