import { describe, expect, test } from 'vitest';
import { codePages, hrefOf, parentOf, parseRoute, type Route, settingsPages, thread, walletPages } from './routes';

const routes: Route[] = [
  { name: 'chats' },
  { name: 'new', kind: 'direct', handle: '' },
  { name: 'new', kind: 'direct', handle: 'amina_d' },
  { name: 'new', kind: 'group', handle: '' },
  thread('0196f0c4-7d3a-7b21-9c55-000000000001'),
  thread('a', { kind: 'details' }),
  thread('a', { kind: 'pay' }),
  thread('a', { kind: 'ask' }),
  thread('a', { kind: 'card', card: 'b/ü?' }),
  { name: 'card', card: 'b' },
  { name: 'wallet', asset: null },
  { name: 'wallet', asset: 'EUR' },
  ...codePages.map((page): Route => ({ name: 'codes', page })),
  { name: 'wallet', asset: 'EUR', view: 'activity' },
  { name: 'wallet', asset: 'EUR', filter: { with: 'b', side: 'in', from: 1_779_000_000_000, to: 0 } },
  { name: 'wallet', asset: 'EUR', filter: { with: null, side: 'held', from: null, to: null } },
  ...walletPages.map((page): Route => ({ name: 'walletPage', page })),
  { name: 'receipt', transfer: 'b/ü?', sha256: null },
  { name: 'receipt', transfer: 'b', sha256: 'Ab-_9' },
  { name: 'receipts', card: 'b' },
  { name: 'settings', page: null },
  ...settingsPages.map((page): Route => ({ name: 'settings', page })),
  { name: 'entry', mode: 'signIn' },
  { name: 'entry', mode: 'signUp' },
];

describe('Addresses', () => {
  test.each(routes.map((route) => [hrefOf(route), route]))('%s leads where it says', (href, route) => {
    expect(parseRoute(href as string)).toEqual(route);
  });

  test.each([
    '#/nowhere',
    '#/c',
    '#/c/a/b',
    '#/c/a/card',
    '#/settings/nothing',
    '#/wallet/EUR/more',
    '#/codes',
    '#/codes/x',
    '#/codes/scan/x',
    '#/wallet/EUR/activity/more',
    '#/wallet/limits/more',
    '#/receipt',
    '#/card/b/more',
    '#/new/x',
    '#/sign-in/x',
  ])('%s leads nowhere', (hash) => {
    expect(parseRoute(hash).name).toBe('notFound');
  });

  test('An empty address is the list of chats', () => {
    expect(parseRoute('')).toEqual({ name: 'chats' });
    expect(parseRoute('#')).toEqual({ name: 'chats' });
  });

  test('A filter that makes no sense is none', () => {
    expect(parseRoute('#/wallet/EUR?side=up&from=soon&to=-1')).toEqual({ name: 'wallet', asset: 'EUR' });
  });

  test('A broken escape does not break the page', () => {
    expect(parseRoute('#/c/%E0%A4%A')).toEqual(thread('%E0%A4%A'));
  });

  test('Back without a history leads to the screen around this one', () => {
    expect(parentOf(thread('a', { kind: 'pay' }))).toEqual(thread('a'));
    expect(parentOf(thread('a'))).toEqual({ name: 'chats' });
    expect(parentOf({ name: 'settings', page: 'devices' })).toEqual({ name: 'settings', page: null });
    expect(parentOf({ name: 'codes', page: 'scan' })).toEqual({ name: 'wallet', asset: null });
    expect(parentOf({ name: 'wallet', asset: 'EUR' })).toEqual({ name: 'wallet', asset: null });
    expect(parentOf({ name: 'walletPage', page: 'limits' })).toEqual({ name: 'wallet', asset: null });
    expect(parentOf({ name: 'receipt', transfer: 'b', sha256: null })).toEqual({ name: 'wallet', asset: null });
    expect(parentOf({ name: 'receipts', card: 'b' })).toEqual({ name: 'card', card: 'b' });
  });
});
