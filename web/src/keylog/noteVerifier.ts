import { sha256 } from '@noble/hashes/sha2.js';
import { isPublicKey } from '../crypto/ed25519';
import { concat, toBase64, utf8 } from '../protocol/bytes';
import { LogLimits } from './limits';
import { decodeStrictBase64 } from './strictBase64';

/**
 * A key by which somebody signs notes, under a name: C2SP signed-note, signature type 0x01, Ed25519. The id, an identifier and no
 * fingerprint, are the first four bytes of SHA-256 of name, newline, 0x01 and key.
 */
export type NoteVerifier = { name: string; id: number; key: Uint8Array };

const ed25519Type = 0x01;
const textMaxChars = LogLimits.keyNameMaxChars + 64;

/** Reads `name+id+base64(0x01 ‖ key)`; null for everything but the one way to write a key of this kind. */
export function readNoteVerifier(text: string): NoteVerifier | null {
  const parts = text.split('+');
  if (text.length > textMaxChars || parts.length < 3) {
    return null;
  }
  const [name, id, ...rest] = parts as [string, string, ...string[]];
  const raw = decodeStrictBase64(rest.join('+'));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(id) || raw?.[0] !== ed25519Type || !isPublicKey(raw.subarray(1))) {
    return null;
  }
  const verifier = noteVerifier(name, raw.slice(1));
  return writeNoteVerifier(verifier) === text ? verifier : null;
}

/** @param key Ed25519, 32 bytes */
export function noteVerifier(name: string, key: Uint8Array): NoteVerifier {
  const hash = sha256(concat(utf8(name), utf8('\n'), Uint8Array.of(ed25519Type), key));
  return { name, id: new DataView(hash.buffer, hash.byteOffset).getUint32(0), key };
}

export function writeNoteVerifier({ name, id, key }: NoteVerifier): string {
  return `${name}+${id.toString(16).padStart(8, '0')}+${toBase64(concat(Uint8Array.of(ed25519Type), key))}`;
}

/** A key's name is not empty and has no space, plus or control. */
export function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= LogLimits.keyNameMaxChars && !/[\s\u0085\p{Cc}+]/u.test(name);
}
