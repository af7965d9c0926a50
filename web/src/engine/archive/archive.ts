import { archiveIdOf } from '../../archive/cipher';
import { systemRandom } from '../../crypto/random';
import { fullJitterMs } from '../../net/jitter';
import { equalBytes } from '../../protocol/bytes';
import { ErrorCode, isCode, isNamed, localError } from '../../protocol/errors';
import type { ArchiveView } from '../../protocol/wire';
import { type ArchiveStatus, isLost } from '../../state/contract';
import type { ConversationRecord } from '../../storage/records';
import type { Core } from '../core';
import type { DeviceKeys } from '../keys/deviceKeys';
import { notApproved } from '../keys/ownKeys';
import type { Sync } from '../sync';
import { ArchiveBackfill } from './backfill';
import { isKeptForGood } from './entries';
import { ArchiveReader } from './restore';
import { ArchiveStore } from './store';
import { ArchiveUploader } from './uploader';

const keyBytes = 32;
/** Of what is stored before a place, to see whether any of it was brought. */
const lookedAt = 64;
/** A server takes no sealed chunk that is longer. */
const chunkMaxBytes = 64 * 1024 + 29;
const againMaxMs = 600_000;

/**
 * The account's history on the server, sealed, for those who want it: turned on and off by any of its devices, and followed by
 * the others. Each device archives what it opens and sends; a new one gets it all.
 */
export class Archive {
  readonly store: ArchiveStore;
  readonly uploader: ArchiveUploader;
  readonly backfill: ArchiveBackfill;
  readonly reader: ArchiveReader;
  /** As the server told last; null before, and where it keeps no archives. */
  #view: ArchiveView | null = null;
  #isRefused = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;
  onChange: () => void = () => undefined;

  constructor(
    readonly core: Core,
    readonly keys: DeviceKeys,
    readonly sync: Sync,
  ) {
    const lookAgain = () => this.#lookAgain();
    this.store = new ArchiveStore(core, keys.own);
    this.uploader = new ArchiveUploader(core, this.store, sync);
    this.backfill = new ArchiveBackfill(core, this.store);
    this.reader = new ArchiveReader(core, this.store, sync);
    this.store.onChange = () => this.onChange();
    this.uploader.onGone = lookAgain;
    this.uploader.onSent = (bytes) => {
      this.#attempt = 0;
      this.#view = this.#view && { ...this.#view, bytes: this.#view.bytes + bytes };
      this.onChange();
    };
    this.uploader.onDrained = () => this.backfill.start();
    this.backfill.onDone = lookAgain;
    this.reader.onGone = lookAgain;
    this.reader.onStale = () => void this.look().catch(() => undefined);
    this.reader.onDone = () => keys.own.write({ restoreDue: false });
    core.archiving = {
      wants: (conversation) => this.#wants(conversation),
      queued: () => {
        const touched = () => this.uploader.touched();
        void this.store.recount().then(touched, () => undefined);
      },
      hasBrought: (conversation, seq) => this.#hasBrought(conversation, seq),
    };
  }

  load(): Promise<void> {
    return this.store.load();
  }

  stop(): void {
    this.uploader.stop();
    this.reader.stop();
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** The archive is not what it was: at once the first time, and ever later where the server goes on contradicting itself. */
  #lookAgain(): void {
    if (this.#timer === null && !this.core.stopped) {
      const waitMs = this.#attempt === 0 ? 0 : 500 + fullJitterMs(this.#attempt, 1000, againMaxMs);
      this.#attempt++;
      this.#timer = setTimeout(() => {
        this.#timer = null;
        void this.look().catch(() => undefined);
      }, waitMs);
    }
  }

  /** A full archive has messages wait, up to a bound: there may be room again. */
  #wants(conversation: ConversationRecord): boolean {
    const { state, cipher } = this.store;
    return state !== null && cipher !== null && !state.behind && isKeptForGood(conversation);
  }

  async #hasBrought(conversation: string, seq: number): Promise<boolean> {
    const before = this.store.state?.restore ? await this.core.db.itemsBefore(conversation, seq, lookedAt) : [];
    return before.some(({ body }) => body.type === 'message');
  }

  get status(): ArchiveStatus {
    const { state, cipher, queued } = this.store;
    const { bytes, maximumBytes, archive } = this.#view ?? { bytes: 0, maximumBytes: 0, archive: undefined };
    const streams = Object.values(state?.restore?.streams ?? {});
    const sum = (count: (stream: (typeof streams)[number]) => number) =>
      streams.reduce((total, stream) => total + count(stream), 0);
    const isKept = state !== null && cipher !== null;
    return {
      state: this.#isRefused ? 'unavailable' : isKept ? 'on' : !this.#view ? 'unknown' : archive ? 'locked' : 'off',
      isKept: isKept || this.keys.own.record.archiveKey !== null,
      bytes,
      maximumBytes,
      isFull: state?.isFull ?? false,
      waiting: queued,
      isFilling: state?.backfill != null || state?.behind != null,
      restore: state?.restore
        ? {
            done: sum(({ next, chunks, isDamaged }) => (isDamaged ? chunks : Math.min(next, chunks))),
            total: sum(({ chunks }) => chunks),
            isDone: state.restore.isDone,
            damaged: sum(({ isDamaged }) => (isDamaged ? 1 : 0)),
            isPaused: this.reader.isPaused,
          }
        : null,
    };
  }

  /** Looks whether an archive is on, and follows: at each greeting, and when the server hints. */
  look(): Promise<void> {
    return this.core.queue.run('archive', () => this.#look());
  }

  async #look(): Promise<void> {
    const { core, store } = this;
    if (core.stopped || !this.keys.isApproved) {
      return;
    }
    const view = await this.#ask();
    this.#view = view;
    if (!view?.archive) {
      await this.#forget(view !== null);
    } else {
      await this.#follow(view, view.archive);
    }
    this.onChange();
    if (view && store.state) {
      this.backfill.start();
      this.reader.start(view);
      this.uploader.touched();
    }
  }

  /** Null where this server keeps no archives. */
  async #ask(): Promise<ArchiveView | null> {
    try {
      const view = await this.core.api.archive();
      this.#isRefused = false;
      return view;
    } catch (thrown) {
      if (!isCode(thrown, ErrorCode.archiveOff) && !isCode(thrown, ErrorCode.notFound)) {
        throw thrown;
      }
      this.#isRefused = true;
      return null;
    }
  }

  /** @param isOff whether the server says so, or only keeps none at the moment */
  async #forget(isOff: boolean): Promise<void> {
    const { archiveKey, restoreDue } = this.keys.own.record;
    // The key first: what is shown as off has none left.
    if (isOff && (archiveKey || restoreDue)) {
      await this.keys.own.write({ archiveKey: null, restoreDue: false });
    }
    if (isOff && this.store.state) {
      await this.store.drop();
    }
  }

  async #follow(view: ArchiveView, archive: string): Promise<void> {
    const { store } = this;
    const { own } = this.keys;
    if (store.state?.archive !== archive || !store.cipher) {
      const key = await this.#keyOf(archive);
      if (!key) {
        if (store.state && store.state.archive !== archive) {
          await store.drop();
        }
        return;
      }
      await own.write({ archiveKey: key });
      if (store.state?.archive !== archive) {
        await this.#putBack(key);
        await store.begin(archive, own.record.restoreDue);
      }
    }
    if (store.state?.isFull && view.bytes + chunkMaxBytes <= view.maximumBytes) {
      await store.update(archive, (state) => ({ ...state, isFull: false }));
    }
  }

  /** Two devices may have begun at the same moment: what the root secret opens must be the key of the one that is on. */
  async #putBack(archiveKey: Uint8Array): Promise<void> {
    const { rootSecret } = this.keys.own.record;
    const stored = rootSecret && (await this.keys.own.wrapped.read(rootSecret))?.archiveKey;
    if (!stored || !equalBytes(stored, archiveKey)) {
      await this.#wrapKey(archiveKey);
    }
  }

  /** Keys that this device cannot open stay as they are: another PIN was set since, and its device has wrapped what it knows. */
  async #wrapKey(archiveKey: Uint8Array | null): Promise<void> {
    const { own } = this.keys;
    const { rootSecret } = own.record;
    if (rootSecret && own.holdsKey) {
      await own.wrapped.setArchiveKey(rootSecret, own.requireSeed(own.chain), archiveKey).catch((thrown) => {
        if (!isNamed(thrown, 'pin_needed')) {
          throw thrown;
        }
      });
    }
  }

  /** This device's own key, or the one that the root secret opens, whichever is this archive's. */
  async #keyOf(archive: string): Promise<Uint8Array | null> {
    const { account } = this.core.device;
    const { archiveKey, rootSecret } = this.keys.own.record;
    if (archiveKey && archiveIdOf(archiveKey, account) === archive) {
      return archiveKey;
    }
    const stored = rootSecret && (await this.keys.own.wrapped.read(rootSecret))?.archiveKey;
    return stored && archiveIdOf(stored, account) === archive ? stored : null;
  }

  /**
   * Turns the archive on. Nothing but the root secret brings its key to a new device, so there must be a PIN, and it must be
   * known here.
   * @throws ActionError `archive_needs_pin`, `pin_needed`, `device_not_approved`; `archive_exists`: one is on whose key this
   * device cannot get; among others
   */
  turnOn(): Promise<void> {
    return this.core.queue.run('archive', async () => {
      const { own, pins, vault } = this.keys;
      if (!(await own.ensure())) {
        throw notApproved();
      }
      const { rootSecret } = own.record;
      // One that the vault has lost brings nothing back either, and one that is elsewhere cannot be entered.
      const isThere = pins.isSet && !isLost(vault.loss) && (rootSecret !== null || !vault.isElsewhere);
      if (!rootSecret || !isThere) {
        throw localError(isThere ? 'pin_needed' : 'archive_needs_pin', false);
      }
      const isOn = Boolean((await this.core.api.archive()).archive);
      const exists = isOn ? null : await this.#begin(rootSecret);
      await this.#look();
      if (exists && !this.store.state) {
        throw exists;
      }
    });
  }

  /** @returns what the server says where another device was quicker */
  async #begin(rootSecret: Uint8Array): Promise<unknown> {
    const { own } = this.keys;
    // Drawn each time, so that nothing of an earlier archive opens this one; kept and wrapped before the server hears of it.
    const key = systemRandom(keyBytes);
    await own.write({ archiveKey: key });
    const seed = own.requireSeed(own.chain);
    const replaced = await own.wrapped.setArchiveKey(rootSecret, seed, key);
    try {
      await this.core.api.turnArchiveOn(archiveIdOf(key, this.core.device.account));
      return null;
    } catch (thrown) {
      if (!isCode(thrown, ErrorCode.archiveExists)) {
        throw thrown;
      }
      const { archive } = await this.core.api.archive();
      if (replaced && own.root.isArchiveOf(replaced, archive)) {
        // Another device was quicker, and this one has written over its key: that is put right.
        await own.wrapped.setArchiveKey(rootSecret, seed, replaced);
      }
      return thrown;
    }
  }

  /** Deletes the archive, here and on the server, and its key with it. */
  turnOff(): Promise<void> {
    return this.core.queue.run('archive', async () => {
      const archive = await this.#find();
      if (archive) {
        await this.core.api.deleteArchive(archive);
        await this.store.drop();
        await this.#wrapKey(null);
      }
      await this.#forget(true);
      await this.#look();
    });
  }

  /** The one that is on; where the server keeps none any more, the one whose key is kept here: it can be deleted still. */
  async #find(): Promise<string | null> {
    const { archiveKey } = this.keys.own.record;
    const kept = archiveKey ? archiveIdOf(archiveKey, this.core.device.account) : null;
    try {
      return (await this.core.api.archive()).archive ?? this.store.state?.archive ?? null;
    } catch (thrown) {
      if (!isCode(thrown, ErrorCode.archiveOff)) {
        throw thrown;
      }
      return this.store.state?.archive ?? kept;
    }
  }

  /** Sends all that waits, as far as there is a connection; for whoever is about to go. */
  flush(): Promise<void> {
    return this.store.state ? this.uploader.flush() : Promise.resolve();
  }
}
