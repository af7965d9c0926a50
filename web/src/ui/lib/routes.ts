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

export type Route =
  | { name: 'chats' }
  | { name: 'new'; kind: 'direct' | 'group'; handle: string }
  | { name: 'thread'; id: string; pane: ThreadPane }
  | { name: 'card'; card: string }
  | { name: 'wallet'; asset: string | null }
  | { name: 'codes'; page: CodePage }
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
      return second !== undefined && parts.length === 2 ? { name: 'card', card: second } : missing;
    case 'wallet':
      return parts.length <= 2 ? { name: 'wallet', asset: second ?? null } : missing;
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
    case 'wallet':
      return route.asset === null ? '#/wallet' : `#/wallet/${encodeURIComponent(route.asset)}`;
    case 'codes':
      return `#/codes/${route.page}`;
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
      return { name: 'wallet', asset: null };
    case 'settings':
      return { name: 'settings', page: null };
    default:
      return { name: 'chats' };
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
