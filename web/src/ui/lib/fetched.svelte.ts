import { onMount } from 'svelte';
import type { ErrorInfo } from '../../state/contract';
import { errorOf } from './app';

/** What a screen asks for once it is shown, and again when somebody says so. For use while a component is made. */
export class Fetched<T> {
  value = $state.raw<T | null>(null);
  error = $state.raw<ErrorInfo | null>(null);
  readonly #read: () => Promise<T>;
  #turn = 0;

  constructor(read: () => Promise<T>) {
    this.#read = read;
    onMount(() => void this.load());
  }

  load = async (): Promise<void> => {
    const turn = ++this.#turn;
    this.error = null;
    try {
      const value = await this.#read();
      if (turn === this.#turn) {
        this.value = value;
      }
    } catch (thrown) {
      if (turn === this.#turn) {
        this.error = errorOf(thrown);
      }
    }
  };
}
