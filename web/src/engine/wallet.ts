import { nobody } from '../protocol/cardTerms';
import { toActionError } from '../protocol/errors';
import { Limits } from '../protocol/limits';
import { parseMinor } from '../protocol/money';
import type * as wire from '../protocol/wire';
import {
  type Balance,
  everyEntry,
  isEveryEntry,
  type Statement,
  type StatementEntry,
  type StatementFilter,
  statementKey,
  type Wallet,
} from '../state/contract';
import type { Core } from './core';
import { instantOf } from './walletBook';

const pageEntries = Math.min(50, Limits.statementPageEntries);
/** Of filtered statements those that were looked at last are kept, and kept up to date. */
const filteredKept = 2;
/** A filtered page may be empty though there is more: so many are asked for before the person is. */
const emptyPagesPassed = 4;

type Pages = {
  key: string;
  asset: string;
  filter: StatementFilter;
  entries: StatementEntry[];
  before: number | null;
  loading: boolean;
  loaded: boolean;
  error: Statement['error'];
};

/** Balances and statements, exactly as the ledger tells them. */
export class WalletModel {
  wallet: Wallet = { balances: [], loading: true, error: null };
  readonly #statements = new Map<string, Pages>();

  constructor(
    readonly core: Core,
    readonly changed: (statement: string | null) => void,
  ) {}

  async refresh(): Promise<void> {
    this.wallet = { ...this.wallet, loading: true, error: null };
    this.changed(null);
    try {
      const reply = await this.core.api.wallet();
      this.take(reply.balances);
    } catch (thrown) {
      const { info } = toActionError(thrown);
      this.wallet = { ...this.wallet, loading: false, error: info };
      this.changed(null);
      throw thrown;
    }
  }

  take(balances: wire.WalletBalance[]): void {
    const merged = new Map(this.wallet.balances.map((balance) => [balance.asset.code, balance]));
    for (const balance of balances) {
      merged.set(balance.asset, toBalance(balance));
    }
    this.wallet = { balances: [...merged.values()], loading: false, error: null };
    this.changed(null);
    for (const { asset } of balances) {
      for (const pages of this.#statements.values()) {
        if (pages.asset === asset && pages.loaded) {
          void this.#reload(pages).catch(() => undefined);
        }
      }
    }
  }

  /** By `statementKey`; null where none is kept under it. */
  statement(key: string): Statement | null {
    const pages = this.#statements.get(key);
    if (!pages) {
      return null;
    }
    const { entries, loading, loaded, before, error } = pages;
    return { entries, loading, hasMore: before !== null || !loaded, error };
  }

  async loadMore(asset: string, filter: StatementFilter = everyEntry): Promise<void> {
    const pages = this.#pages(asset, filter);
    for (let passed = 0; passed < emptyPagesPassed; passed++) {
      if (pages.loading || (pages.loaded && pages.before === null)) {
        return;
      }
      const known = pages.entries.length;
      await this.#fetch(pages, pages.before, (entries) => [...pages.entries, ...entries]);
      if (pages.entries.length > known) {
        return;
      }
    }
  }

  /** Something was booked: the newest page again, in front of what was loaded before. */
  async #reload(pages: Pages): Promise<void> {
    if (pages.loading) {
      return;
    }
    const { entries: old, before } = pages;
    let older: StatementEntry[] = [];
    await this.#fetch(pages, null, (fresh) => {
      const oldest = fresh.at(-1)?.version ?? Number.POSITIVE_INFINITY;
      const joins = fresh.length === 0 || old.some((entry) => entry.version >= oldest);
      older = joins ? old.filter((entry) => entry.version < oldest) : [];
      return [...fresh, ...older];
    });
    if (older.length > 0) {
      // What comes next is behind the oldest that was kept, not behind the newest page.
      pages.before = before;
      this.changed(pages.key);
    }
  }

  async #fetch(
    pages: Pages,
    before: number | null,
    merge: (entries: StatementEntry[]) => StatementEntry[],
  ): Promise<void> {
    const { asset, filter } = pages;
    pages.loading = true;
    pages.error = null;
    this.changed(pages.key);
    try {
      const page = await this.core.api.statement(asset, before, pageEntries, {
        ...filter,
        from: instantOf(filter.from),
        to: instantOf(filter.to),
      });
      const entries = await Promise.all(page.entries.map((entry) => this.#entry(entry)));
      pages.entries = merge(entries);
      pages.before = page.before ?? null;
      pages.loaded = true;
    } catch (thrown) {
      pages.error = toActionError(thrown).info;
      throw thrown;
    } finally {
      pages.loading = false;
      this.changed(pages.key);
    }
  }

  async #entry(entry: wire.StatementEntry): Promise<StatementEntry> {
    const postedMinor = parseMinor(entry.postedMinor);
    const card = entry.card ?? null;
    // Nobody has got what is on hold, so the ledger names nobody; the card says whom it is for.
    const view = postedMinor === 0n && card ? (await this.core.card(card))?.view : undefined;
    const isForAll = view?.kind === 'packet' && view.payee === nobody;
    const heldFor = view && !view.hidden && view.payee !== nobody ? this.core.person(view.payee) : null;
    return {
      version: entry.version,
      transfer: entry.transfer,
      kind: entry.kind as StatementEntry['kind'],
      postedMinor,
      heldMinor: parseMinor(entry.heldMinor),
      balanceAfterMinor: parseMinor(entry.balanceAfterMinor),
      counterparty: entry.counterparty ? this.core.learn(entry.counterparty) : heldFor?.displayName ? heldFor : null,
      ...(isForAll ? { isForAll } : {}),
      card,
      conversation: entry.conversation ?? null,
      at: Date.parse(entry.at),
    };
  }

  #pages(asset: string, filter: StatementFilter): Pages {
    const key = statementKey(asset, filter);
    const known = this.#statements.get(key);
    const pages = known ?? {
      key,
      asset,
      filter,
      entries: [],
      before: null,
      loading: false,
      loaded: false,
      error: null,
    };
    // The map is in the order of use.
    this.#statements.delete(key);
    this.#statements.set(key, pages);
    const filtered = [...this.#statements.values()].filter((kept) => !isEveryEntry(kept.filter));
    for (const { key: old } of filtered.slice(0, -filteredKept)) {
      this.#statements.delete(old);
      this.changed(old);
    }
    return pages;
  }
}

function toBalance(balance: wire.WalletBalance): Balance {
  const balanceMinor = parseMinor(balance.balanceMinor);
  const heldMinor = parseMinor(balance.heldMinor);
  return {
    asset: { code: balance.asset, exponent: balance.exponent },
    balanceMinor,
    heldMinor,
    availableMinor: balanceMinor - heldMinor,
  };
}
