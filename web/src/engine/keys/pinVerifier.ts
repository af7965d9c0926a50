import { systemRandom, wipe } from '../../crypto/random';
import { equalBytes, sha256, utf8 } from '../../protocol/bytes';
import type { Stretch } from '../../vault/argon2/port';
import type { PinHashParameters } from '../../vault/parameters';
import type { Pin } from '../../vault/pins/pin';

/** What a device that has seen the PIN knows it again by, without asking anybody. */
export type PinVerifier = {
  /** 16 bytes, of this verifier alone. */
  salt: Uint8Array;
  parameters: PinHashParameters;
  /** SHA-256("chatpay pay pin v1" ‖ Argon2id(PIN, salt)). */
  hash: Uint8Array;
  /** The registration whose PIN it is, as the account's chain names it, 32 bytes: another one makes it void. */
  vaultDigest: Uint8Array;
};

const saltBytes = 16;

export async function makeVerifier(
  pin: Pin,
  vaultDigest: Uint8Array,
  parameters: PinHashParameters,
  stretch: Stretch,
): Promise<PinVerifier> {
  const salt = systemRandom(saltBytes);
  return { salt, parameters, hash: await hashOf(pin, salt, parameters, stretch), vaultDigest };
}

export async function isPinOf(verifier: PinVerifier, pin: Pin, stretch: Stretch): Promise<boolean> {
  return equalBytes(await hashOf(pin, verifier.salt, verifier.parameters, stretch), verifier.hash);
}

async function hashOf(pin: Pin, salt: Uint8Array, parameters: PinHashParameters, stretch: Stretch) {
  const stretched = await stretch(pin.bytes, salt, parameters);
  try {
    return await sha256(utf8('chatpay pay pin v1'), stretched);
  } finally {
    wipe(stretched);
  }
}
