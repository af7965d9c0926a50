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

/**
 * Brings the account's history to a new device: reads every device's stream of the archive, checks that each chunk is where it
 * was sealed for, and stores what this device does not have. It may be interrupted at any time and goes on.
 */
export class ArchiveReader {
  #running: Promise<void> | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #attempt = 0;
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
    this.#running ??= this.#run(view)
      .catch((thrown) => this.#failed(thrown, view))
      .finally(() => {
        this.#running = null;
      });
  }

  #failed(thrown: unknown, view: ArchiveView): void {
    if (isCode(thrown, ErrorCode.archiveUnknown) || isCode(thrown, ErrorCode.archiveOff)) {
      this.onGone();
    } else if (isTransient(thrown) && this.core.online && this.#timer === null) {
      const waitMs = 500 + fullJitterMs(this.#attempt++, 1000, 60_000);
      this.#timer = setTimeout(() => {
        this.#timer = null;
        this.start(view);
      }, waitMs);
    }
  }

  async #run(view: ArchiveView): Promise<void> {
    const { state } = this.store;
    // What this device has itself goes into the archive first, so that nothing goes there twice.
    if (!state?.restore || state.restore.isDone || state.backfill || view.archive !== state.archive) {
      return;
    }
    const { archive } = state;
    const begun: Omit<Stream, 'chunks'> = { next: 0, previous: noDigest(), isDamaged: false };
    for (const { device, chunks } of view.streams) {
      if (device !== this.core.device.device) {
        await this.#change(archive, device, (known) => ({ ...(known ?? begun), chunks }));
      }
    }
    for (const device of Object.keys(this.store.state?.restore?.streams ?? {})) {
      await this.#read(archive, device);
    }
    const isDone = (restore: ArchiveRestore) => ({ ...restore, isDone: true });
    await this.store.update(archive, (known) => ({ ...known, restore: known.restore && isDone(known.restore) }));
    await this.onDone();
  }

  #change(archive: string, device: string, change: (known: Stream | undefined) => Stream): Promise<void> {
    return this.store.update(archive, (state) => {
      const { restore } = state;
      const streams = { ...restore?.streams, [device]: change(restore?.streams[device]) };
      return { ...state, restore: restore && { ...restore, streams } };
    });
  }

  async #read(archive: string, device: string): Promise<void> {
    for (;;) {
      const stream = this.store.state?.restore?.streams[device];
      const { cipher } = this.store;
      if (!stream || !cipher || stream.isDamaged || stream.next >= stream.chunks || this.core.stopped) {
        return;
      }
      const page = await this.core.api.archiveChunks(archive, device, stream.next);
      let { next: number, previous } = stream;
      let isDamaged = false as boolean;
      for (const chunk of page.chunks) {
        const sealed = fromBase64(chunk);
        const json = await cipher.open({ device, number, previous }, sealed);
        const content = json && readArchive(json);
        if (!content) {
          isDamaged = true;
          break;
        }
        await this.#take(content);
        number++;
        previous = digestOf(sealed);
      }
      // Fewer than were announced: something is missing.
      isDamaged ||= page.chunks.length === 0;
      const read = { next: number, previous, isDamaged };
      await this.#change(archive, device, (known) => ({ ...(known ?? stream), ...read }));
      this.#attempt = 0;
    }
  }

  async #take({ people, items }: ArchiveContent): Promise<void> {
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
      await core.queue.run(id, () => this.#store(id, list, people, cards));
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

  async #store(id: string, items: ArchiveItem[], people: ArchivePerson[], cards: Map<string, CardView>): Promise<void> {
    const { core } = this;
    const known = core.conversations.get(id) ?? formerConversation(id, items, people, core.device.account);
    const batch = new Batch(core, known, null);
    await this.#forgetBeginning(id, items, batch);
    for (const item of items) {
      const { content } = item;
      const stored = await batch.item(messageKey(item.device, item.id));
      if (content.type === 'text' && (!stored || stored.body.type === 'undecryptable')) {
        batch.putItem(this.#item(item, { type: 'message', text: content.text, error: null }));
      } else if (content.type === 'group' && batch.conversation.kind === 'group') {
        if (item.seq > batch.conversation.nameSeq) {
          batch.conversation = { ...batch.conversation, name: content.name, nameSeq: item.seq };
        }
      } else if (content.type === 'card') {
        const record = await this.#card(item, batch, cards.get(content.card));
        if (record) {
          batch.putCard(record);
          batch.putItem(this.#item(item, { type: 'card', card: record.id, error: null }));
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
    const isTrue = content.sound && isArchivedCard(record.view, item.conversation, content);
    return { ...record, memo: content.memo, mismatch: record.mismatch || !isTrue };
  }

  #item({ conversation, seq, at, account, device, id }: ArchiveItem, body: ItemRecord['body']): ItemRecord {
    const mine = account === this.core.device.account;
    return {
      conversation,
      key: messageKey(device, id),
      order: seq,
      seq,
      at: Date.parse(at),
      sender: this.core.person(account),
      mine,
      counts: false,
      body,
    };
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
