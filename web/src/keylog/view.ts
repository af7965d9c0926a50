import { equalBytes } from '../protocol/bytes';
import { type Checkpoint, openCheckpoint } from './checkpoint';
import { verifyConsistency } from './merkle';
import type { NoteVerifier } from './noteVerifier';
import { LogRejection } from './rejection';

/** Which log a client follows: what it saw first, and keeps. */
export type LogIdentity = { origin: string; verifier: NoteVerifier };

/**
 * How a checkpoint stands to the newest one that was checked. `fork` is for the alarm and comes with both as evidence; `older` is
 * one that the newest has to be shown to contain: ask for the consistency from its size to the newest's.
 */
export type Comparison =
  | { kind: 'same' | 'grown' | 'older'; checkpoint: Checkpoint }
  | { kind: 'fork'; checkpoint: Checkpoint; newest: Checkpoint; rejection: LogRejection }
  | { kind: 'refused'; rejection: LogRejection };

/** Opens a checkpoint of the log and compares it with the newest; null where there is none yet: the first sight is believed. */
export function compareNote(
  log: LogIdentity,
  newest: Checkpoint | null,
  note: string | Uint8Array,
  consistency: readonly Uint8Array[],
): Comparison {
  const opened = openCheckpoint(note, log.origin, log.verifier);
  if ('rejection' in opened) {
    return { kind: 'refused', rejection: opened.rejection };
  }
  const { checkpoint } = opened;
  if (!newest) {
    return { kind: 'grown', checkpoint };
  }
  if (checkpoint.size < newest.size) {
    return { kind: 'older', checkpoint };
  }
  if (checkpoint.size === newest.size) {
    return equalBytes(checkpoint.root, newest.root)
      ? { kind: 'same', checkpoint }
      : { kind: 'fork', checkpoint, newest, rejection: LogRejection.rootMismatch };
  }
  // From the empty tree there is nothing to prove.
  const rejection = newest.size === 0 ? LogRejection.none : judgeGrowth(newest, checkpoint, consistency);
  return rejection === LogRejection.none
    ? { kind: 'grown', checkpoint }
    : { kind: 'fork', checkpoint, newest, rejection };
}

/** A size and root that somebody else saw, as gossip brings it. */
export type SeenHead = { size: number; root: Uint8Array };

/** Whether one tree begins with the other; they may come in either order. */
export function judgeGrowth(one: SeenHead, other: SeenHead, consistency: readonly Uint8Array[]): LogRejection {
  const [first, second] = one.size <= other.size ? [one, other] : [other, one];
  return verifyConsistency(first.size, second.size, first.root, second.root, consistency);
}
