import { sha256 } from '@noble/hashes/sha2.js';
import { concat, utf8 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import { encodeParameters, type PinHashParameters } from './parameters';

/** Stands for no registration. */
export const noVersion = '00000000-0000-0000-0000-000000000000';

/**
 * What every value of a registration is bound to: account, registration, realms and the work of the PIN. So nothing made for
 * one serves in another.
 */
export class VaultContext {
  /** SHA-256 of "chatpay vault v1 context" ‖ account (16) ‖ version (16) ‖ digest of the realms (32) ‖ parameters (7). */
  readonly digest: Uint8Array;

  /** @throws RangeError for ids, a digest or parameters that are none, or no version. */
  constructor(
    readonly account: string,
    readonly version: string,
    readonly configurationDigest: Uint8Array,
    readonly parameters: PinHashParameters,
  ) {
    if (configurationDigest.length !== 32) {
      throw new RangeError("the realms' digest has 32 bytes");
    }
    if (version === noVersion) {
      throw new RangeError('a registration has a version');
    }
    this.digest = sha256(
      concat(
        utf8('chatpay vault v1 context'),
        uuidToBytes(account),
        uuidToBytes(version),
        configurationDigest,
        encodeParameters(parameters),
      ),
    );
  }

  /** Argon2id's salt: the first 16 bytes of SHA-256 of label and digest. */
  salt(): Uint8Array {
    return sha256(concat(utf8('chatpay vault v1 salt'), this.digest)).slice(0, 16);
  }
}

/** What stands of a registration in the key log: SHA-256 of label ‖ context digest (32) ‖ verifying key (32). */
export function vaultDigest(context: VaultContext, verifyingKey: Uint8Array): Uint8Array {
  return sha256(concat(utf8('chatpay vault v1 digest'), context.digest, verifyingKey));
}
