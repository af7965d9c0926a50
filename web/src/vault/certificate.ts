import { sign, verify } from '../crypto/ed25519';
import { concat, utf8 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import type { VaultContext } from './context';

/**
 * What a certificate says of a share. All certificates of a registration are signed by one key, which the device then throws
 * away, so no realm can sign for a share that it made up; and the commitment is signed with it, so no realm can pass off a
 * right PIN as a wrong one.
 */
export type ShareStatement = {
  realm: string;
  index: number;
  publicShare: Uint8Array;
  unlockCommitment: Uint8Array;
};

export function signShare(signingSeed: Uint8Array, context: VaultContext, share: ShareStatement): Uint8Array {
  return sign(signingSeed, statement(context, share));
}

export function verifyShare(
  verifyingKey: Uint8Array,
  context: VaultContext,
  share: ShareStatement,
  certificate: Uint8Array,
): boolean {
  return verify(verifyingKey, certificate, statement(context, share));
}

/** "chatpay vault v1 share" ‖ context digest (32) ‖ realm (16) ‖ index (1) ‖ public key share (32) ‖ commitment (32). */
function statement(context: VaultContext, share: ShareStatement): Uint8Array {
  return concat(
    utf8('chatpay vault v1 share'),
    context.digest,
    uuidToBytes(share.realm),
    Uint8Array.of(share.index),
    share.publicShare,
    share.unlockCommitment,
  );
}
