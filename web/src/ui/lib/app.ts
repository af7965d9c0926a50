import { getContext, setContext } from 'svelte';
import { ActionError, type ChatApp, type ErrorInfo } from '../../state/contract';

const key = Symbol('app');

export function provideApp(app: ChatApp): void {
  setContext(key, app);
}

export function useApp(): ChatApp {
  return getContext<ChatApp>(key);
}

/** Anything that is not one of the expected outcomes is a bug of ours; people get one sentence and may try again. */
export function errorOf(thrown: unknown): ErrorInfo {
  return thrown instanceof ActionError ? thrown.info : { code: 0, name: 'unexpected', retryable: true };
}
