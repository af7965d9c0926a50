import type { Core } from '../core';
import type { KeyLogFollower } from './follower';

/** What a conversation was told is told again this much later. */
const tellAgainMs = 3600_000;
/** Of conversations told and of notes compared. */
const mostRemembered = 10_000;

/**
 * People tell each other, inside their encrypted messages, what they have seen of the key log: a server that shows two
 * histories is found out as soon as somebody who sees the one writes to somebody who sees the other.
 */
export class Gossip {
  readonly #told = new Map<string, number>();
  readonly #compared = new Set<string>();

  constructor(
    readonly core: Core,
    readonly log: KeyLogFollower,
  ) {}

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
    // Where it cannot be done now, it is when the next message says so.
    void this.log.compare(from, note).catch(() => this.#compared.delete(note));
  }
}
