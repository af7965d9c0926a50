import { Limits } from '../protocol/limits';
import type { PresenceView } from '../protocol/wire';
import type { Presence } from '../state/contract';
import type { Core } from './core';

/** Now and then the list is asked for again: a push may have been lost, and nobody would notice. */
const againMs = 10 * 60_000;
const afterFailureMs = 30_000;

/**
 * Who of the people in my conversations is there. Known while there is a connection and only as the server tells it;
 * nothing of it is stored.
 */
export class PresenceModel {
  readonly #known = new Map<string, Presence>();
  /** Pushed while the answer to a list was on its way: the push is newer. */
  #pushed: Set<string> | null = null;
  #watched = '';
  #timer: ReturnType<typeof setTimeout> | null = null;
  #due = Number.POSITIVE_INFINITY;
  #asking = false;
  #askedAt = 0;

  constructor(
    readonly core: Core,
    readonly changed: (changes: Map<string, Presence | null>) => void,
  ) {}

  stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
  }

  /** The connection is there, or something was dropped on the way: whatever is known may be old. */
  refresh(): void {
    this.#watched = '';
    this.#later(0);
  }

  /** A conversation has come or changed, and with it perhaps the people in it. */
  touched(): void {
    this.#later(this.core.timing.presenceMs);
  }

  /** Without a connection nobody can say who is there. */
  lost(): void {
    this.#watched = '';
    const gone = new Map<string, Presence | null>([...this.#known.keys()].map((account) => [account, null]));
    this.#known.clear();
    if (gone.size > 0) {
      this.changed(gone);
    }
  }

  heard(views: PresenceView[]): void {
    for (const view of views) {
      this.#pushed?.add(view.account);
    }
    this.#take(views);
  }

  #later(ms: number): void {
    const due = Date.now() + ms;
    if (this.#timer !== null && this.#due <= due) {
      return;
    }
    this.stop();
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#due = Number.POSITIVE_INFINITY;
      void this.#watch().catch(() => undefined);
    }, ms);
  }

  /** Those of the latest conversations first, should there be more than one may watch. */
  #people(): string[] {
    const { core } = this;
    const me = core.deviceOrNull?.account;
    const latest = [...core.conversations.values()]
      .filter((record) => record.active)
      .sort((a, b) => Number(b.kind === 'direct') - Number(a.kind === 'direct') || b.lastActivityAt - a.lastActivityAt);
    const people = new Set<string>();
    for (const { members } of latest) {
      for (const { account } of members) {
        if (account !== me && people.size < Limits.presenceWatched) {
          people.add(account);
        }
      }
    }
    return [...people];
  }

  async #watch(): Promise<void> {
    const { core } = this;
    if (!core.online || this.#asking) {
      return;
    }
    const accounts = this.#people();
    const watched = [...accounts].sort().join();
    if (watched === this.#watched && Date.now() - this.#askedAt < againMs) {
      this.#later(againMs);
      return;
    }
    this.#asking = true;
    this.#askedAt = Date.now();
    const pushed = new Set<string>();
    this.#pushed = pushed;
    this.#watched = watched;
    try {
      const reply = await core.hub.watchPresence(accounts);
      const answered = new Set(reply.accounts.map((view) => view.account));
      const left = [...this.#known.keys()].filter((account) => !answered.has(account) && !pushed.has(account));
      this.#take([
        ...reply.accounts.filter((view) => !pushed.has(view.account)),
        ...left.map((account) => ({ account, online: false })),
      ]);
      // The people may have changed while the answer was on its way.
      this.touched();
    } catch (thrown) {
      this.#watched = '';
      this.#later(afterFailureMs);
      throw thrown;
    } finally {
      this.#asking = false;
      this.#pushed = null;
    }
  }

  #take(views: PresenceView[]): void {
    const changes = new Map<string, Presence | null>();
    for (const { account, online, lastSeen } of views) {
      const next = online || lastSeen ? { online, lastSeen: lastSeen ? Date.parse(lastSeen) : null } : null;
      const known = this.#known.get(account) ?? null;
      if (next?.online === known?.online && next?.lastSeen === known?.lastSeen) {
        continue;
      }
      if (next) {
        this.#known.set(account, next);
      } else {
        this.#known.delete(account);
      }
      changes.set(account, next);
    }
    if (changes.size > 0) {
      this.changed(changes);
    }
  }
}
