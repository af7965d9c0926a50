import type { UnprovenNote, UnprovenNotesRecord } from '../../storage/records';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import type { KeyLogFollower } from './follower';

/** What a conversation was told is told again this much later. */
const tellAgainMs = 3600_000;
/** Of conversations told and of notes compared. */
const mostRemembered = 10_000;
const place = 'unproven';
/**
 * People of whom a note may be kept. Where there are more, their places are free again within about a day, by an answer or by
 * the alarm.
 */
const notesKept = 8;
/** The least number of requests in vain for an alarm: a browser that was closed for a day has not asked for a day. */
const triesInVain = 3;
/** A server that is overloaded, or restored, answers within less. */
const answeredMs = 24 * 3600_000;
/** A browser may stay connected for days, and hear nothing from that person again. */
const askAgainMs = 3600_000;

/**
 * People tell each other, inside their encrypted messages, what they have seen of the key log: a server that shows two
 * histories is found out as soon as somebody who sees the one writes to somebody who sees the other.
 *
 * Such a server has something to win by not answering when it is asked how the two go together. So what the log has signed and
 * the server does not answer for is kept, asked about again, and raises an alarm in the end.
 */
export class Gossip {
  readonly #told = new Map<string, number>();
  readonly #compared = new Set<string>();
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly core: Core,
    readonly log: KeyLogFollower,
    readonly alarms: KeyAlarms,
  ) {}

  stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** What goes with the next message of a conversation; null with most of them. */
  next(conversation: string): string | null {
    const { log } = this.log;
    const now = Date.now();
    if (!log || log.size === 0 || now - (this.#told.get(conversation) ?? Number.NEGATIVE_INFINITY) < tellAgainMs) {
      return null;
    }
    if (this.#told.size >= mostRemembered) {
      this.#told.clear();
    }
    this.#told.set(conversation, now);
    return log.note;
  }

  /** Compares what somebody else has seen with what this device has, in the background and once. */
  heard(from: string, note: string): void {
    if (this.core.stopped || this.log.log?.note === note || this.#compared.has(note)) {
      return;
    }
    if (this.#compared.size >= mostRemembered) {
      this.#compared.clear();
    }
    this.#compared.add(note);
    // Where it cannot be done now, it is also when the next message says so.
    void this.core.queue
      .run('keys/gossip', () => this.#try(from, note))
      .then(
        (isCompared) => isCompared || this.#compared.delete(note),
        () => this.#compared.delete(note),
      );
  }

  /** At each greeting, and each hour while there is any: asks about what was asked about in vain. */
  tryAgain(): Promise<void> {
    return this.core.queue.run('keys/gossip', async () => {
      for (const { from, note } of await this.#kept()) {
        await this.#try(from, note);
      }
    });
  }

  /** @returns whether that is all there is to do about it */
  async #try(from: string, note: string): Promise<boolean> {
    const isCompared = await this.log.tryCompare(from, note);
    const kept = await this.#kept();
    const others = kept.filter((one) => one.from !== from);
    if (isCompared) {
      // Another one of this person's may be from another device of theirs, which is shown something else.
      await this.#keep(
        kept,
        kept.filter((one) => one.from !== from || one.note !== note),
      );
      return true;
    }
    const now = Date.now();
    const known = kept.find((one) => one.from === from) ?? { from, note, since: now, tries: 0 };
    // Without a connection nothing was asked.
    const next = { ...known, note, tries: known.tries + (this.core.online ? 1 : 0) };
    if (next.tries >= triesInVain && now - next.since >= answeredMs) {
      await this.alarms.raiseOnce('logUnproven', from, [this.log.log?.note ?? '', note]);
      await this.#keep(kept, others);
    } else if (known.tries > 0 || others.length < notesKept) {
      await this.#keep(kept, [...others, next]);
      this.#askLater();
    }
    return false;
  }

  /** What another log has signed, before the server named this one, cannot be asked about any more. */
  async #kept(): Promise<UnprovenNote[]> {
    const record = await this.core.db.keys<UnprovenNotesRecord>(place);
    return record && record.verifierKey === this.log.log?.verifierKey ? record.notes : [];
  }

  async #keep(kept: UnprovenNote[], notes: UnprovenNote[]): Promise<void> {
    if (kept.length + notes.length > 0) {
      const verifierKey = this.log.log?.verifierKey ?? '';
      await this.core.write([{ put: 'keys', id: place, value: { verifierKey, notes } }]);
    }
  }

  #askLater(): void {
    if (!this.core.stopped && this.#timer === null) {
      this.#timer = setTimeout(() => {
        this.#timer = null;
        void this.tryAgain().catch(() => undefined);
      }, askAgainMs);
    }
  }
}
