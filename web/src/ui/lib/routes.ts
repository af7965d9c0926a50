import { everyEntry, type StatementFilter, type StatementSide } from '../../state/contract';

/**
 * Every screen has an address after the `#`, so that the server never learns which conversation is open and needs no
 * rule for deep links.
 */
export type ThreadPane =
  | { kind: 'none' }
  | { kind: 'details' }
  | { kind: 'pay' }
  | { kind: 'ask' }
  | { kind: 'card'; card: string };

export const settingsPages = ['profile', 'devices', 'security', 'password', 'privacy', 'display', 'about'] as const;
export type SettingsPage = (typeof settingsPages)[number];

/** Codes for paying: to be paid by, to pay by, and the camera for those of others. */
export const codePages = ['receive', 'pay', 'scan'] as const;
export type CodePage = (typeof codePages)[number];
export const walletPages = ['on-hold', 'limits'] as const;
export type WalletPage = (typeof walletPages)[number];

export type Route =
  | { name: 'chats' }
  | { name: 'new'; kind: 'direct' | 'group'; handle: string }
  | { name: 'thread'; id: string; pane: ThreadPane }
  | { name: 'card'; card: string }
  | { name: 'codes'; page: CodePage }
  /** `view`: the statement where it is absent. */
  | { name: 'wallet'; asset: string | null; view?: 'activity'; filter?: StatementFilter }
  | { name: 'walletPage'; page: WalletPage }
  /** `sha256`: what a printed page says was signed, to be compared; base64url. */
  | { name: 'receipt'; transfer: string; sha256: string | null }
  | { name: 'receipts'; card: string }
  | { name: 'settings'; page: SettingsPage | null }
  | { name: 'entry'; mode: 'signIn' | 'signUp' }
  | { name: 'notFound'; path: string };

export const noPane: ThreadPane = { kind: 'none' };

export function thread(id: string, pane: ThreadPane = noPane): Route {
  return { name: 'thread', id, pane };
}

export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#/, '').split('?');
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const [first, second, third, fourth] = parts;
  const missing: Route = { name: 'notFound', path };
  switch (first) {
    case undefined:
      return { name: 'chats' };
    case 'sign-in':
    case 'sign-up':
      return parts.length === 1 ? { name: 'entry', mode: first === 'sign-in' ? 'signIn' : 'signUp' } : missing;
    case 'new':
      if (parts.length > 2 || (second !== undefined && second !== 'group')) {
        return missing;
      }
      return {
        name: 'new',
        kind: second === 'group' ? 'group' : 'direct',
        handle: new URLSearchParams(query).get('handle') ?? '',
      };
    case 'c':
      if (second === undefined) {
        return missing;
      }
      if (third === undefined) {
        return thread(second);
      }
      if ((third === 'details' || third === 'pay' || third === 'ask') && parts.length === 3) {
        return thread(second, { kind: third });
      }
      if (third === 'card' && fourth !== undefined && parts.length === 4) {
        return thread(second, { kind: 'card', card: fourth });
      }
      return missing;
    case 'card':
      if (second !== undefined && third === 'receipts' && parts.length === 3) {
        return { name: 'receipts', card: second };
      }
      return second !== undefined && parts.length === 2 ? { name: 'card', card: second } : missing;
    case 'receipt':
      return second !== undefined && parts.length === 2
        ? { name: 'receipt', transfer: second, sha256: new URLSearchParams(query).get('sha256') }
        : missing;
    case 'wallet':
      return walletRoute(parts, query) ?? missing;
    case 'codes': {
      const page = codePages.find((known) => known === second);
      return page !== undefined && parts.length === 2 ? { name: 'codes', page } : missing;
    }
    case 'settings': {
      const page = settingsPages.find((known) => known === second);
      if (parts.length > 2 || (second !== undefined && page === undefined)) {
        return missing;
      }
      return { name: 'settings', page: page ?? null };
    }
    default:
      return missing;
  }
}

export function hrefOf(route: Route): string {
  switch (route.name) {
    case 'chats':
      return '#/';
    case 'new': {
      const query = route.handle === '' ? '' : `?handle=${encodeURIComponent(route.handle)}`;
      return `${route.kind === 'group' ? '#/new/group' : '#/new'}${query}`;
    }
    case 'thread': {
      const base = `#/c/${encodeURIComponent(route.id)}`;
      switch (route.pane.kind) {
        case 'none':
          return base;
        case 'card':
          return `${base}/card/${encodeURIComponent(route.pane.card)}`;
        default:
          return `${base}/${route.pane.kind}`;
      }
    }
    case 'card':
      return `#/card/${encodeURIComponent(route.card)}`;
    case 'codes':
      return `#/codes/${route.page}`;
    case 'receipts':
      return `#/card/${encodeURIComponent(route.card)}/receipts`;
    case 'receipt':
      return `#/receipt/${encodeURIComponent(route.transfer)}${route.sha256 === null ? '' : `?sha256=${route.sha256}`}`;
    case 'walletPage':
      return `#/wallet/${route.page}`;
    case 'wallet': {
      const base = route.asset === null ? '#/wallet' : `#/wallet/${encodeURIComponent(route.asset)}`;
      return route.view ? `${base}/${route.view}` : `${base}${queryOf(route.filter)}`;
    }
    case 'settings':
      return route.page === null ? '#/settings' : `#/settings/${route.page}`;
    case 'entry':
      return route.mode === 'signIn' ? '#/sign-in' : '#/sign-up';
    case 'notFound':
      return `#${route.path}`;
  }
}

/** Where "back" leads when there is no history of our own to go back in, as after opening a deep link. */
export function parentOf(route: Route): Route {
  switch (route.name) {
    case 'thread':
      return route.pane.kind === 'none' ? { name: 'chats' } : thread(route.id);
    case 'wallet':
    case 'codes':
    case 'walletPage':
    case 'receipt':
      return { name: 'wallet', asset: null };
    case 'receipts':
      return { name: 'card', card: route.card };
    case 'settings':
      return { name: 'settings', page: null };
    default:
      return { name: 'chats' };
  }
}

const sides: StatementSide[] = ['in', 'out', 'held'];

function walletRoute(parts: string[], query: string): Route | null {
  const [, asset, view] = parts;
  const page = walletPages.find((known) => known === asset);
  if (page) {
    return parts.length === 2 ? { name: 'walletPage', page } : null;
  }
  if (view !== undefined) {
    return view === 'activity' && parts.length === 3 ? { name: 'wallet', asset: asset ?? null, view } : null;
  }
  const values = new URLSearchParams(query);
  const time = (name: string) => (/^\d{1,15}$/.test(values.get(name) ?? '') ? Number(values.get(name)) : null);
  const filter = {
    with: values.get('with'),
    side: sides.find((side) => side === values.get('side')) ?? null,
    from: time('from'),
    to: time('to'),
  };
  return { name: 'wallet', asset: asset ?? null, ...(queryOf(filter) === '' ? {} : { filter }) };
}

function queryOf(filter: StatementFilter = everyEntry): string {
  const known = Object.entries(filter).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)]]));
  return known.length === 0 ? '' : `?${new URLSearchParams(known)}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
