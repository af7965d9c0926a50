import { KeyChain } from '../../keylog/chain';
import { takeChainReply } from '../../keylog/chainReply';
import { type Checkpoint, openCheckpoint } from '../../keylog/checkpoint';
import { readNoteVerifier } from '../../keylog/noteVerifier';
import { LogRejection } from '../../keylog/rejection';
import type { LogIdentity } from '../../keylog/view';
import { fromBase64, toBase64 } from '../../protocol/bytes';
import { ErrorCode, isCode, localError } from '../../protocol/errors';
import { Limits } from '../../protocol/limits';
import type { KeyChainReply } from '../../protocol/wire';
import { ActionError } from '../../state/contract';
import type { KeyLogRecord } from '../../storage/records';
import type { Core } from '../core';
import type { KeyAlarms } from './alarms';
import { isOneLog } from './logFit';

const place = 'log';

export type Followed = { chain: KeyChain; entries: Uint8Array[] };

/**
 * Follows the key log: takes nothing of a chain that is not proved to be in it, and no checkpoint that the one before does
 * not lead to. What contradicts itself raises an alarm with both sides of it.
 */
export class KeyLogFollower {
  #log: KeyLogRecord | null = null;

  constructor(
    readonly core: Core,
    readonly alarms: KeyAlarms,
  ) {}

  async load(): Promise<void> {
    this.#log = await this.core.db.keys<KeyLogRecord>(place);
  }

  /** The newest checkpoint that was checked; null before the first. */
  get log(): KeyLogRecord | null {
    return this.#log;
  }

  /**
   * Brings somebody's chain up to date.
   * @param known the entries that were checked before
   * @returns null where the server shows what cannot be true; an alarm says so
   * @throws ActionError where the server cannot be reached, or does not show this chain
   */
  follow(account: string, known: readonly Uint8Array[]): Promise<Followed | null> {
    // One at a time: each checkpoint goes on from the one before.
    return this.core.queue.run('keys/log', () => this.#follow(account, known));
  }

  /**
   * Whether what somebody else was shown of the log goes with what this device was shown. What the log's key did not sign
   * proves nothing, so of each person it raises one alarm at most.
   * @returns false where the log has signed it, and the server does not show now whether the two go together
   * @throws ActionError where this device has not seen the log yet, and the server cannot be reached
   */
  tryCompare(from: string, note: string): Promise<boolean> {
    return this.core.queue.run('keys/log', async () => {
      const log = this.#log ?? (await this.#begin());
      const { origin, verifier } = identityOf(log);
      const opened = openCheckpoint(note, origin, verifier);
      if ('rejection' in opened) {
        await this.alarms.raiseOnce('logOther', from, [log.verifierKey, note]);
        return true;
      }
      const { size, root } = opened.checkpoint;
      const fits = log.size === 0 || size === 0 || (await this.#fits(log, size, root));
      if (fits === false) {
        await this.alarms.raise('logForked', null, [log.note, note]);
      }
      return fits !== null;
    });
  }

  /** Null where the server does not answer. */
  async #fits(log: KeyLogRecord, size: number, root: Uint8Array): Promise<boolean | null> {
    try {
      return await isOneLog(log, { size, root }, (first, second) => this.core.api.keyConsistency(first, second));
    } catch (thrown) {
      if (thrown instanceof ActionError) {
        return null;
      }
      throw thrown;
    }
  }

  async #follow(account: string, known: readonly Uint8Array[]): Promise<Followed | null> {
    const chain = restoreChain(account, known);
    const entries = [...known];
    let isBroughtBack = false;
    for (;;) {
      const log = this.#log ?? (await this.#begin());
      let reply: KeyChainReply;
      try {
        reply = await this.core.api.keyChain(account, chain.length, log.size);
      } catch (thrown) {
        if (!isCode(thrown, ErrorCode.logSizeUnknown)) {
          throw thrown;
        }
        if (await this.#isReplaced(log)) {
          continue;
        }
        await this.alarms.raise('logShrunk', null, [log.note]);
        return null;
      }
      const { comparison, rejection, isBehind } = takeChainReply(chain, reply, identityOf(log), newestOf(log));
      switch (comparison.kind) {
        case 'refused':
          if (await this.#isReplaced(log)) {
            continue;
          }
          await this.alarms.raise('logForked', null, [log.note, reply.checkpoint]);
          return null;
        case 'fork':
          await this.alarms.raise('logForked', null, [log.note, reply.checkpoint]);
          return null;
        case 'older':
          await this.alarms.raise('logShrunk', null, [log.note, reply.checkpoint]);
          return null;
        default:
          await this.#keep({ ...log, ...pick(comparison.checkpoint), note: reply.checkpoint, checkedAt: Date.now() });
      }
      if (log.replaced && isBehind) {
        // What is known here was checked and signed; the database has forgotten it. Once is enough to try.
        if (account !== this.core.device.account || isBroughtBack) {
          return { chain, entries };
        }
        isBroughtBack = true;
        if (await this.#bringBack(entries.slice(reply.length))) {
          continue;
        }
        await this.alarms.raiseOnce('chainInvalid', account, [reply.checkpoint]);
        return null;
      }
      // A page that brings nothing new where there is more would be asked for for ever.
      const isStuck = reply.entries.length === 0 && reply.length > chain.length;
      if (rejection !== LogRejection.none || isStuck) {
        const evidence = [reply.checkpoint, ...reply.entries.map(({ entry }) => entry)];
        await this.alarms.raise('chainInvalid', account, evidence);
        return null;
      }
      entries.push(...reply.entries.map(({ entry }) => fromBase64(entry)));
      if (chain.length >= reply.length) {
        return { chain, entries };
      }
    }
  }

  /**
   * Gives the server back what it has lost of the own chain.
   * @returns false where the chain has gone on otherwise meanwhile: what this device knows has no place in it any more
   */
  async #bringBack(lost: Uint8Array[]): Promise<boolean> {
    for (let at = 0; at < lost.length; at += Limits.keyEntriesPerRequest) {
      try {
        await this.core.api.appendKeys(lost.slice(at, at + Limits.keyEntriesPerRequest).map(toBase64));
      } catch (thrown) {
        if (isCode(thrown, ErrorCode.keyChainStale)) {
          // Another device was quicker; what it has added is looked at as any other entry.
          return true;
        }
        if (isCode(thrown, ErrorCode.keyEntryInvalid)) {
          return false;
        }
        throw thrown;
      }
    }
    return true;
  }

  /** Keeps the first log that the server names. */
  async #begin(): Promise<KeyLogRecord> {
    const { origin, verifierKey } = await this.core.api.keyLog();
    const log = { origin, verifierKey, size: 0, root: new Uint8Array(), note: '', checkedAt: 0 };
    identityOf(log);
    await this.#keep(log);
    return log;
  }

  /** The server names another log: that is said, and the other one is followed from here on. */
  async #isReplaced(log: KeyLogRecord): Promise<boolean> {
    const { origin, verifierKey } = await this.core.api.keyLog();
    if (origin === log.origin && verifierKey === log.verifierKey) {
      return false;
    }
    await this.alarms.raise('logReplaced', null, [log.verifierKey, log.note, verifierKey]);
    await this.#keep({ origin, verifierKey, size: 0, root: new Uint8Array(), note: '', checkedAt: 0, replaced: true });
    return true;
  }

  async #keep(value: KeyLogRecord): Promise<void> {
    await this.core.write([{ put: 'keys', id: place, value }]);
    this.#log = value;
  }
}

/** Entries of this device's own store, which were checked when they came. @throws ActionError where they are broken */
export function restoreChain(account: string, entries: readonly Uint8Array[]): KeyChain {
  const checked = KeyChain.check(account, entries);
  if ('rejection' in checked) {
    throw localError('unexpected', false);
  }
  return checked.chain;
}

function identityOf({ origin, verifierKey }: { origin: string; verifierKey: string }): LogIdentity {
  const verifier = readNoteVerifier(verifierKey);
  if (!verifier) {
    throw localError('keys_untrue', false);
  }
  return { origin, verifier };
}

function newestOf(log: KeyLogRecord): Checkpoint | null {
  const { origin, size, root } = log;
  return size === 0 ? null : { origin, size, root, extensions: [] };
}

function pick({ size, root }: Checkpoint): { size: number; root: Uint8Array } {
  return { size, root };
}
