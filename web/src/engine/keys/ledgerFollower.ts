import { openCheckpoint } from '../../keylog/checkpoint';
import { type NoteVerifier, readNoteVerifier } from '../../keylog/noteVerifier';
import type { KeyLogRecord } from '../../storage/records';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import { isOneLog } from './logFit';

const place = 'ledgerLog';

/**
 * Follows the ledger log by the checkpoints of receipts: the first log that the server names is kept, and no checkpoint is taken
 * that does not go with the newest one. What contradicts itself raises an alarm with both signed notes.
 */
export class LedgerFollower {
  constructor(
    readonly core: Core,
    readonly alarms: KeyAlarms,
  ) {}

  /**
   * The key that receipts have to be signed by; null where what the server names is none.
   * @param named what a receipt names; where that is another one, the server is asked whether it began another log
   * @throws ActionError where the server cannot be reached
   */
  verifier(named: string): Promise<NoteVerifier | null> {
    return this.core.queue.run(place, async () => {
      let log = await this.#find();
      if (log?.verifierKey !== named) {
        const { origin, verifierKey } = await this.core.api.ledgerLog();
        if (log && verifierKey !== log.verifierKey) {
          await this.alarms.raise('ledgerReplaced', null, [log.verifierKey, log.note, verifierKey]);
        }
        if (verifierKey !== log?.verifierKey) {
          const replaced = log !== null;
          log = { origin, verifierKey, size: 0, root: new Uint8Array(), note: '', checkedAt: 0, replaced };
          await this.#keep(log);
        }
      }
      return log && verifierOf(log);
    });
  }

  /**
   * Whether a checkpoint that the log's key signed goes with the newest one, which it may become.
   * @throws ActionError where the server cannot be reached
   */
  take(note: string): Promise<boolean> {
    return this.core.queue.run(place, async () => {
      const log = await this.#find();
      const verifier = log && verifierOf(log);
      const opened = verifier && openCheckpoint(note, log.origin, verifier);
      if (!opened || 'rejection' in opened) {
        return false;
      }
      const { size, root } = opened.checkpoint;
      const ask = (first: number, second: number) => this.core.api.ledgerConsistency(first, second);
      if (log.size > 0 && !(await isOneLog(log, { size, root }, ask))) {
        await this.alarms.raise('ledgerForked', null, [log.note, note]);
        return false;
      }
      if (size > log.size) {
        await this.#keep({ ...log, size, root, note, checkedAt: Date.now() });
      }
      return true;
    });
  }

  #find(): Promise<KeyLogRecord | null> {
    return this.core.db.keys<KeyLogRecord>(place);
  }

  async #keep(value: KeyLogRecord): Promise<void> {
    await this.core.write([{ put: 'keys', id: place, value }]);
  }
}

function verifierOf({ origin, verifierKey }: KeyLogRecord): NoteVerifier | null {
  const verifier = readNoteVerifier(verifierKey);
  return verifier?.name === origin ? verifier : null;
}
