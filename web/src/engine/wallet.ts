import { toActionError } from '../protocol/errors';
import { Limits } from '../protocol/limits';
import { parseMinor } from '../protocol/money';
import type { WalletBalance } from '../protocol/wire';
import type { Balance, Statement, StatementEntry, Wallet } from '../state/contract';
import type { Core } from './core';

const pageEntries = Math.min(50, Limits.statementPageEntries);

type Pages = {
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
    readonly changed: (asset: string | null) => void,
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

  take(balances: WalletBalance[]): void {
    const merged = new Map(this.wallet.balances.map((balance) => [balance.asset.code, balance]));
    for (const balance of balances) {
      merged.set(balance.asset, toBalance(balance));
    }
    this.wallet = { balances: [...merged.values()], loading: false, error: null };
    this.changed(null);
    for (const { asset } of balances) {
      if (this.#statements.get(asset)?.loaded) {
        void this.#reload(asset).catch(() => undefined);
      }
    }
  }

  statement(asset: string): Statement {
    const pages = this.#pages(asset);
    const { entries, loading, error } = pages;
    return { entries, loading, hasMore: pages.before !== null || !pages.loaded, error };
  }

  async loadMore(asset: string): Promise<void> {
    const pages = this.#pages(asset);
    if (pages.loading || (pages.loaded && pages.before === null)) {
      return;
    }
    await this.#fetch(asset, pages, pages.before, (entries) => [...pages.entries, ...entries]);
  }

  /** Something was booked: the newest page again, in front of what was loaded before. */
  async #reload(asset: string): Promise<void> {
    const pages = this.#pages(asset);
    if (pages.loading) {
      return;
    }
    const { entries: old, before } = pages;
    await this.#fetch(asset, pages, null, (fresh) => {
      const oldest = fresh.at(-1)?.version ?? 0;
      const joins = old.some((entry) => entry.version >= oldest);
      return joins ? [...fresh, ...old.filter((entry) => entry.version < oldest)] : fresh;
    });
    const joined = pages.entries.length > pageEntries;
    if (joined) {
      pages.before = before;
    }
  }

  async #fetch(
    asset: string,
    pages: Pages,
    before: number | null,
    merge: (entries: StatementEntry[]) => StatementEntry[],
  ): Promise<void> {
    pages.loading = true;
    pages.error = null;
    this.changed(asset);
    try {
      const page = await this.core.api.statement(asset, before, pageEntries);
      const entries = page.entries.map((entry) => ({
        version: entry.version,
        transfer: entry.transfer,
        kind: entry.kind as StatementEntry['kind'],
        postedMinor: parseMinor(entry.postedMinor),
        heldMinor: parseMinor(entry.heldMinor),
        balanceAfterMinor: parseMinor(entry.balanceAfterMinor),
        counterparty: entry.counterparty ? this.core.learn(entry.counterparty) : null,
        card: entry.card ?? null,
        conversation: entry.conversation ?? null,
        at: Date.parse(entry.at),
      }));
      pages.entries = merge(entries);
      pages.before = page.before ?? null;
      pages.loaded = true;
    } catch (thrown) {
      pages.error = toActionError(thrown).info;
      throw thrown;
    } finally {
      pages.loading = false;
      this.changed(asset);
    }
  }

  #pages(asset: string): Pages {
    let pages = this.#statements.get(asset);
    if (!pages) {
      pages = { entries: [], before: null, loading: false, loaded: false, error: null };
      this.#statements.set(asset, pages);
    }
    return pages;
  }
}

function toBalance(balance: WalletBalance): Balance {
  const balanceMinor = parseMinor(balance.balanceMinor);
  const heldMinor = parseMinor(balance.heldMinor);
  return {
    asset: { code: balance.asset, exponent: balance.exponent },
    balanceMinor,
    heldMinor,
    availableMinor: balanceMinor - heldMinor,
  };
}
