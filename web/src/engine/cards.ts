import { delay } from '../net/jitter';
import { ErrorCode, isCode, isTransient, localError } from '../protocol/errors';
import { uuidv7 } from '../protocol/ids';
import { Limits } from '../protocol/limits';
import type { CardPart, CardPartsPage, CardView } from '../protocol/wire';
import { ActionError, type CardAction, debitOf, type PinConsent } from '../state/contract';
import type { CardRecord } from '../storage/records';
import { advance } from './cardNews';
import type { Core } from './core';
import { type Debits, debitedBy, type OwnWord } from './debits';
import type { DeviceKeys } from './keys/deviceKeys';
import type { PayPin } from './keys/payPin';
import type { Sync } from './sync';

const attempts = 3;
const retryWaitMs = 10_000;

/** What would move money to or from somebody whose keys have changed; a card may always be closed. */
const movesMoney: CardAction[] = ['accept', 'pay', 'claim', 'draw', 'refund'];

function isNamingAmount(action: CardAction): boolean {
  return action === 'refund' || action === 'draw';
}

/** Acting on cards. A card's state comes from the server's events and answers alone, and only ever moves on. */
export class Cards {
  readonly busy = new Set<string>();

  constructor(
    readonly core: Core,
    readonly sync: Sync,
    readonly keys: DeviceKeys,
    readonly debits: Debits,
    readonly payPin: PayPin,
  ) {}

  /** @param asked how much, of a refund or a draw */
  async act(id: string, action: CardAction, consent: PinConsent | null, asked: bigint | null = null): Promise<void> {
    const record = await this.core.card(id);
    if (!record) {
      throw new ActionError({ code: ErrorCode.cardUnknown, name: 'card_unknown', retryable: false });
    }
    if (record.mismatch) {
      throw localError('card_mismatch', false);
    }
    if (isNamingAmount(action) && (asked === null || asked <= 0n)) {
      throw new ActionError({ code: ErrorCode.amountNotPositive, name: 'amount_not_positive', retryable: false });
    }
    if (movesMoney.includes(action)) {
      await this.keys.requireAccepted(record.view.conversation);
    }
    if (this.busy.has(id)) {
      return;
    }
    this.busy.add(id);
    this.core.watcher.card(id);
    try {
      const own = await this.debits.ofCard(record, action);
      const debit = own && debitOf(debitedBy(own.terms), action);
      if (own && debit) {
        const taken = debit.amountOf(debitedBy(own.terms), this.core.device.account, asked);
        await this.payPin.require(own.terms.asset, taken ?? 0n, consent);
      }
      await this.#act(record, action, own, isNamingAmount(action) ? asked : null);
    } finally {
      this.busy.delete(id);
      this.core.watcher.card(id);
    }
  }

  /** A lost answer is asked for again with the same key: the ledger answers what it decided. */
  async #act(record: CardRecord, action: CardAction, own: OwnWord | null, asked: bigint | null): Promise<void> {
    const request = {
      card: record.id,
      version: record.view.version,
      action,
      idempotencyKey: uuidv7(),
      post: null,
      amountMinor: asked?.toString() ?? null,
    };
    let sent = false;
    let unanswered = false;
    for (let attempt = 1; ; attempt++) {
      try {
        this.sync.requireOnline();
        sent = true;
        const reply = await this.debits.act(request, own);
        await this.learn(reply.card, Date.parse(reply.at), this.core.device.account);
        return;
      } catch (thrown) {
        if (!isTransient(thrown)) {
          await this.#learnFrom(thrown, record.view.conversation);
          throw thrown;
        }
        if (!sent) {
          throw thrown;
        }
        // One lost answer is enough: a server that is busy afterwards does not say what it did before.
        unanswered ||= isCode(thrown, 0);
        if (attempt >= attempts || !(await this.#backOnline())) {
          throw unanswered ? localError('outcome_unknown', false) : thrown;
        }
      }
    }
  }

  async #backOnline(): Promise<boolean> {
    const until = Date.now() + retryWaitMs;
    // The connection that failed is closing; the next one is what to wait for.
    await delay(200);
    while (Date.now() < until && !this.core.stopped) {
      if (this.core.online) {
        return true;
      }
      await delay(50);
    }
    return false;
  }

  /** A refusal may carry the card as it is now. */
  async #learnFrom(thrown: unknown, conversation: string): Promise<void> {
    const card = thrown instanceof ActionError ? thrown.info.details?.card : null;
    if (card && typeof card === 'object') {
      await this.learn(card as CardView, null, null);
    }
    this.sync.want([conversation]);
  }

  learn(view: CardView, at: number | null, by: string | null): Promise<void> {
    const { core } = this;
    return core.queue.run(view.conversation, async () => {
      const known = await core.card(view.id);
      const when = at ?? (view.closedAt ? Date.parse(view.closedAt) : Date.now());
      const value = known && advance(known, view, when, by);
      if (value && value !== known) {
        await core.write([{ put: 'cards', value }]);
      }
    });
  }

  /** Reads all parts of a split or packet: an answer has a page of them, and events have those that they changed. */
  async loadParts(id: string): Promise<void> {
    const record = await this.core.card(id);
    if (!record || record.view.hidden) {
      return;
    }
    const parts: CardPart[] = [];
    for (let after: number | null = null; parts.length < Limits.packetShares; ) {
      const page: CardPartsPage = await this.core.api.cardParts(id, after, Limits.cardPartsPage);
      parts.push(...page.parts);
      if (page.after == null || page.parts.length === 0) {
        break;
      }
      after = page.after;
    }
    const { view } = (await this.core.card(id)) ?? record;
    await this.learn({ ...view, progress: { ...view.progress, parts } }, null, null);
  }
}
