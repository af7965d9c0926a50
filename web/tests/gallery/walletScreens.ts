import { ids, iPaid } from '../fixtures/cards';
import { kindCards } from '../fixtures/kinds';
import { amina, id } from '../fixtures/people';
import { receiptIds } from '../fixtures/receipts';
import type { Screen } from './screens';

const split = kindCards.find((card) => card.kind === 'split')?.id;

/** Looking through the wallet, and receipts. */
export const walletScreens: Screen[] = [
  {
    name: 'wallet-filter',
    scene: 'rich',
    hash: `#/wallet/EUR?with=${amina.id}&side=out`,
    press: ['[data-testid=filter-toggle]'],
  },
  {
    name: 'wallet-filter-dates',
    scene: 'rich',
    hash: '#/wallet/EUR?from=1779000000000&to=1778000000000',
    press: ['[data-testid=filter-toggle]'],
  },
  {
    name: 'wallet-search-none',
    scene: 'rich',
    hash: '#/wallet/EUR',
    press: ['[data-testid=load-more]'],
    typeThen: [['[data-testid=statement-search]', 'nobody at all']],
  },
  { name: 'wallet-export', scene: 'rich', hash: '#/wallet/EUR', press: ['[data-testid=save-statement]'] },
  { name: 'wallet-activity', scene: 'rich', hash: '#/wallet/EUR/activity' },
  {
    name: 'wallet-activity-table',
    scene: 'many',
    hash: '#/wallet/EUR/activity',
    press: ['[data-testid=activity] summary'],
  },
  { name: 'wallet-activity-empty', scene: 'empty', hash: '#/wallet/EUR/activity' },
  { name: 'wallet-holds', scene: 'rich', hash: '#/wallet/on-hold' },
  { name: 'wallet-holds-empty', scene: 'empty', hash: '#/wallet/on-hold' },
  { name: 'wallet-holds-failing', scene: 'failing', hash: '#/wallet/on-hold' },
  { name: 'wallet-holds-loading', scene: 'loading', hash: '#/wallet/on-hold' },
  { name: 'wallet-limits', scene: 'rich', hash: '#/wallet/limits' },
  { name: 'wallet-limits-full', scene: 'many', hash: '#/wallet/limits' },
  { name: 'receipt', scene: 'rich', hash: `#/receipt/${receiptIds.sealed}` },
  { name: 'receipt-unsealed', scene: 'rich', hash: `#/receipt/${receiptIds.unsealed}` },
  { name: 'receipt-broken', scene: 'rich', hash: `#/receipt/${receiptIds.broken}` },
  { name: 'receipt-forged', scene: 'rich', hash: `#/receipt/${receiptIds.forged}` },
  { name: 'receipt-bare', scene: 'rich', hash: `#/receipt/${receiptIds.bare}?sha256=elsewhere` },
  { name: 'receipt-missing', scene: 'rich', hash: `#/receipt/${id(7999)}` },
  { name: 'receipt-failing', scene: 'failing', hash: `#/receipt/${receiptIds.sealed}` },
  { name: 'receipt-loading', scene: 'loading', hash: `#/receipt/${receiptIds.sealed}` },
  { name: 'receipts', scene: 'rich', hash: `#/card/${split}/receipts` },
  { name: 'receipts-none', scene: 'rich', hash: `#/card/${id(7999)}/receipts` },
  { name: 'card-with-receipt', scene: 'rich', hash: `#/c/${ids.amina}/card/${iPaid.id}` },
];
