import type { GivenApproval, OwnKeysRecord, PendingRegistration } from '../../storage/records';
import type { Core } from '../core';

const place = 'own';

/** What a device holds of its account's keys before it has any. */
export const noKeys: OwnKeysRecord = {
  identitySeed: null,
  nextSeed: null,
  wrapDue: false,
  rootSecret: null,
  rootDue: false,
  pending: [],
  archiveKey: null,
  restoreDue: false,
  approvalKey: null,
  posted: [],
  approved: [],
};

export type OwnChange = Partial<OwnKeysRecord> | ((now: OwnKeysRecord) => Partial<OwnKeysRecord>);

/** What this device holds of its account's keys, in memory as it is stored. */
export class OwnRecord {
  value: OwnKeysRecord = noKeys;
  /** How many codes this device has made to be approved by: what shows one reads it again. */
  codes = 0;

  constructor(readonly core: Core) {}

  async load(): Promise<void> {
    const stored = await this.core.db.keys<OwnKeysRecord>(place);
    // Records of earlier versions have one registration or none.
    const pending: PendingRegistration[] | PendingRegistration | null = stored?.pending ?? null;
    // Nor have they a time beside what was approved: that lasts from now on.
    const given: (GivenApproval | string)[] = stored?.approved ?? [];
    const approved = given.map((one) => (typeof one === 'string' ? { device: one, at: Date.now() } : one));
    this.value = { ...noKeys, ...stored, pending: [pending ?? []].flat(), approved };
    if (given.some((one) => typeof one === 'string')) {
      await this.write({});
    }
  }

  /** One change at a time, each from what the one before has left: more than one thing changes this record. */
  write(change: OwnChange): Promise<void> {
    return this.core.queue.run('keys/record', async () => {
      const value = { ...this.value, ...(typeof change === 'function' ? change(this.value) : change) };
      await this.core.write([{ put: 'keys', id: place, value }], 'strict');
      this.codes += value.approvalKey === this.value.approvalKey ? 0 : 1;
      this.value = value;
    });
  }
}
