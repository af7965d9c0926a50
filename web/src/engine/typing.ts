import type { EphemeralSignal } from '../protocol/wire';
import type { Core } from './core';

const longestMs = 6000;

/** Who is typing: told at most every few seconds, forgotten when not told again. */
export class Typing {
  readonly #until = new Map<string, Map<string, number>>();
  readonly #told = new Map<string, number>();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();

  constructor(
    readonly core: Core,
    readonly changed: (conversation: string) => void,
  ) {}

  stop(): void {
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
  }

  /** I am typing. */
  mine(conversation: string): void {
    const now = Date.now();
    if (!this.core.online || now - (this.#told.get(conversation) ?? 0) < this.core.timing.typingEveryMs) {
      return;
    }
    this.#told.set(conversation, now);
    void this.core.hub.typing(conversation, true).catch(() => undefined);
  }

  /** I have sent it: the next keystroke is news again. */
  sent(conversation: string): void {
    if (this.#told.delete(conversation) && this.core.online) {
      void this.core.hub.typing(conversation, false).catch(() => undefined);
    }
  }

  heard(signals: EphemeralSignal[]): void {
    for (const { conversation, account, active, ttlMs } of signals) {
      if (account === this.core.deviceOrNull?.account) {
        continue;
      }
      const who = this.#until.get(conversation) ?? new Map<string, number>();
      this.#until.set(conversation, who);
      if (active) {
        const ms = Math.min(ttlMs, longestMs);
        who.set(account, Date.now() + ms);
        this.#later(conversation, ms + 50);
      } else {
        who.delete(account);
      }
      this.changed(conversation);
    }
  }

  /** A message is the end of typing it. */
  spoke(conversation: string, account: string): void {
    if (this.#until.get(conversation)?.delete(account)) {
      this.changed(conversation);
    }
  }

  names(conversation: string): string[] {
    const now = Date.now();
    return [...(this.#until.get(conversation) ?? [])]
      .filter(([, until]) => until > now)
      .map(([account]) => this.core.person(account).displayName);
  }

  #later(conversation: string, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.changed(conversation);
    }, ms);
    this.#timers.add(timer);
  }
}
