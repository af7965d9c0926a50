import { digestOf, noDigest } from '../../archive/cipher';
import { type ArchiveContent, type ArchiveItem, type ArchivePerson, readArchive } from '../../archive/content';
import { fullJitterMs } from '../../net/jitter';
import { fromBase64 } from '../../protocol/bytes';
import { ErrorCode, isCode, isTransient } from '../../protocol/errors';
import type { ArchiveView, CardView } from '../../protocol/wire';
import type { ArchiveRestore, CardRecord, ConversationRecord, ItemRecord } from '../../storage/records';
import { Batch } from '../batch';
import type { Core } from '../core';
import { firstSight, messageKey } from '../items';
import type { Sync } from '../sync';
import { isArchivedCard } from './entries';
import type { ArchiveStore } from './store';

type Stream = ArchiveRestore['streams'][string];

/** Other devices archive what they have read a moment after, and those that were away much later: looked for ever less often. */
const againMaxMs = 3_600_000;
/** So often a log is waited for that is to bring what a chunk has as well; then it is taken from there. */
const mostWaits = 8;

/**
 * Brings the account's history to a new device: reads every device's stream of the archive, checks that each chunk is where it
 * was sealed for, and stores what this device does not have. It may be interrupted at any time and goes on, and reads on when
 * streams have grown: other devices may have history that they archive only later.
 */
export class ArchiveReader {
  #running: Promise<void> | null = null;
  /** What is to be read up to next, where another look has shown it meanwhile. */
  #next: ArchiveView | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;
  #looks = 0;
  /** Something other than the connection is in the way; the next look tries again. */
  isPaused = false;
  /** Told that it is time to look whether anything has come. */
  onStale: () => void = () => undefined;
  onDone: () => Promise<void> = async () => undefined;
  onGone: () => void = () => undefined;

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

  /** Goes on where it was, where there is anything to bring back. */
  start(view: ArchiveView): void {
    this.#next = view;
    this.#running ??= this.#runAll();
  }

  async #runAll(): Promise<void> {
    this.#pause(false);
    for (let view = this.#next; view; view = this.#next) {
      this.#next = null;
      try {
        await this.#run(view);
        // A look that waited its turn may have come through where the one before it was stopped.
        this.#pause(false);
      } catch (thrown) {
        this.#failed(thrown, view);
      }
    }
    this.#running = null;
  }

  #failed(thrown: unknown, view: ArchiveView): void {
    const { core } = this;
    if (isCode(thrown, ErrorCode.archiveUnknown) || isCode(thrown, ErrorCode.archiveOff)) {
      this.onGone();
    } else if (isTransient(thrown)) {
      if (core.online) {
        this.#later(500 + fullJitterMs(this.#attempt++, 1000, 60_000), () => this.start(view));
      }
    } else if (!core.stopped) {
      this.#pause(true);
    }
  }

  #pause(isPaused: boolean): void {
    if (this.isPaused !== isPaused) {
      this.isPaused = isPaused;
      this.store.onChange();
    }
  }

  /** What comes next replaces what was to come. */
  #later(waitMs: number, job: () => void): void {
    this.stop();
    if (!this.core.stopped) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        job();
      }, waitMs);
    }
  }

  async #run(view: ArchiveView): Promise<void> {
    const { state } = this.store;
    if (!state?.restore || view.archive !== state.archive) {
      return;
    }
    const { archive } = state;
    for (const { device, chunks } of view.streams) {
      const known = state.restore.streams[device];
      if (device === this.core.device.device || known?.chunks === chunks) {
        continue;
      }
      // A restored server that has lost what was read already gets something else in its place.
      const begun = known && chunks >= known.next ? known : beginning();
      await this.#change(archive, device, () => ({ ...begun, chunks }));
    }
    if (state.restore.isDone || this.#attempt > 0) {
      // What the logs bring as well comes from there.
      await this.sync.settled();
    }
    let isAll = true;
    for (const device of Object.keys(this.store.state?.restore?.streams ?? {})) {
      isAll = (await this.#read(archive, device)) && isAll;
    }
    if (!isAll) {
      this.#later(500 + fullJitterMs(this.#attempt++, 1000, 60_000), () => this.start(view));
      return;
    }
    if (!this.store.state?.restore?.isDone) {
      const isDone = (restore: ArchiveRestore) => ({ ...restore, isDone: true });
      await this.store.update(archive, (known) => ({ ...known, restore: known.restore && isDone(known.restore) }));
      await this.onDone();
    }
    this.#attempt = 0;
    // The first time when whatever waited elsewhere has gone.
    const waitMs = 1.5 * this.core.timing.archiveMs * 2 ** Math.min(this.#looks++, 20);
    this.#later(Math.min(againMaxMs, waitMs), () => this.onStale());
  }

  #change(archive: string, device: string, change: (known: Stream | undefined) => Stream): Promise<void> {
    return this.store.update(archive, (state) => {
      const { restore } = state;
      const streams = { ...restore?.streams, [device]: change(restore?.streams[device]) };
      return { ...state, restore: restore && { ...restore, streams } };
    });
  }

  /** Returns whether all of it was read, or as far as it can be; what the log is about to bring is waited for. */
  async #read(archive: string, device: string): Promise<boolean> {
    for (let isAnew = false; ; ) {
      const stream = this.store.state?.restore?.streams[device];
      const { cipher } = this.store;
      if (!stream || !cipher || stream.isDamaged || stream.next >= stream.chunks || this.core.stopped) {
        return true;
      }
      const page = await this.core.api.archiveChunks(archive, device, stream.next);
      let { next: number, previous } = stream;
      // Fewer than were announced: something is missing.
      let isDamaged = page.chunks.length === 0;
      let isAhead = false;
      for (const chunk of page.chunks) {
        const sealed = bytesOf(chunk);
        const json = sealed && (await cipher.open({ device, number, previous }, sealed));
        const content = json && readArchive(json);
        isDamaged = !content;
        isAhead = content !== null && this.#attempt < mostWaits && (await this.#isAhead(content));
        if (!sealed || !content || isAhead) {
          break;
        }
        await this.#take(archive, content);
        number++;
        previous = digestOf(sealed);
      }
      if (isDamaged && number === stream.next && number > 0 && !isAnew) {
        // It may be another stream by now, of a restored server: then it opens from its beginning on.
        isAnew = true;
        await this.#change(archive, device, () => ({ ...beginning(), chunks: stream.chunks }));
        continue;
      }
      const read = { next: number, previous, isDamaged };
      await this.#change(archive, device, (known) => ({ ...(known ?? stream), ...read }));
      if (isAhead) {
        return false;
      }
      this.#attempt = 0;
    }
  }

  /** Whether a log has yet to bring one of these to this device, which can open it: that is how it counts as unread. */
  async #isAhead({ items }: ArchiveContent): Promise<boolean> {
    for (const { conversation, seq } of items) {
      const known = this.core.conversations.get(conversation);
      if (known?.active && seq > known.cursor && seq <= known.head) {
        const group = await this.core.group(conversation);
        if (group?.state && seq > group.joinSeq) {
          return true;
        }
      }
    }
    return false;
  }

  async #take(archive: string, { people, items }: ArchiveContent): Promise<void> {
    const { core } = this;
    for (const { account, handle, displayName } of people) {
      if (!core.people.has(account)) {
        core.people.set(account, { id: account, handle, displayName });
      }
    }
    const byConversation = new Map<string, ArchiveItem[]>();
    for (const item of items) {
      byConversation.set(item.conversation, [...(byConversation.get(item.conversation) ?? []), item]);
    }
    for (const [id, list] of byConversation) {
      if (!core.conversations.has(id)) {
        await this.sync.discover(id);
      }
      const cards = await this.#cards(list);
      await core.queue.run(id, () => this.#store(archive, id, list, people, cards));
    }
  }

  /** Cards of which this device knows nothing, as the server has them. */
  async #cards(items: ArchiveItem[]): Promise<Map<string, CardView>> {
    const views = new Map<string, CardView>();
    for (const { content } of items) {
      if (content.type === 'card' && !views.has(content.card) && !(await this.core.card(content.card))) {
        try {
          views.set(content.card, await this.core.api.card(content.card));
        } catch (thrown) {
          // The ledger shows it no more, as after this account has left: then there is nothing to show here either.
          if (isTransient(thrown)) {
            throw thrown;
          }
        }
      }
    }
    return views;
  }

  async #store(
    archive: string,
    id: string,
    items: ArchiveItem[],
    people: ArchivePerson[],
    cards: Map<string, CardView>,
  ): Promise<void> {
    const { core } = this;
    const known = core.conversations.get(id) ?? formerConversation(id, items, people, core.device.account);
    const batch = new Batch(core, known, null);
    await this.#forgetBeginning(id, items, batch);
    for (const item of items) {
      const { content } = item;
      const stored = await batch.item(messageKey(item.device, item.id));
      if (content.type === 'text' && (!stored || stored.body.type === 'undecryptable')) {
        batch.putItem(this.#item(archive, item, stored, { type: 'message', text: content.text, error: null }));
      } else if (content.type === 'group' && batch.conversation.kind === 'group') {
        if (item.seq > batch.conversation.nameSeq) {
          const { account, device, id: clientId } = item;
          const nameBy = { at: Date.parse(item.at), account, device, id: clientId, archive };
          batch.conversation = { ...batch.conversation, name: content.name, nameSeq: item.seq, nameBy };
        }
      } else if (content.type === 'card') {
        const record = await this.#card(item, batch, cards.get(content.card));
        if (record) {
          batch.putCard(record);
          batch.putItem(this.#item(archive, item, stored, { type: 'card', card: record.id, error: null }));
        }
      }
    }
    await batch.write();
  }

  /** "What was before cannot be read here" is not true any more. */
  async #forgetBeginning(id: string, items: ArchiveItem[], batch: Batch): Promise<void> {
    const joinSeq = (await this.core.group(id))?.joinSeq ?? 0;
    const key = `seq:${joinSeq}:9`;
    const notice = items.some((item) => item.seq < joinSeq) ? await batch.item(key) : null;
    if (notice?.body.type === 'notice' && notice.body.notice.kind === 'historyStartsHere') {
      await batch.removeItem(key);
    }
  }

  /** The server's card under what the archive says of it; null where this device has it already, or there is none. */
  async #card(item: ArchiveItem, batch: Batch, view: CardView | undefined): Promise<CardRecord | null> {
    const { content } = item;
    if (content.type !== 'card') {
      return null;
    }
    const stored = await batch.card(content.card);
    const record = stored ?? (view && firstSight(view));
    if (!record || (stored && stored.memo !== null)) {
      return null;
    }
    // That it could not be opened here is no reason to warn of it any more; that it contradicts itself is.
    const isTrue = content.sound && isArchivedCard(record.view, item.conversation, content);
    return { ...record, memo: content.memo, mismatch: record.contradicted === true || !isTrue };
  }

  #item(
    archive: string,
    { conversation, seq, at, account, device, id }: ArchiveItem,
    stored: ItemRecord | null,
    body: ItemRecord['body'],
  ): ItemRecord {
    const mine = account === this.core.device.account;
    return {
      conversation,
      key: messageKey(device, id),
      order: seq,
      seq,
      at: Date.parse(at),
      sender: this.core.person(account),
      mine,
      counts: stored?.counts ?? false,
      body,
      archive,
    };
  }
}

/** Of a stream of which nothing was read. */
function beginning(): Omit<Stream, 'chunks'> {
  return { next: 0, previous: noDigest(), isDamaged: false };
}

/** Null for what is no base64: whoever keeps the chunk has damaged it. */
function bytesOf(chunk: string): Uint8Array | null {
  try {
    return fromBase64(chunk);
  } catch {
    return null;
  }
}

/** A conversation that this account was in once, and of which the server tells nothing any more. */
function formerConversation(id: string, items: ArchiveItem[], people: ArchivePerson[], me: string): ConversationRecord {
  const seqs = items.map(({ seq }) => seq);
  const times = items.map(({ at }) => Date.parse(at));
  const former = people
    .filter(({ account }) => account !== me && items.some((item) => item.account === account))
    .map(({ account, handle, displayName }) => ({ id: account, handle, displayName }));
  return {
    id,
    kind: 'group',
    createdAt: Math.min(...times),
    joinedSeq: 1,
    members: [],
    former,
    pendingRemovals: [],
    head: Math.max(...seqs),
    viewSeq: 0,
    epoch: 0,
    cursor: Math.max(...seqs),
    active: false,
    name: null,
    nameSeq: 0,
    marks: {},
    read: Math.max(...seqs),
    unread: 0,
    lastActivityAt: Math.max(...times),
    previewKey: null,
    draft: '',
  };
}
