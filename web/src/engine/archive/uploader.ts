import { digestOf, noDigest } from '../../archive/cipher';
import { type ArchivePerson, encodeArchive } from '../../archive/content';
import { jsonMaxBytes } from '../../archive/padding';
import { fullJitterMs } from '../../net/jitter';
import { fromBase64, toBase64, utf8 } from '../../protocol/bytes';
import { ErrorCode, isCode, isTransient } from '../../protocol/errors';
import type { Change } from '../../storage/database';
import type { ArchivePendingRecord, ArchiveQueueRecord, ArchiveStateRecord } from '../../storage/records';
import type { Core } from '../core';
import type { Sync } from '../sync';
import { isKeptForGood } from './entries';
import { type ArchiveStore, fromTheStart } from './store';

/** A chunk is sent when this many messages wait, or this much JSON. */
const fullItems = 32;
const fullBytes = 48 * 1024;
/** A stream that is elsewhere than this device believes is looked at anew; more often than this it cannot be chance. */
const realignments = 3;
/** What a server has refused it is not asked every time that somebody writes. */
const refusedMs = 60_000;
/** The object that a chunk's JSON is, without people and items. */
const frameBytes = 64;

/** Sends what waits for the archive, in chunks of this device's own stream: one at a time, in order, each kept before it goes. */
export class ArchiveUploader {
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** When the first of those that wait has waited long enough. */
  #dueAt: number | null = null;
  #attempt = 0;
  /** The server was busy, or refused what waits first: not before then again. */
  #notBefore = 0;
  /** How often somebody wanted to send while something was being sent. */
  #kicks = 0;
  /** Told how many bytes have gone. */
  onSent: (bytes: number) => void = () => undefined;
  /** Told that the archive is not there any more. */
  onGone: () => void = () => undefined;
  /** Told that next to nothing waits. */
  onDrained: () => void = () => undefined;

  constructor(
    readonly core: Core,
    readonly store: ArchiveStore,
    readonly sync: Sync,
  ) {}

  stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** More waits, or the connection is back. */
  touched(): void {
    if (this.store.queued > 0) {
      this.#dueAt ??= Date.now() + this.core.timing.archiveMs;
    }
    const isFull = this.store.queued >= fullItems;
    const waitMs = Math.max(this.#notBefore, isFull ? 0 : (this.#dueAt ?? 0)) - Date.now();
    if (isFull && waitMs <= 0) {
      void this.#start(false);
    } else {
      this.#later(Math.max(0, waitMs));
    }
  }

  /** Sends all that waits now. */
  async flush(): Promise<void> {
    this.#dueAt = 0;
    this.#notBefore = 0;
    await this.#start(true);
  }

  #later(waitMs: number): void {
    if (this.#timer === null && !this.core.stopped) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        void this.#start(false);
      }, waitMs);
    }
  }

  #start(isAgain: boolean): Promise<void> {
    const running = this.#running;
    if (running) {
      this.#kicks++;
      return isAgain ? running.then(() => this.#start(false)) : running;
    }
    this.#running = this.#runAll();
    return this.#running;
  }

  /** Whoever came while it was found that nothing is to be sent is not forgotten. */
  async #runAll(): Promise<void> {
    let kicks: number;
    do {
      kicks = this.#kicks;
      await this.#run().catch(() => undefined);
    } while (kicks !== this.#kicks && Date.now() >= this.#notBefore);
    this.#running = null;
  }

  async #run(): Promise<void> {
    const { core, store } = this;
    let left = realignments;
    while (core.online && store.state && !store.state.isFull && store.cipher && core.deviceOrNull?.credential) {
      try {
        const pending = (await core.db.archive<ArchivePendingRecord>('pending')) ?? (await this.#seal(store.state));
        if (!pending) {
          return;
        }
        await this.#send(store.state, pending);
        this.#attempt = 0;
      } catch (thrown) {
        const next = isCode(thrown, ErrorCode.archiveChunkConflict) ? thrown.info.details?.next : null;
        if (typeof next === 'number' && left-- > 0) {
          await this.#realign(store.state, next);
        } else {
          await this.#failed(thrown);
          return;
        }
      }
    }
  }

  async #failed(thrown: unknown): Promise<void> {
    const { archive } = this.store.state ?? {};
    if (isCode(thrown, ErrorCode.archiveFull) && archive) {
      await this.store.update(archive, (state) => ({ ...state, isFull: true }));
    } else if (this.core.online) {
      const waitMs = isTransient(thrown) ? 500 + fullJitterMs(this.#attempt++, 1000, 60_000) : refusedMs;
      this.#notBefore = Date.now() + waitMs;
      this.#later(waitMs);
      if (isCode(thrown, ErrorCode.archiveUnknown) || isCode(thrown, ErrorCode.archiveOff)) {
        this.onGone();
      }
    }
  }

  /** The next chunk, kept with what is in it taken from the queue; null while it is to wait for more. */
  async #seal(state: ArchiveStateRecord): Promise<ArchivePendingRecord | null> {
    const { core, store } = this;
    for (;;) {
      const first = await core.db.archiveQueue(fullItems + 1);
      if (first.length === 0) {
        this.#dueAt = null;
        return null;
      }
      const { taken, dropped, bytes } = await this.#choose(first);
      const isDue = this.#dueAt !== null && this.#dueAt <= Date.now();
      if (taken.length > 0 && taken.length < fullItems && bytes < fullBytes && first.length <= fullItems && !isDue) {
        this.#dueAt ??= Date.now() + core.timing.archiveMs;
        this.#later(Math.max(0, this.#dueAt - Date.now()));
        return null;
      }
      const removals = [...taken, ...dropped].map(({ id }): Change => ({ remove: 'archiveQueue', id }));
      const pending = taken.length > 0 ? await this.#sealed(state, encode(taken)) : null;
      const kept: Change[] = pending ? [{ put: 'archive', id: 'pending', value: pending }] : [];
      if (store.state?.archive !== state.archive || (taken.length > 0 && !pending)) {
        return null;
      }
      await core.write([...removals, ...kept], 'strict');
      await store.recount();
      if (store.queued === 0) {
        this.#dueAt = null;
      }
      if (pending) {
        return pending;
      }
    }
  }

  async #sealed({ archive, next: number, previous }: ArchiveStateRecord, json: Uint8Array) {
    const place = { device: this.core.device.device, number, previous };
    const sealed = await this.store.cipher?.seal(place, json);
    return sealed ? { archive, number, sealed } : null;
  }

  /** As many as go into one chunk, and those that must not be archived after all. */
  async #choose(first: ArchiveQueueRecord[]) {
    const taken: ArchiveQueueRecord[] = [];
    const dropped: ArchiveQueueRecord[] = [];
    let bytes = 0;
    for (const waiting of first) {
      if (!(await this.#isKept(waiting.item.conversation))) {
        dropped.push(waiting);
        continue;
      }
      // With a sender of their own each, which is the most that they can take.
      const more = utf8(JSON.stringify(waiting.item)).length + utf8(JSON.stringify(personOf(waiting))).length + 2;
      if (more > jsonMaxBytes - frameBytes) {
        // No chunk has room for it.
        dropped.push(waiting);
        continue;
      }
      if (taken.length === fullItems || bytes + more > jsonMaxBytes - frameBytes) {
        break;
      }
      taken.push(waiting);
      bytes += more;
    }
    return { taken, dropped, bytes };
  }

  /**
   * Whether a conversation's messages are kept for good at this moment; where nobody has told yet, the server is asked. Of one
   * that the account is not in any more it tells nothing: what was never told is no limit.
   */
  async #isKept(id: string): Promise<boolean> {
    const { core } = this;
    const known = core.conversations.get(id);
    if (known?.active && known.retentionDays === undefined) {
      try {
        await this.sync.learn(await core.api.conversation(id));
      } catch (thrown) {
        if (isTransient(thrown)) {
          throw thrown;
        }
        if (!isCode(thrown, ErrorCode.conversationUnknown) && !isCode(thrown, ErrorCode.notMember)) {
          return false;
        }
      }
    }
    const told = core.conversations.get(id);
    return told !== undefined && isKeptForGood(told);
  }

  async #send({ archive }: ArchiveStateRecord, { number, sealed, ...pending }: ArchivePendingRecord): Promise<void> {
    const { core, store } = this;
    if (pending.archive !== archive) {
      await core.write([{ remove: 'archive', id: 'pending' }]);
      return;
    }
    await core.api.storeArchiveChunk(archive, number, toBase64(sealed));
    const next = { next: number + 1, previous: digestOf(sealed), isFull: false };
    await store.update(archive, (state) => ({ ...state, ...next }), [{ remove: 'archive', id: 'pending' }]);
    this.onSent(sealed.length);
    if (store.queued < fullItems) {
      this.onDrained();
    }
  }

  /**
   * The server has more or less of this device's stream than the device remembers: it goes on where the server is. Where that
   * is less, as after a restored backup, what this device has is queued again.
   */
  async #realign(state: ArchiveStateRecord, next: number): Promise<void> {
    const { core, store } = this;
    const { archive } = state;
    const { device } = core.device;
    const pending = await core.db.archive<ArchivePendingRecord>('pending');
    const json = pending && (await store.cipher?.open({ ...state, device, number: pending.number }, pending.sealed));
    const last = next > 0 ? (await core.api.archiveChunks(archive, device, next - 1)).chunks[0] : undefined;
    const previous = last === undefined ? noDigest() : digestOf(fromBase64(last));
    const resealed = json ? await this.#sealed({ ...state, next, previous }, json) : null;
    const change: Change = resealed
      ? { put: 'archive', id: 'pending', value: resealed }
      : { remove: 'archive', id: 'pending' };
    const lost = next < state.next ? { backfill: { ...fromTheStart(), isAll: true } } : {};
    await store.update(archive, (known) => ({ ...known, next, previous, ...lost }), [change]);
  }
}

function personOf({ sender }: ArchiveQueueRecord): ArchivePerson {
  return { account: sender.id, handle: sender.handle, displayName: sender.displayName };
}

function encode(waiting: ArchiveQueueRecord[]): Uint8Array {
  const people = new Map(waiting.map((one) => [one.sender.id, personOf(one)]));
  return encodeArchive({ people: [...people.values()], items: waiting.map(({ item }) => item) });
}
