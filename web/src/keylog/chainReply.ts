import { fromBase64 } from '../protocol/bytes';
import type { KeyChainReply } from '../protocol/wire';
import type { KeyChain } from './chain';
import type { Checkpoint } from './checkpoint';
import { leafOf, readEntry } from './entry';
import { leafHash, verifyInclusion } from './merkle';
import { LogRejection } from './rejection';
import { type Comparison, compareNote, type LogIdentity } from './view';

/** What came of a reply. Entries before the one that was refused are taken. */
export type ReplyOutcome = {
  rejection: LogRejection;
  /** The number of the entry that was refused, or null. */
  failedAt: number | null;
  /** How the reply's checkpoint stands to the newest; the caller keeps a grown one, and raises the alarm for a fork. */
  comparison: Comparison;
  /** The server tells of fewer entries than are known here, and of nothing else. */
  isBehind: boolean;
};

/**
 * Checks a reply and takes its entries into the chain: the checkpoint first, then each entry's place in the log, then the entry
 * itself. A server that tells of a shorter chain than is known here shows another history.
 */
export function takeChainReply(
  chain: KeyChain,
  reply: KeyChainReply,
  log: LogIdentity,
  newest: Checkpoint | null,
): ReplyOutcome {
  const consistency = decodeAll(reply.consistency);
  if (!consistency) {
    const rejection = LogRejection.hashLengthWrong;
    return { rejection, failedAt: null, comparison: { kind: 'refused', rejection }, isBehind: false };
  }
  const comparison = compareNote(log, newest, reply.checkpoint, consistency);
  const isBehind = reply.account === chain.account && reply.length < chain.length && reply.entries.length === 0;
  const stop = (rejection: LogRejection, failedAt: number | null = null) => ({
    rejection,
    failedAt,
    comparison,
    isBehind,
  });
  if (comparison.kind === 'refused' || comparison.kind === 'fork') {
    return stop(comparison.rejection);
  }
  if (reply.account !== chain.account) {
    return stop(LogRejection.accountOther);
  }
  if (reply.length < chain.length) {
    return stop(LogRejection.forked);
  }
  if (reply.from !== chain.length || reply.from + reply.entries.length > reply.length) {
    return stop(LogRejection.outOfOrder);
  }
  for (const proved of reply.entries) {
    const rejection = takeEntry(chain, proved, comparison.checkpoint);
    if (rejection !== LogRejection.none) {
      return stop(rejection, chain.length);
    }
  }
  return stop(LogRejection.none);
}

function takeEntry(chain: KeyChain, proved: KeyChainReply['entries'][number], checkpoint: Checkpoint): LogRejection {
  const decoded = decodeAll([proved.entry, proved.salt, ...proved.proof]);
  const [encoding, salt, ...proof] = decoded ?? [];
  if (!encoding || salt?.length !== 32) {
    return LogRejection.entryMalformed;
  }
  const read = readEntry(encoding);
  if ('rejection' in read) {
    return read.rejection;
  }
  const leaf = leafHash(leafOf(read.entry, salt));
  const rejection = verifyInclusion(proved.index, checkpoint.size, leaf, proof, checkpoint.root);
  return rejection === LogRejection.none ? chain.append(read.entry) : rejection;
}

function decodeAll(texts: readonly string[]): Uint8Array[] | null {
  try {
    return texts.map(fromBase64);
  } catch {
    return null;
  }
}
