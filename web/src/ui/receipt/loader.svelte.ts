import { onMount } from 'svelte';
import type { ErrorInfo, MoneyReceipt } from '../../state/contract';
import { errorOf } from '../lib/app';

/** A server that says nothing of when to come back, or nothing sensible. */
const againMs = { usual: 2000, least: 500, most: 30_000 };
/** A log that takes nothing in is not asked for ever: somebody who waits longer presses the button. */
const mostAsked = 60;

/**
 * Receipts as they are read, and read again as long as one is not sealed: when the server says so, and only while the page is
 * looked at. For use while a component is made.
 */
export class ReceiptLoader {
  receipts = $state.raw<MoneyReceipt[] | null>(null);
  error = $state.raw<ErrorInfo | null>(null);
  readonly #read: () => Promise<MoneyReceipt[]>;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #asked = 0;
  #gone = false;
  /** Told when what was not sealed before is. */
  onSealed: () => void = () => undefined;

  constructor(read: () => Promise<MoneyReceipt[]>) {
    this.#read = read;
    onMount(() => {
      void this.load();
      return () => {
        this.#gone = true;
        this.#stop();
      };
    });
  }

  load = async (): Promise<void> => {
    this.#stop();
    this.error = null;
    const waited = this.receipts?.some(({ verdict }) => verdict === 'signed') ?? false;
    try {
      this.receipts = await this.#read();
    } catch (thrown) {
      this.error = errorOf(thrown);
      return;
    }
    const open = this.receipts.filter(({ verdict }) => verdict === 'signed');
    if (open.length === 0) {
      if (waited && this.receipts.every(({ verdict }) => verdict === 'sealed')) {
        this.onSealed();
      }
    } else if (!this.#gone && ++this.#asked < mostAsked) {
      // A log that is slow today is asked more and more seldom.
      const wanted = Math.max(...open.map(({ retryAfterMs }) => retryAfterMs ?? againMs.usual));
      const waitMs = Math.min(Math.max(wanted * Math.ceil(this.#asked / 5), againMs.least), againMs.most);
      this.#timer = setTimeout(() => void this.load(), waitMs);
    }
  };

  #stop(): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
      this.#timer = null;
    }
  }
}
