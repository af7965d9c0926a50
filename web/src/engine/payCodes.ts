import { type PayCodeOwner, payCodeOf, payCodeOfPerson, readPayCode } from '../identity/payCode';
import { equalBytes } from '../protocol/bytes';
import { ErrorCode, isCode, isNamed, localError, toActionError } from '../protocol/errors';
import { Limits } from '../protocol/limits';
import { parseMinor, usualExponent } from '../protocol/money';
import type { PayCodeView } from '../protocol/wire';
import type { Asset, ErrorInfo, NewCard, NewPayCode, PayCode, Person, ScannedCode } from '../state/contract';
import type { CardRecord, PayCodeRecord } from '../storage/records';
import type { Chats } from './chats';
import type { Core } from './core';
import type { DeviceKeys } from './keys/deviceKeys';
import type { Sync } from './sync';

const prefix = 'code/';
/** The server forgets a code a day after its time, and so does this device. */
const keptMs = 24 * 3_600_000;
/** Nobody waits in front of a code for longer than this: later ones are looked at less often. */
const eagerMs = 5 * 60_000;
const lazyTimes = 8;
/** Whoever scans in a code's last moment still has the time to look at what is asked. */
const leastAskedSeconds = 300;
/** The request may have been posted while the answer to the scan was on its way, by a clock that is not quite this one. */
const slackMs = 5000;
/** So far back the request of a code is looked for in its conversation. */
const recalledItems = 50;

/** A code that was scanned here and whose owner asks now. It is not kept: to scan it again is the same. */
type Scanned = {
  view: PayCodeView;
  /** As it was scanned: the server is not believed whose code it is. */
  text: string;
  identityKey: Uint8Array;
  since: number;
  before: Set<string>;
  card: string | null;
  /** A request whose asker's key is being compared. */
  checking: string | null;
};

/**
 * Codes that are shown and scanned to pay. The server knows a code and who has scanned it, nothing else happens there: the one
 * who is to be paid posts a request between the two, and the other signs for it like for any.
 */
export class PayCodes {
  /** As `Engine.postCard`. */
  post: (card: NewCard) => Promise<void> = () => Promise.reject(localError('not_ready', false));
  readonly #own = new Map<string, PayCodeRecord>();
  readonly #scanned = new Map<string, Scanned>();
  readonly #errors = new Map<string, ErrorInfo>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking = false;
  #stopped = false;

  constructor(
    readonly core: Core,
    readonly sync: Sync,
    readonly keys: DeviceKeys,
    readonly chats: Chats,
    readonly changed: () => void,
  ) {
    core.cardSeen = (card) => this.#match(card);
  }

  async load(): Promise<void> {
    for (const record of await this.core.db.keysUnder<PayCodeRecord>(prefix)) {
      // What ran out unseen has nothing more to say, and what led to a request is in the conversation.
      if (record.isOver || record.expiresAt + keptMs < this.core.clock.nowMs()) {
        await this.core.write([{ remove: 'keys', id: prefix + record.code }]);
      } else {
        this.#own.set(record.code, record);
        await (record.card === null ? this.#recall(record) : this.core.card(record.card));
      }
    }
    this.changed();
  }

  /** The page may have gone between the request and what is kept of the code. */
  async #recall({ scannedBy, conversation }: PayCodeRecord): Promise<void> {
    const id = conversation ?? (scannedBy ? this.chats.directWith(scannedBy.id) : null);
    const items = id === null ? [] : await this.core.db.itemsBefore(id, Number.MAX_SAFE_INTEGER, recalledItems);
    for (const { body } of items) {
      const card = body.type === 'card' ? await this.core.card(body.card) : null;
      if (card) {
        this.#match(card);
      }
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  get shown(): PayCode[] {
    const own = [...this.#own.values()].sort((a, b) => b.madeAt - a.madeAt).map((record) => this.#viewOf(record));
    const scanned = [...this.#scanned.values()].reverse().map((entry) => this.#viewOfScanned(entry));
    return [...scanned, ...own];
  }

  /** What says whom to pay, for good. @throws ActionError `not_ready` */
  ownText(): string {
    const owner = this.#me;
    if (!owner) {
      throw localError('not_ready', false);
    }
    return payCodeOfPerson(owner);
  }

  get #me(): PayCodeOwner | null {
    const identityKey = this.keys.own.chain?.identityKey;
    return identityKey ? { account: this.core.device.account, identityKey } : null;
  }

  async make({ kind, amountMinor, asset, memo, lifetimeSeconds }: NewPayCode): Promise<string> {
    this.sync.requireOnline();
    this.ownText();
    const view = await this.core.api.createPayCode({
      kind,
      amountMinor: amountMinor?.toString() ?? null,
      asset,
      lifetimeSeconds,
    });
    const expiresAt = Date.parse(view.expiresAt);
    const seconds = kind === 'payer' ? Limits.payerCodeSeconds : lifetimeSeconds;
    await this.#put({
      code: view.code,
      kind,
      owner: this.core.learn(view.owner),
      amountMinor: view.amountMinor ?? null,
      asset: view.asset ?? null,
      memo: memo.trim(),
      lifetimeSeconds: seconds,
      madeAt: expiresAt - seconds * 1000,
      expiresAt,
      scannedBy: null,
      isOver: false,
      hasAsked: false,
      conversation: null,
      card: null,
    });
    this.look();
    return view.code;
  }

  async remove(code: string): Promise<void> {
    const record = this.#own.get(code);
    if (record && record.scannedBy === null && !this.#isPast(record)) {
      await this.core.api.removePayCode(code);
    }
    this.#own.delete(code);
    this.#scanned.delete(code);
    this.#errors.delete(code);
    this.changed();
    await this.core.queue.run(prefix, () => this.core.write([{ remove: 'keys', id: prefix + code }]));
  }

  /** Posts the request of a code that was taken once more. */
  async ask(code: string): Promise<void> {
    const record = this.#own.get(code);
    if (record?.scannedBy && record.kind === 'payMe' && record.card === null) {
      await this.#ask(record, record.scannedBy);
    }
  }

  async scan(text: string): Promise<ScannedCode> {
    const read = readPayCode(text);
    if (!read) {
      throw localError('pay_code_invalid', false);
    }
    if (read.account === this.core.device.account) {
      throw localError('pay_code_own', false);
    }
    this.sync.requireOnline();
    // Whose keys are known is compared first: a code that was forged does not even open a conversation.
    const isKnown = this.keys.people.find(read.account).seenKey !== null;
    if (isKnown) {
      await this.#requireKeyOf(read);
    }
    if (read.code !== null) {
      return this.#scanCode(text, read, read.code);
    }
    // The code has no name in it: the conversation tells it, and of a stranger the keys.
    const conversation = await this.chats.startDirect({ id: read.account, handle: '', displayName: '' });
    await this.#requireKeyOf(read);
    return { what: 'person', conversation };
  }

  async #scanCode(text: string, owner: PayCodeOwner, code: string): Promise<ScannedCode> {
    const [since, before] = [this.core.clock.nowMs() - slackMs, new Set(this.core.cards.keys())];
    const view = await this.core.api.scanPayCode(code);
    if (view.owner.id !== owner.account) {
      // Another account than the one that shows it would be paid.
      throw localError('pay_code_keys', false);
    }
    const person = this.core.learn(view.owner);
    if (view.kind === 'payer') {
      const conversation = await this.chats.startDirect(person);
      await this.#requireKeyOf(owner);
      return { what: 'payer', conversation };
    }
    if (!this.#scanned.has(code)) {
      const { identityKey } = owner;
      this.#scanned.set(code, { view, text, identityKey, since, before, card: null, checking: null });
      for (const card of this.core.cards.values()) {
        this.#match(card);
      }
    }
    this.changed();
    return { what: 'payMe', code };
  }

  /** @throws ActionError `pay_code_keys` */
  async #requireKeyOf({ account, identityKey }: PayCodeOwner): Promise<void> {
    if (!(await this.#isKeyOf(account, identityKey))) {
      throw localError('pay_code_keys', false);
    }
  }

  /** Of two that disagree one may only be behind: the log is asked before anybody is alarmed. */
  async #isKeyOf(account: string, key: Uint8Array): Promise<boolean> {
    const isSeen = () => {
      const { seenKey } = this.keys.people.find(account);
      return seenKey !== null && equalBytes(seenKey, key);
    };
    if (!isSeen()) {
      await this.keys.people.check(account).catch(() => undefined);
    }
    return isSeen();
  }

  /** Looks at the own codes that somebody may have scanned, now and from now on. */
  look(): void {
    clearTimeout(this.#timer);
    if (!this.#stopped && !this.#looking && [...this.#own.values()].some((record) => this.#isWaiting(record))) {
      this.#looking = true;
      void this.#lookAtAll()
        .catch(() => undefined)
        .finally(() => {
          this.#looking = false;
          this.#lookLater();
        });
    }
  }

  #lookLater(): void {
    const waiting = [...this.#own.values()].filter((record) => this.#isWaiting(record));
    // What is offline is looked at as soon as it is back.
    if (this.#stopped || waiting.length === 0 || !this.core.online) {
      return;
    }
    const now = this.core.clock.nowMs();
    const isEager = waiting.some((record) => now - record.madeAt < eagerMs);
    const { payCodesMs } = this.core.timing;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), isEager ? payCodesMs : lazyTimes * payCodesMs);
  }

  /** Somebody may still scan it, or has and was not asked yet. */
  #isWaiting({ kind, scannedBy, hasAsked, isOver }: PayCodeRecord): boolean {
    return !isOver && (scannedBy === null || (kind === 'payMe' && !hasAsked));
  }

  async #lookAtAll(): Promise<void> {
    for (const record of [...this.#own.values()]) {
      if (this.core.online && this.#isWaiting(record)) {
        await this.#lookAt(record).catch(() => undefined);
      }
    }
  }

  async #lookAt(record: PayCodeRecord): Promise<void> {
    let { scannedBy } = record;
    if (scannedBy === null) {
      // Taken in its last moment is taken: what is past is looked at once more.
      const isPast = this.#isPast(record);
      try {
        const view = await this.core.api.payCode(record.code);
        scannedBy = view.scannedBy ? this.core.learn(view.scannedBy) : null;
      } catch (thrown) {
        if (!isCode(thrown, ErrorCode.payCodeUnknown)) {
          throw thrown;
        }
      }
      if (!this.#own.has(record.code)) {
        return;
      }
      if (scannedBy === null) {
        return isPast ? this.#put({ ...record, isOver: true }) : undefined;
      }
      await this.#put({ ...record, scannedBy });
      for (const card of this.core.cards.values()) {
        this.#match(card);
      }
    }
    const taken = this.#own.get(record.code);
    if (taken?.kind === 'payMe' && !taken.hasAsked) {
      await this.#ask(taken, scannedBy);
    }
  }

  /** Once by itself: whether it went is known, or its owner is told and asks again. */
  async #ask(record: PayCodeRecord, payer: Person): Promise<void> {
    const { code, amountMinor, asset, memo, lifetimeSeconds } = record;
    this.#errors.delete(code);
    await this.#put({ ...record, hasAsked: true });
    try {
      const conversation = await this.chats.startDirect(payer);
      await this.#change(code, { conversation });
      await this.post({
        conversation,
        kind: 'request',
        other: payer.id,
        amountMinor: BigInt(amountMinor ?? '0'),
        asset: asset ?? '',
        memo,
        lifetimeSeconds: Math.max(lifetimeSeconds, leastAskedSeconds),
      });
    } catch (thrown) {
      if (isNamed(thrown, 'offline')) {
        // Nothing has left: it is done once the connection is back.
        await this.#change(code, { hasAsked: false });
      } else {
        this.#errors.set(code, toActionError(thrown).info);
        this.changed();
      }
    }
  }

  /** Whether a card is the request that a code has led to. */
  #match(card: CardRecord): void {
    const { view } = card;
    if (view.kind !== 'request' || view.hidden || this.#isMatched(card.id)) {
      return;
    }
    const at = Date.parse(view.createdAt);
    for (const record of this.#own.values()) {
      if (
        record.card === null &&
        record.scannedBy &&
        at >= record.madeAt &&
        isBetween(record, record.scannedBy, card)
      ) {
        void this.#change(record.code, { card: card.id, conversation: view.conversation }).catch(() => undefined);
        return;
      }
    }
    for (const entry of this.#scanned.values()) {
      const { amountMinor, asset, owner } = entry.view;
      const isAsked = view.payee === owner.id && view.payer === this.core.device.account;
      const isSame = view.amountMinor === amountMinor && view.asset === asset;
      const isFree = entry.card === null && entry.checking === null;
      if (isFree && isAsked && isSame && at >= entry.since && !entry.before.has(card.id)) {
        entry.checking = card.id;
        void this.#lead(entry, card.id);
        return;
      }
    }
  }

  /** To the request, once the keys of whoever asks are those that the code names: of a stranger they come with the conversation. */
  async #lead(entry: Scanned, card: string): Promise<void> {
    const { code, owner } = entry.view;
    const isKey = await this.#isKeyOf(owner.id, entry.identityKey).catch(() => false);
    entry.checking = null;
    if (isKey) {
      entry.card = card;
      this.#errors.delete(code);
    } else {
      // It stays in its conversation, where the keys are seen to differ from what was compared before, or to be a stranger's.
      entry.before.add(card);
      this.#errors.set(code, localError('pay_code_keys', false).info);
      // It may be another code's.
      const record = this.core.cards.get(card);
      if (record) {
        this.#match(record);
      }
    }
    this.changed();
  }

  #isMatched(card: string): boolean {
    const scanned = [...this.#scanned.values()];
    return (
      [...this.#own.values(), ...scanned].some((entry) => entry.card === card) ||
      scanned.some((entry) => entry.checking === card)
    );
  }

  async #change(code: string, change: Partial<PayCodeRecord>): Promise<void> {
    const record = this.#own.get(code);
    if (record) {
      await this.#put({ ...record, ...change });
    }
  }

  /** Memory goes first, and what is in it then is kept: two changes of one moment both last. */
  #put({ code, ...rest }: PayCodeRecord): Promise<void> {
    this.#own.set(code, { code, ...rest });
    this.changed();
    return this.core.queue.run(prefix, async () => {
      const value = this.#own.get(code);
      await (value && this.core.write([{ put: 'keys', id: prefix + code, value }]));
    });
  }

  #isPast(record: PayCodeRecord): boolean {
    return record.expiresAt <= this.core.clock.nowMs();
  }

  #viewOf(record: PayCodeRecord): PayCode {
    const { code, kind, owner, amountMinor, asset, memo, expiresAt, scannedBy, isOver, conversation, card } = record;
    return {
      code,
      kind,
      text: this.#me ? payCodeOf(this.#me, code) : '',
      isMine: true,
      state: scannedBy ? 'taken' : isOver ? 'over' : 'open',
      owner,
      amountMinor: amountMinor === null ? null : parseMinor(amountMinor),
      asset: asset === null ? null : this.#asset(asset),
      memo,
      expiresAt: this.#shownAt(expiresAt),
      scannedBy,
      conversation,
      card,
      error: this.#errors.get(code) ?? null,
    };
  }

  #viewOfScanned({ view, text, card }: Scanned): PayCode {
    return {
      code: view.code,
      kind: view.kind,
      text,
      isMine: false,
      state: 'taken',
      owner: this.core.person(view.owner.id),
      amountMinor: view.amountMinor ? parseMinor(view.amountMinor) : null,
      asset: view.asset ? this.#asset(view.asset) : null,
      memo: '',
      expiresAt: this.#shownAt(Date.parse(view.expiresAt)),
      scannedBy: this.core.person(this.core.device.account),
      conversation: card === null ? null : (this.core.cards.get(card)?.view.conversation ?? null),
      card,
      error: this.#errors.get(view.code) ?? null,
    };
  }

  #asset(code: string): Asset {
    const known = this.core.device.assets.find((asset) => asset.code === code);
    return known ?? { code, exponent: usualExponent(code) };
  }

  #shownAt(serverMs: number): number {
    return serverMs - this.core.clock.nowMs() + Date.now();
  }
}

/** Between the two whom an own code brought together, in its direction and, where it says one, of its amount. */
function isBetween(record: PayCodeRecord, other: Person, { view }: CardRecord): boolean {
  const [payee, payer] = record.kind === 'payMe' ? [record.owner.id, other.id] : [other.id, record.owner.id];
  const isSame =
    record.amountMinor === null || (view.amountMinor === record.amountMinor && view.asset === record.asset);
  return view.payee === payee && view.payer === payer && isSame;
}
