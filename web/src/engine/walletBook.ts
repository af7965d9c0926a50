import { parseMinor } from '../protocol/money';
import type { ExportFormat, SavedFile, WalletActivity, WalletHold, WalletLimits } from '../state/contract';
import type { Core } from './core';

/** What the ledger tells of a wallet beside its entries, each time it is asked. */
export class WalletBook {
  constructor(readonly core: Core) {}

  async activity(asset: string): Promise<WalletActivity> {
    const { from, people, months } = await this.core.api.walletActivity(asset);
    return {
      since: from ? Date.parse(from) : null,
      people: people.map(({ person, inMinor, outMinor, count, lastAt }) => ({
        person: this.core.learn(person),
        inMinor: parseMinor(inMinor),
        outMinor: parseMinor(outMinor),
        count,
        lastAt: Date.parse(lastAt),
      })),
      months: months.map(({ month, inMinor, outMinor }) => ({
        ...boundsOf(month),
        inMinor: parseMinor(inMinor),
        outMinor: parseMinor(outMinor),
      })),
    };
  }

  async holds(): Promise<WalletHold[]> {
    const exponents = new Map(this.core.device.assets.map(({ code, exponent }) => [code, exponent]));
    const holds = await this.core.api.walletHolds();
    return holds
      .map(({ card, kind, delivery, conversation, payee, asset, amountMinor, returnsAt }) => ({
        card,
        kind,
        delivery: delivery ?? null,
        conversation,
        payee: payee ? this.core.learn(payee) : null,
        asset: { code: asset, exponent: exponents.get(asset) ?? 0 },
        amountMinor: parseMinor(amountMinor),
        returnsAt: Date.parse(returnsAt),
      }))
      .sort((a, b) => a.returnsAt - b.returnsAt);
  }

  async limits(): Promise<WalletLimits> {
    const limits = await this.core.api.walletLimits();
    return { ...limits, amountMaxMinor: parseMinor(limits.amountMaxMinor) };
  }

  export(asset: string, format: ExportFormat, from: number | null, to: number | null): Promise<SavedFile> {
    return this.core.api.exportStatement(asset, format, { from: instantOf(from), to: instantOf(to) });
  }
}

/** Epoch milliseconds as the server reads instants. */
export function instantOf(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

/** The first instant of a month such as `2026-11`, and the one after its last. */
function boundsOf(month: string): { from: number; to: number } {
  const [year = 1970, number = 1] = month.split('-').map(Number);
  return { from: Date.UTC(year, number - 1), to: Date.UTC(year, number) };
}
