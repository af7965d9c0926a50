import { ErrorCode, isCode, retryAfterMs } from '../protocol/errors';
import type { ConnectionState } from '../state/contract';
import type { Hub, HubListener, OpenHub } from './api';
import { askedMs, delay, fullJitterMs } from './jitter';

const baseMs = 500;
const capMs = 30_000;
/** A connection that stood this long was a good one: the next loss starts again with short delays. */
const stableMs = 10_000;

export type ConnectionListener = Omit<HubListener, 'closed'> & {
  /** Says hello on a fresh connection; the connection counts as online once it resolves. */
  greet(hub: Hub): Promise<void>;
  changed(state: ConnectionState, retryInMs: number | null): void;
  lost(): void;
};

/** Keeps one hub connection open: reconnects with full jitter, at once when the browser says it is online again. */
export class Connection {
  readonly #open: OpenHub;
  readonly #listener: ConnectionListener;
  #hub: Hub | null = null;
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #generation = 0;
  #running = false;
  #reconnectAfterMs: number | null = null;
  #onlineSince = 0;

  constructor(open: OpenHub, listener: ConnectionListener) {
    this.#open = open;
    this.#listener = listener;
  }

  /** The greeted connection, or null. */
  get hub(): Hub | null {
    return this.#hub;
  }

  start(): void {
    if (this.#running) {
      return;
    }
    this.#running = true;
    globalThis.addEventListener?.('online', this.#onOnline);
    globalThis.addEventListener?.('offline', this.#onOffline);
    void this.#connect();
  }

  stop(): void {
    this.#running = false;
    globalThis.removeEventListener?.('online', this.#onOnline);
    globalThis.removeEventListener?.('offline', this.#onOffline);
    this.#clearTimer();
    this.#drop();
  }

  /** Tries now instead of waiting for the timer. */
  reconnectNow(): void {
    if (this.#running && this.#hub === null && this.#timer !== null) {
      this.#clearTimer();
      void this.#connect();
    }
  }

  /** Says hello once more on the connection that stands; where that fails, a new one does. */
  async greetAgain(): Promise<void> {
    const hub = this.#hub;
    const generation = this.#generation;
    if (!hub) {
      return;
    }
    try {
      await this.#greet(hub, generation);
      if (generation === this.#generation && this.#running) {
        this.#listener.changed('online', null);
      }
    } catch {
      this.#lose(generation);
    }
  }

  /** The node is going away, or wants this client elsewhere. */
  reconnectAfter(ms: number): void {
    this.#reconnectAfterMs = ms;
    this.#lose(this.#generation);
  }

  readonly #onOnline = () => this.reconnectNow();
  readonly #onOffline = () => this.#lose(this.#generation);

  async #connect(): Promise<void> {
    const generation = ++this.#generation;
    this.#listener.changed('connecting', null);
    let hub: Hub | null = null;
    try {
      hub = await this.#open(this.#listenerFor(generation));
      if (generation !== this.#generation || !this.#running) {
        hub.close();
        return;
      }
      await this.#greet(hub, generation);
      if (generation !== this.#generation || !this.#running) {
        hub.close();
        return;
      }
      this.#hub = hub;
      this.#onlineSince = Date.now();
      this.#listener.changed('online', null);
    } catch (thrown) {
      hub?.close();
      if (generation === this.#generation) {
        this.#reconnectAfterMs ??= retryAfterMs(thrown);
      }
      this.#lose(generation);
    }
  }

  /** A server that is too busy for a greeting keeps the connection: coming back would cost it more than answering. */
  async #greet(hub: Hub, generation: number): Promise<void> {
    while (generation === this.#generation && this.#running) {
      try {
        await this.#listener.greet(hub);
        return;
      } catch (thrown) {
        const asked = retryAfterMs(thrown);
        if (asked === null || !isCode(thrown, ErrorCode.overloaded)) {
          throw thrown;
        }
        await delay(askedMs(asked));
      }
    }
  }

  #listenerFor(generation: number): HubListener {
    const current = <T>(deliver: (value: T) => void) => {
      return (value: T) => {
        if (generation === this.#generation && this.#running) {
          deliver(value);
        }
      };
    };
    const listener = this.#listener;
    return {
      events: current((batch) => listener.events(batch)),
      heads: current((batch) => listener.heads(batch)),
      deviceMessages: current((batch) => listener.deviceMessages(batch)),
      receipts: current((batch) => listener.receipts(batch)),
      ephemeral: current((batch) => listener.ephemeral(batch)),
      presence: current((batch) => listener.presence(batch)),
      walletChanged: current((batch) => listener.walletChanged(batch)),
      control: current((signal) => listener.control(signal)),
      keys: current((signal) => listener.keys(signal)),
      closed: () => this.#lose(generation),
    };
  }

  /** Forgets the connection of this generation and plans the next attempt. */
  #lose(generation: number): void {
    if (generation !== this.#generation || !this.#running) {
      return;
    }
    if (this.#hub && Date.now() - this.#onlineSince > stableMs) {
      this.#attempt = 0;
    }
    this.#drop();
    this.#listener.lost();
    const asked = this.#reconnectAfterMs;
    this.#reconnectAfterMs = null;
    const waitMs = asked !== null ? askedMs(asked) : fullJitterMs(this.#attempt, baseMs, capMs);
    this.#attempt++;
    this.#listener.changed('offline', waitMs);
    this.#clearTimer();
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#connect();
    }, waitMs);
  }

  #drop(): void {
    this.#generation++;
    const hub = this.#hub;
    this.#hub = null;
    hub?.close();
  }

  #clearTimer(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}
