import type { KeyAlarmKind } from '../../state/contract';
import type { KeyAlarmRecord } from '../../storage/records';
import type { Core } from '../core';

/** A server that contradicts itself all the time shall not fill the store. */
const alarmsKept = 100;
/** Nor shall a realm of the vault that makes things up leave no room for what the server does. */
const ofRealmKept = 20;
const ofRealms: ReadonlySet<KeyAlarmKind> = new Set<KeyAlarmKind>([
  'pinGuessed',
  'pinWait',
  'pinOpened',
  'pinLost',
  'realmsOther',
  'realmLied',
]);
const prefix = 'alarm/';

/** Alarms about keys: kept in the store until somebody dismisses them, and told as they come. */
export class KeyAlarms {
  #kept: KeyAlarmRecord[] = [];
  onChange: () => void = () => undefined;

  constructor(readonly core: Core) {}

  async load(): Promise<void> {
    const kept = await this.core.db.keysUnder<KeyAlarmRecord>(prefix);
    this.#kept = kept.sort((a, b) => a.number - b.number);
  }

  /** The oldest first. */
  get list(): readonly KeyAlarmRecord[] {
    return this.#kept;
  }

  /** Keeps an alarm, unless the same one is kept already. */
  raise(kind: KeyAlarmKind, account: string | null, evidence: string[]): Promise<void> {
    return this.core.queue.run(prefix, async () => {
      const name = JSON.stringify([kind, account, evidence]);
      const isKept = this.#kept.some((one) => JSON.stringify([one.kind, one.account, one.evidence]) === name);
      if (isKept || !this.#hasRoom(kind)) {
        return;
      }
      const value = { number: (this.#kept.at(-1)?.number ?? 0) + 1, kind, at: Date.now(), account, evidence };
      await this.core.write([{ put: 'keys', id: prefix + value.number, value }]);
      this.#kept = [...this.#kept, value];
      this.onChange();
    });
  }

  /** Keeps an alarm, unless one of this kind about this account is kept already. */
  async raiseOnce(kind: KeyAlarmKind, account: string, evidence: string[]): Promise<void> {
    if (!this.#kept.some((one) => one.kind === kind && one.account === account)) {
      await this.raise(kind, account, evidence);
    }
  }

  /** Each kind that a realm can cause has places of its own; all the others share theirs. */
  #hasRoom(kind: KeyAlarmKind): boolean {
    return ofRealms.has(kind)
      ? this.#kept.filter((one) => one.kind === kind).length < ofRealmKept
      : this.#kept.filter((one) => !ofRealms.has(one.kind)).length < alarmsKept;
  }

  /** Forgets all of a kind: what they were about is over. */
  async settle(kind: KeyAlarmKind): Promise<void> {
    for (const { number } of this.#kept.filter((one) => one.kind === kind)) {
      await this.dismiss(number);
    }
  }

  /** Forgets an alarm that somebody has looked into. */
  dismiss(number: number): Promise<void> {
    return this.core.queue.run(prefix, async () => {
      await this.core.write([{ remove: 'keys', id: prefix + number }]);
      this.#kept = this.#kept.filter((one) => one.number !== number);
      this.onChange();
    });
  }
}
