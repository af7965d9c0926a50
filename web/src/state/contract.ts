/**
 * What the screens know: view models that the engine keeps up to date, and the actions it offers. Screens import this
 * file and nothing below it (no network, storage or crypto). Everything readable here is reactive (Svelte runes).
 * Ids are UUID strings; amounts are bigint minor units; times are epoch milliseconds.
 */

import type { ChatsApp } from './contract/chats';
import type { KeysApp } from './contract/keys';
import type { MoneyApp } from './contract/money';
import type { PayCodesApp } from './contract/payCodes';
import type { ReceiptsApp } from './contract/receipts';
import type { SessionApp } from './contract/session';
import type { WalletApp } from './contract/wallet';

export * from './contract/chats';
export * from './contract/debits';
export * from './contract/keys';
export * from './contract/money';
export * from './contract/payCodes';
export * from './contract/payPin';
export * from './contract/receipts';
export * from './contract/session';
export * from './contract/wallet';

export interface ChatApp extends SessionApp, ChatsApp, MoneyApp, PayCodesApp, KeysApp, WalletApp, ReceiptsApp {}
