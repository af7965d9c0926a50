import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64, utf8 } from '../protocol/bytes';
import type { KeyChainReply } from '../protocol/wire';
import { idOf, streamOf } from '../vault/testing/stream';
import { KeyChain } from './chain';
import { takeChainReply } from './chainReply';
import type { Checkpoint } from './checkpoint';
import { type KeyLogEntry, leafOf, makeDeviceAdded, makeIdentity, makeVaultConfigured } from './entry';
import { LogRejection } from './rejection';
import { TestLog } from './testing/testLog';
import { compareNote, judgeGrowth } from './view';

const account = idOf('account');
const random = streamOf('log');
const [logSeed, identity, device] = [random(32), random(32), random(32)] as [Uint8Array, Uint8Array, Uint8Array];

/** A log with entries of others around one account's chain of three. */
function house() {
  const log = new TestLog(logSeed);
  const whole = new KeyChain(account);
  const kept: { entry: KeyLogEntry; salt: Uint8Array; index: number }[] = [];
  const add = (entry: KeyLogEntry) => {
    const salt = random(32);
    log.append(random(32));
    expect(whole.append(entry)).toBe(LogRejection.none);
    kept.push({ entry, salt, index: log.append(leafOf(entry, salt)) });
  };
  add(makeIdentity(whole.next, identity, identity));
  add(makeDeviceAdded(whole.next, idOf('phone'), device, identity));
  const reply = (from: number, size = 0): KeyChainReply => ({
    account,
    from,
    entries: kept.slice(from).map(({ entry, salt, index }) => ({
      entry: toBase64(entry.encoding),
      salt: toBase64(salt),
      index,
      proof: log.inclusion(index).map(toBase64),
    })),
    length: kept.length,
    checkpoint: log.note(),
    consistency: log.consistency(size).map(toBase64),
  });
  return { log, whole, add, reply };
}

function seen(log: TestLog, size = log.entries.length): Checkpoint {
  return { origin: log.identity.origin, size, root: log.root(size), extensions: [] };
}

describe('a reply with a chain', () => {
  it('is taken from the beginning, and then what is new', () => {
    const { log, whole, add, reply } = house();
    const chain = new KeyChain(account);
    const first = takeChainReply(chain, reply(0), log.identity, null);
    expect(first).toMatchObject({ rejection: LogRejection.none, failedAt: null, comparison: { kind: 'grown' } });
    expect(chain.head).toEqual(whole.head);
    const newest = seen(log);
    add(makeVaultConfigured(whole.next, random(32), identity));
    const next = takeChainReply(chain, reply(2, newest.size), log.identity, newest);
    expect(next).toMatchObject({ rejection: LogRejection.none, comparison: { kind: 'grown' } });
    expect(chain.length).toBe(3);
    const same = takeChainReply(chain, reply(3, log.entries.length), log.identity, seen(log));
    expect(same).toMatchObject({ rejection: LogRejection.none, comparison: { kind: 'same' } });
  });

  it('is refused where an entry is not in the log, at the entry', () => {
    const { log, reply } = house();
    const changes: [(reply: KeyChainReply) => void, LogRejection, number | null][] = [
      [(r) => Object.assign(r.entries[1] ?? {}, { index: 0 }), LogRejection.rootMismatch, 1],
      [(r) => Object.assign(r.entries[1] ?? {}, { index: 99 }), LogRejection.indexOutOfRange, 1],
      [(r) => Object.assign(r.entries[1] ?? {}, { salt: toBase64(new Uint8Array(32)) }), LogRejection.rootMismatch, 1],
      [(r) => Object.assign(r.entries[1] ?? {}, { salt: 'AAAA' }), LogRejection.entryMalformed, 1],
      [(r) => Object.assign(r.entries[1] ?? {}, { proof: [] }), LogRejection.proofLengthWrong, 1],
      [(r) => Object.assign(r.entries[0] ?? {}, { entry: '*' }), LogRejection.entryMalformed, 0],
      [(r) => Object.assign(r, { entries: r.entries.slice(1) }), LogRejection.outOfOrder, 0],
      [(r) => Object.assign(r, { from: 1 }), LogRejection.outOfOrder, null],
      [(r) => Object.assign(r, { length: 1 }), LogRejection.outOfOrder, null],
      [(r) => Object.assign(r, { account: idOf('other') }), LogRejection.accountOther, null],
      [(r) => Object.assign(r, { checkpoint: 'none' }), LogRejection.noteMalformed, null],
      [(r) => Object.assign(r, { consistency: ['*'] }), LogRejection.hashLengthWrong, null],
    ];
    for (const [change, rejection, failedAt] of changes) {
      const changed = reply(0);
      change(changed);
      const chain = new KeyChain(account);
      expect(takeChainReply(chain, changed, log.identity, null)).toMatchObject({ rejection, failedAt });
      expect(chain.length).toBe(failedAt ?? 0);
    }
  });

  it('is refused where the chain is shorter than it was', () => {
    const { log, whole, reply } = house();
    const shorter = { ...reply(2), length: 1 };
    expect(takeChainReply(whole, shorter, log.identity, seen(log)).rejection).toBe(LogRejection.forked);
  });

  it('is refused where the log forked, although the log signed it', () => {
    const { log, reply } = house();
    const other = new TestLog(logSeed);
    other.append(...log.entries.slice(0, -1), utf8('another history'));
    const newest = seen(other);
    const outcome = takeChainReply(new KeyChain(account), reply(0, newest.size), log.identity, newest);
    expect(outcome).toMatchObject({ rejection: LogRejection.rootMismatch, comparison: { kind: 'fork', newest } });
  });
});

describe('checkpoints', () => {
  const { log } = house();

  it('are the same, grown, older, or a fork', () => {
    const proof = log.consistency(2);
    expect(compareNote(log.identity, null, log.note(), []).kind).toBe('grown');
    expect(compareNote(log.identity, seen(log), log.note(), []).kind).toBe('same');
    expect(compareNote(log.identity, seen(log, 2), log.note(), proof).kind).toBe('grown');
    expect(compareNote(log.identity, { ...seen(log, 2), size: 0 }, log.note(), []).kind).toBe('grown');
    expect(compareNote(log.identity, seen(log), log.note(2), []).kind).toBe('older');
    const elsewhere = { ...seen(log), root: new Uint8Array(32) };
    expect(compareNote(log.identity, elsewhere, log.note(), []).kind).toBe('fork');
    const before = { ...seen(log, 2), root: new Uint8Array(32) };
    expect(compareNote(log.identity, before, log.note(), proof)).toMatchObject({ kind: 'fork', newest: before });
    expect(compareNote(log.identity, seen(log, 2), log.note(), [])).toMatchObject({ kind: 'fork' });
  });

  it('of another log or key are refused', () => {
    const stranger = new TestLog(identity);
    stranger.append(...log.entries);
    expect(compareNote(log.identity, null, stranger.note(), [])).toEqual({
      kind: 'refused',
      rejection: LogRejection.signerUnknown,
    });
  });

  it('that others saw are shown to be in one history, in either order', () => {
    const [small, large] = [seen(log, 3), seen(log)];
    const proof = log.consistency(3);
    expect(judgeGrowth(small, large, proof)).toBe(LogRejection.none);
    expect(judgeGrowth(large, small, proof)).toBe(LogRejection.none);
    expect(judgeGrowth(large, { ...small, root: fromBase64(toBase64(random(32))) }, proof)).toBe(
      LogRejection.rootMismatch,
    );
  });
});
