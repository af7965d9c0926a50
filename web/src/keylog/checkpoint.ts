import { utf8 } from '../protocol/bytes';
import { LogLimits } from './limits';
import { hashBytes } from './merkle';
import type { NoteVerifier } from './noteVerifier';
import { LogRejection } from './rejection';
import { readNote, verifyNote } from './signedNote';
import { decodeStrictBase64 } from './strictBase64';

/** What a log says of itself at one size: C2SP tlog-checkpoint. */
export type Checkpoint = {
  origin: string;
  size: number;
  /** 32 bytes. */
  root: Uint8Array;
  /** Lines that a log may add; ours adds none. */
  extensions: string[];
};

/** Reads a note's text, whose signatures the caller has verified; null for what is none. */
export function readCheckpoint(text: string): Checkpoint | null {
  if (text.length > LogLimits.noteBytes || !text.endsWith('\n')) {
    return null;
  }
  const lines = text.slice(0, -1).split('\n');
  const [origin, size, encodedRoot, ...extensions] = lines as [string, string?, string?, ...string[]];
  const root = encodedRoot === undefined ? null : decodeStrictBase64(encodedRoot);
  const isMalformed = lines.some((line) => line === '' || /\p{Cc}/u.test(line));
  if (isMalformed || !size || !/^(0|[1-9]\d*)$/.test(size) || root?.length !== hashBytes) {
    return null;
  }
  // A size that JavaScript cannot hold exactly would be compared wrongly.
  return Number.isSafeInteger(Number(size)) ? { origin, size: Number(size), root, extensions } : null;
}

/**
 * Reads and verifies a log's checkpoint in one go.
 * @param note the signed note, as text or bytes
 * @param origin which log it must be of
 * @param log the log's key: it must have signed, whoever else did
 */
export function openCheckpoint(
  note: string | Uint8Array,
  origin: string,
  log: NoteVerifier,
): { checkpoint: Checkpoint } | { rejection: LogRejection } {
  const read = readNote(typeof note === 'string' ? utf8(note) : note);
  if ('rejection' in read) {
    return read;
  }
  const rejection = verifyNote(read.note, [log]);
  if (rejection !== LogRejection.none) {
    return { rejection };
  }
  const checkpoint = readCheckpoint(read.note.text);
  if (!checkpoint) {
    return { rejection: LogRejection.checkpointMalformed };
  }
  return checkpoint.origin === origin ? { checkpoint } : { rejection: LogRejection.originOther };
}
