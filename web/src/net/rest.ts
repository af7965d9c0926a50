import { fromBody, localError } from '../protocol/errors';
import { Limits } from '../protocol/limits';
import type { ConversationView, ErrorBody, SessionMode, SessionReply } from '../protocol/wire';
import { ActionError } from '../state/contract';
import type { ServerApi, Timed } from './api';
import { delay, fullJitterMs } from './jitter';

export type RestOptions = {
  /** Empty for the origin that served the page. */
  baseUrl: string;
  /** Browsers keep the session in an HttpOnly cookie; other callers, such as tests, hold a bearer token. */
  session: SessionMode;
  token?: string | null;
  fetch?: typeof fetch;
};

const timeoutMs = 30_000;
const attempts = 4;

type Verb = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** REST with problem details. Requests that may be repeated are repeated a few times when the way is at fault. */
export class RestApi implements ServerApi {
  readonly #options: RestOptions;
  #token: string | null;

  constructor(options: RestOptions) {
    this.#options = options;
    this.#token = options.token ?? null;
  }

  get token(): string | null {
    return this.#token;
  }

  get sessionMode(): SessionMode {
    return this.#options.session;
  }

  signUp: ServerApi['signUp'] = async (request) => this.#keep(await this.#once('POST', '/v1/accounts', request));
  signIn: ServerApi['signIn'] = async (request) => this.#keep(await this.#once('POST', '/v1/sessions', request));
  endSession: ServerApi['endSession'] = () => this.#repeat('DELETE', '/v1/sessions/current');
  me: ServerApi['me'] = () => this.#once('GET', '/v1/me');
  changeDisplayName: ServerApi['changeDisplayName'] = (displayName) => this.#repeat('PATCH', '/v1/me', { displayName });
  changePassword: ServerApi['changePassword'] = (currentPassword, newPassword) =>
    this.#once('PUT', '/v1/me/password', { currentPassword, newPassword });
  changePresence: ServerApi['changePresence'] = (presence) => this.#repeat('PUT', '/v1/me/presence', { presence });
  devices: ServerApi['devices'] = () => this.#repeat('GET', '/v1/devices');
  revokeDevice: ServerApi['revokeDevice'] = (id) => this.#repeat('DELETE', `/v1/devices/${id}`);
  accountByHandle: ServerApi['accountByHandle'] = (handle) =>
    this.#repeat('GET', `/v1/accounts/by-handle/${encodeURIComponent(handle)}`);
  uploadKeyPackages: ServerApi['uploadKeyPackages'] = (keyPackages, lastResort) =>
    this.#repeat('POST', '/v1/key-packages', { keyPackages, lastResort });
  claimKeyPackages: ServerApi['claimKeyPackages'] = (accounts) =>
    this.#repeat('POST', '/v1/key-packages/claim', { accounts });
  createConversation: ServerApi['createConversation'] = (request) => this.#once('POST', '/v1/conversations', request);
  conversations: ServerApi['conversations'] = async () => {
    const all = new Map<string, ConversationView>();
    let after = '';
    for (;;) {
      const path = `/v1/conversations?limit=${Limits.conversationsPerPage}${after}`;
      const page: ConversationView[] = await this.#repeat('GET', path);
      const known = all.size;
      for (const view of page) {
        all.set(view.id, view);
      }
      // A server from before there were pages answers with all of them each time.
      if (page.length !== Limits.conversationsPerPage || all.size === known) {
        return [...all.values()];
      }
      after = `&after=${page.at(-1)?.id}`;
    }
  };
  conversation: ServerApi['conversation'] = (id) => this.#repeat('GET', `/v1/conversations/${id}`);
  groupInfo: ServerApi['groupInfo'] = (id) => this.#repeat('GET', `/v1/conversations/${id}/group-info`);
  commit: ServerApi['commit'] = (request) =>
    this.#repeat('POST', `/v1/conversations/${request.conversation}/commits`, request);
  leave: ServerApi['leave'] = (id) => this.#repeat('POST', `/v1/conversations/${id}/leave`);
  removeMember: ServerApi['removeMember'] = (id, account) =>
    this.#repeat('DELETE', `/v1/conversations/${id}/members/${account}`);
  setRole: ServerApi['setRole'] = (id, account, role) =>
    this.#repeat('PUT', `/v1/conversations/${id}/members/${account}`, { role });
  wallet: ServerApi['wallet'] = () => this.#repeat('GET', '/v1/wallet');
  statement: ServerApi['statement'] = (asset, before, limit, query = {}) =>
    this.#repeat('GET', `/v1/wallet/${encodeURIComponent(asset)}/statement${queryOf({ limit, before, ...query })}`);
  walletActivity: ServerApi['walletActivity'] = (asset) =>
    this.#repeat('GET', `/v1/wallet/${encodeURIComponent(asset)}/activity`);
  walletHolds: ServerApi['walletHolds'] = () => this.#repeat('GET', '/v1/wallet/holds');
  walletLimits: ServerApi['walletLimits'] = () => this.#repeat('GET', '/v1/wallet/limits');
  exportStatement: ServerApi['exportStatement'] = async (asset, format, { from, to }) => {
    const query = queryOf({ format, from, to });
    const { response, text } = await this.#ask('GET', `/v1/wallet/${encodeURIComponent(asset)}/export${query}`);
    const name = /filename="?([^";]+)/.exec(response.headers.get('content-disposition') ?? '')?.[1];
    return { name: name ?? `statement.${format}`, type: response.headers.get('content-type') ?? '', text };
  };
  receipt: ServerApi['receipt'] = (transfer) => this.#timed(`/v1/receipts/${encodeURIComponent(transfer)}`);
  cardReceipts: ServerApi['cardReceipts'] = (card, after) =>
    this.#timed(`/v1/cards/${encodeURIComponent(card)}/receipts${queryOf({ after })}`);
  ledgerLog: ServerApi['ledgerLog'] = () => this.#repeat('GET', '/v1/ledger/log');
  ledgerConsistency: ServerApi['ledgerConsistency'] = (from, to) =>
    this.#repeat('GET', `/v1/ledger/consistency?from=${from}&to=${to}`);
  card: ServerApi['card'] = (id) => this.#repeat('GET', `/v1/cards/${id}`);
  cardParts: ServerApi['cardParts'] = (id, after, limit) =>
    this.#repeat('GET', `/v1/cards/${id}/parts?limit=${limit}${after === null ? '' : `&after=${after}`}`);
  createPayCode: ServerApi['createPayCode'] = (code) => this.#once('POST', '/v1/pay-codes', code);
  payCode: ServerApi['payCode'] = (code) => this.#repeat('GET', `/v1/pay-codes/${code}`);
  scanPayCode: ServerApi['scanPayCode'] = (code) => this.#repeat('POST', `/v1/pay-codes/${code}/scan`);
  removePayCode: ServerApi['removePayCode'] = (code) => this.#repeat('DELETE', `/v1/pay-codes/${code}`);
  keyLog: ServerApi['keyLog'] = () => this.#repeat('GET', '/v1/keys/log');
  appendKeys: ServerApi['appendKeys'] = (entries) => this.#repeat('POST', '/v1/keys/entries', { entries });
  keyChain: ServerApi['keyChain'] = (account, from, size) =>
    this.#repeat('GET', `/v1/keys/accounts/${account}?from=${from}&size=${size}`);
  keyConsistency: ServerApi['keyConsistency'] = (from, to) =>
    this.#repeat('GET', `/v1/keys/consistency?from=${from}&to=${to}`);
  wrappedKeys: ServerApi['wrappedKeys'] = () => this.#repeat('GET', '/v1/keys/wrapped');
  storeWrappedKeys: ServerApi['storeWrappedKeys'] = (revision, wrapped) =>
    this.#once('PUT', '/v1/keys/wrapped', { revision, wrapped });
  archive: ServerApi['archive'] = () => this.#repeat('GET', '/v1/archive');
  turnArchiveOn: ServerApi['turnArchiveOn'] = (archive) => this.#repeat('PUT', '/v1/archive', { archive });
  deleteArchive: ServerApi['deleteArchive'] = (archive) => this.#repeat('DELETE', `/v1/archive/${archive}`);
  storeArchiveChunk: ServerApi['storeArchiveChunk'] = (archive, number, sealed) =>
    this.#repeat('PUT', `/v1/archive/${archive}/chunks/${number}`, { sealed });
  archiveChunks: ServerApi['archiveChunks'] = (archive, device, from) =>
    this.#repeat('GET', `/v1/archive/${archive}/devices/${device}?from=${from}`);
  vault: ServerApi['vault'] = () => this.#repeat('GET', '/v1/vault');
  realmToken: ServerApi['realmToken'] = (realm) => this.#repeat('POST', `/v1/vault/realms/${realm}/token`);
  realmAt: ServerApi['realmAt'] = (address, token) =>
    new RestApi({ ...this.#options, baseUrl: address.replace(/\/$/, ''), session: 'token', token });
  askRealm: ServerApi['askRealm'] = (realm, message) => this.#once('POST', `/v1/vault/realms/${realm}`, { message });
  vaultAttempts: ServerApi['vaultAttempts'] = (realm) => this.#repeat('GET', `/v1/vault/realms/${realm}/attempts`);

  #keep(reply: SessionReply): SessionReply {
    this.#token = reply.token ?? null;
    return reply;
  }

  /** For requests that change nothing, or the same thing, when they come twice. */
  async #repeat<T>(verb: Verb, path: string, body?: unknown): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#once<T>(verb, path, body);
      } catch (thrown) {
        if (!(thrown instanceof ActionError) || !thrown.info.retryable || attempt >= attempts) {
          throw thrown;
        }
        await delay(fullJitterMs(attempt, 300, 4000));
      }
    }
  }

  async #once<T>(verb: Verb, path: string, body?: unknown): Promise<T> {
    return readAs<T>((await this.#ask(verb, path, body)).text);
  }

  /** An answer with the time after which there may be more to it. */
  async #timed<T>(path: string): Promise<Timed<T>> {
    const { response, text } = await this.#ask('GET', path);
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    return { value: readAs<T>(text), retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : null };
  }

  /** One request and its whole answer. @throws ActionError where that is no success */
  async #ask(verb: Verb, path: string, body?: unknown): Promise<{ response: Response; text: string }> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) {
      headers['content-type'] = 'application/json';
    }
    if (this.#options.session === 'token' && this.#token) {
      headers.authorization = `Bearer ${this.#token}`;
    }
    let response: Response;
    let text: string;
    try {
      response = await (this.#options.fetch ?? fetch)(this.#options.baseUrl + path, {
        method: verb,
        headers,
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      text = await response.text();
    } catch {
      throw localError('offline');
    }
    if (!response.ok) {
      throw toError(response.status, parseJson(text));
    }
    return { response, text };
  }
}

function readAs<T>(text: string): T {
  const value = parseJson(text);
  if (value === undefined && text !== '') {
    throw localError('unexpected', false);
  }
  return value as T;
}

/** What is there of it, as a query; nothing where nothing is. */
function queryOf(members: Record<string, string | number | null | undefined>): string {
  const known = Object.entries(members).flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [[name, String(value)]],
  );
  return known.length === 0 ? '' : `?${new URLSearchParams(known)}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Problem details of the catalogue, or a plain status of something in between such as a proxy. */
function toError(status: number, value: unknown): ActionError {
  const body = value as Partial<ErrorBody> | undefined;
  if (typeof body?.code === 'number' && typeof body.name === 'string') {
    return fromBody({ ...body, message: '', retryable: body.retryable === true } as ErrorBody);
  }
  return status === 429 || status >= 502 ? localError('offline') : localError('unexpected', false);
}
