import { verify } from '../crypto/ed25519';
import { utf8 } from '../protocol/bytes';
import { LogLimits } from './limits';
import { isKeyName, type NoteVerifier } from './noteVerifier';
import { LogRejection } from './rejection';
import { decodeStrictBase64 } from './strictBase64';

/** A signature under a note: one byte or more; 64 of Ed25519. */
export type NoteSignature = { name: string; keyId: number; signature: Uint8Array };

/**
 * Text that one or several keys signed: C2SP signed-note. The text ends in a newline, an empty line follows, and then a line for
 * each signature. Nothing is to be made of the text before `verifyNote`.
 */
export type SignedNote = { text: string; signatures: NoteSignature[] };

const dash = '\u2014';
const idBytes = 4;

/** Reads a note; no signature is looked at yet. */
export function readNote(bytes: Uint8Array): { note: SignedNote } | { rejection: LogRejection } {
  if (bytes.length > LogLimits.noteBytes) {
    return { rejection: LogRejection.tooLarge };
  }
  const all = decode(bytes);
  // The last empty line parts text and signatures; the text may have empty lines of its own.
  const end = all?.lastIndexOf('\n\n') ?? -1;
  if (all === null || !isNoteText(all) || end < 1 || end + 2 === all.length) {
    return { rejection: LogRejection.noteMalformed };
  }
  const signatures: NoteSignature[] = [];
  for (const line of all.slice(end + 2, -1).split('\n')) {
    if (signatures.length === LogLimits.noteSignatures) {
      return { rejection: LogRejection.tooLarge };
    }
    const signature = readSignature(line);
    if (!signature) {
      return { rejection: LogRejection.signatureMalformed };
    }
    signatures.push(signature);
  }
  return { note: { text: all.slice(0, end + 1), signatures } };
}

/**
 * Verifies the signatures of the keys that the reader trusts, and ignores all others: `signatureInvalid` if one by a trusted key does
 * not verify, whatever the others say; `signerUnknown` if there is none by a trusted key.
 */
export function verifyNote(note: SignedNote, trusted: readonly NoteVerifier[]): LogRejection {
  const text = utf8(note.text);
  let isSigned = false;
  for (const { name, keyId, signature } of note.signatures) {
    const key = trusted.find((one) => one.name === name && one.id === keyId);
    if (key && !verify(key.key, signature, text)) {
      return LogRejection.signatureInvalid;
    }
    isSigned ||= key !== undefined;
  }
  return isSigned ? LogRejection.none : LogRejection.signerUnknown;
}

function readSignature(line: string): NoteSignature | null {
  const [mark, name, encoded, ...more] = line.split(' ');
  if (mark !== dash || !name || !isKeyName(name) || encoded === undefined || more.length > 0) {
    return null;
  }
  const bytes = decodeStrictBase64(encoded);
  return bytes && bytes.length > idBytes
    ? { name, keyId: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0), signature: bytes.slice(idBytes) }
    : null;
}

function isNoteText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  return text.endsWith('\n') && !/[\u0000-\u0009\u000b-\u001f]/.test(text);
}

function decode(bytes: Uint8Array): string | null {
  try {
    // What was signed is every byte, a mark of the byte order too.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
