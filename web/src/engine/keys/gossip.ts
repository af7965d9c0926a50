import { fromBase64, toBase64 } from '../../protocol/bytes';
import type { LogHead } from '../../protocol/content';
import type { Core } from '../core';
import type { KeyLogFollower } from './follower';

/** A conversation hears of the log once an hour at most, and only of a state that it has not heard of. */
const tellAgainMs = 3600_000;

/**
 * Tells others, inside encrypted messages, which state of the key log this device has checked, and compares what they
 * tell: a server that shows two people two histories cannot keep them from noticing.
 */
export class Gossip {
  readonly #told = new Map<string, { size: number; at: number }>();

  constructor(
    readonly core: Core,
    readonly log: KeyLogFollower,
  ) {}

  /** What goes with the next message of a conversation; null for nothing. */
  take(conversation: string): LogHead | null {
    const { log } = this.log;
    const told = this.#told.get(conversation);
    const isNews = told === undefined || (told.size !== log?.size && Date.now() - told.at > tellAgainMs);
    if (!log || log.size === 0 || !isNews) {
      return null;
    }
    this.#told.set(conversation, { size: log.size, at: Date.now() });
    return { size: log.size, root: toBase64(log.root) };
  }

  /** In the background: what somebody says that the log showed them. */
  heard(from: string, { size, root }: LogHead): void {
    if (!this.core.stopped) {
      void this.log.compare(from, size, fromBase64(root)).catch(() => undefined);
    }
  }
}
