import { wipe } from '../crypto/random';
import { concat } from '../protocol/bytes';

/** What every device of an account has: the seed of its identity key, and the key of its archive if there is one. */
export type AccountKeys = {
  /** 32 bytes. */
  identitySeed: Uint8Array;
  /** 32 bytes, or null where nobody asked for an archive. */
  archiveKey: Uint8Array | null;
};

/** A flag (1: 0 or 1) and a secret (32), zeros where the flag is 0: 33 bytes. */
export function encodeOptional(secret: Uint8Array | null): Uint8Array {
  if (secret && secret.length !== 32) {
    throw new RangeError('a secret has 32 bytes');
  }
  return concat(Uint8Array.of(secret ? 1 : 0), secret ?? new Uint8Array(32));
}

/** Undefined for another flag, or a secret where the flag says that there is none. */
export function readOptional(bytes: Uint8Array): Uint8Array | null | undefined {
  const [flag] = bytes;
  const secret = bytes.slice(1);
  if (flag === 1) {
    return secret;
  }
  return flag === 0 && secret.every((byte) => byte === 0) ? null : undefined;
}

export function wipeKeys(keys: AccountKeys): void {
  wipe(keys.identitySeed, keys.archiveKey ?? new Uint8Array());
}
