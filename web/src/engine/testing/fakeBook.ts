import { noteVerifier, writeNoteVerifier } from '../../keylog/noteVerifier';
import { TestLog } from '../../keylog/testing/testLog';
import { toBase64 } from '../../protocol/bytes';
import type * as wire from '../../protocol/wire';
import { ledger, origin, seedOf } from '../../receipt/testing/receiptScene';
import { fail } from './fakeServer';

/** What the fake server's ledger tells: entries, and receipts with their log. Tests write into it what they want told. */
export class FakeBook {
  /** Newest first. */
  entries: wire.StatementEntry[] = [];
  /** So many entries a filtered page looks through. */
  looksThrough = 5000;
  activity: wire.WalletActivity = { asset: 'EUR', exponent: 2, people: [], months: [] };
  holds: wire.WalletHold[] = [];
  readonly limits: wire.WalletLimits = {
    openCards: 1,
    openCardsMax: 200,
    requestsPerMinute: 10,
    requestBurst: 20,
    amountMaxMinor: '1000000000000000',
    cardLifetimeMaxSeconds: 604_800,
    mandateMaxSeconds: 31_622_400,
  };
  readonly receipts: wire.ReceiptView[] = [];
  log = new TestLog(seedOf(3), origin);
  verifier = ledger;
  retryAfterMs: number | null = null;
  asked: wire.StatementQuery[] = [];

  statement(before: number | null, limit: number, query: wire.StatementQuery = {}): wire.StatementPage {
    this.asked.push(query);
    const rest = this.entries.filter(({ version }) => before === null || version < before);
    const isFiltered = Boolean(query.with || query.side);
    const looked = rest.slice(0, isFiltered ? this.looksThrough : limit);
    const entries = looked
      .filter((entry) => !query.with || entry.counterparty?.id === query.with)
      .filter(({ postedMinor }) => query.side !== 'in' || BigInt(postedMinor) > 0n)
      .slice(0, limit);
    const last = (entries.length === limit ? entries : looked).at(-1);
    return { entries, before: last && rest.at(-1) !== last ? last.version : null };
  }

  receipt(transfer: string): wire.ReceiptView {
    return this.receipts.find((receipt) => receipt.transfer === transfer) ?? fail(1005, 'not_found');
  }

  /** In pages of two. */
  receiptsOf(card: string, after: string | null): wire.ReceiptsPage {
    const all = this.receipts.filter((receipt) => receipt.card === card);
    const from = after === null ? 0 : all.findIndex(({ transfer }) => transfer === after) + 1;
    const receipts = all.slice(from, from + 2);
    return { receipts, after: receipts.length === 2 ? (receipts[1]?.transfer ?? null) : null };
  }

  view(): wire.KeyLogView {
    return { origin, verifierKey: writeNoteVerifier(this.verifier) };
  }

  /** The server signs with another key from here on. */
  replaceKey(key: Uint8Array): void {
    this.verifier = noteVerifier(origin, key);
  }

  consistency(from: number, to: number): wire.ConsistencyReply {
    return { from, to, proof: this.log.consistency(from, to).map(toBase64), checkpoint: this.log.note(to) };
  }
}
