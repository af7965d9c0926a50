import { Aes128Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core';
import { x25519 } from '@noble/curves/ed25519.js';
import { publicKeyOf } from '../crypto/ed25519';
import { type Random, systemRandom, wipe } from '../crypto/random';
import { concat, equalBytes, utf8 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import { type AccountKeys, encodeOptional, readOptional } from './accountKeys';
import type { ApprovalCode } from './approvalCode';

/**
 * The account's keys on their way to a device that another one approved: 1 (version) ‖ 1 (kind) ‖ HPKE-base (RFC 9180; DHKEM
 * X25519 HKDF-SHA256, HKDF-SHA256, AES-128-GCM): enc (32) ‖ ciphertext of identity seed (32) ‖ root flag (1) ‖ root secret (32) ‖
 * archive flag (1) ‖ archive key (32), with "chatpay approval v1" ‖ account ‖ device as info and no associated data.
 */
export type ApprovedKeys = AccountKeys & {
  /** 32 bytes, or null where the account has no PIN. */
  rootSecret: Uint8Array | null;
};

const header = Uint8Array.of(1, 1);
const encBytes = 32;
const plaintextBytes = 32 + 33 + 33;
const bodyBytes = header.length + encBytes + plaintextBytes + 16;

export type SealKeyPair = { privateKey: Uint8Array; publicKey: Uint8Array };

/** What the new device draws to be sealed to: X25519, 32 bytes each. */
export function drawSealKeyPair(random: Random = systemRandom): SealKeyPair {
  return sealKeyPairOf(random(32));
}

export function sealKeyPairOf(privateKey: Uint8Array): SealKeyPair {
  return { privateKey, publicKey: x25519.getPublicKey(privateKey) };
}

/** The body of the pairwise message to the device that the code is of. */
export async function sealApproval(code: ApprovalCode, keys: ApprovedKeys): Promise<Uint8Array> {
  const hpke = suite();
  const recipientPublicKey = await hpke.kem.deserializePublicKey(buffer(code.sealKey));
  const plaintext = concat(keys.identitySeed, encodeOptional(keys.rootSecret), encodeOptional(keys.archiveKey));
  if (plaintext.length !== plaintextBytes) {
    throw new RangeError('an identity seed has 32 bytes');
  }
  const sealed = await hpke.seal({ recipientPublicKey, info: info(code) }, buffer(plaintext));
  wipe(plaintext);
  return concat(header, new Uint8Array(sealed.enc), new Uint8Array(sealed.ct));
}

/** What a body that says that it is an approval is refused for. */
export type ApprovalProblem = 'notAnApproval' | 'unreadable' | 'otherIdentity';

/**
 * Opens an approval on the new device. The keys are the account's only if they fit the identity key of its chain, so that is
 * asked for here: nobody who merely saw the code can slip in keys of their own.
 * @param identityKey in force in the account's chain, 32 bytes
 */
export async function openApproval(
  body: Uint8Array,
  own: { account: string; device: string },
  pair: SealKeyPair,
  identityKey: Uint8Array,
): Promise<{ keys: ApprovedKeys } | { problem: ApprovalProblem }> {
  if (body.length !== bodyBytes || !equalBytes(body.subarray(0, header.length), header)) {
    return { problem: 'notAnApproval' };
  }
  const keys = await unseal(body.slice(header.length), own, pair);
  if (!keys) {
    return { problem: 'unreadable' };
  }
  return equalBytes(publicKeyOf(keys.identitySeed), identityKey) ? { keys } : { problem: 'otherIdentity' };
}

async function unseal(
  sealed: Uint8Array,
  own: { account: string; device: string },
  pair: SealKeyPair,
): Promise<ApprovedKeys | null> {
  let plaintext: Uint8Array;
  try {
    const hpke = suite();
    const recipientKey = await hpke.kem.deserializePrivateKey(buffer(pair.privateKey));
    const enc = buffer(sealed.subarray(0, encBytes));
    const opened = await hpke.open({ recipientKey, enc, info: info(own) }, buffer(sealed.subarray(encBytes)));
    plaintext = new Uint8Array(opened);
  } catch {
    return null;
  }
  const identitySeed = plaintext.slice(0, 32);
  const rootSecret = readOptional(plaintext.subarray(32, 65));
  const archiveKey = readOptional(plaintext.subarray(65));
  wipe(plaintext);
  return rootSecret === undefined || archiveKey === undefined ? null : { identitySeed, rootSecret, archiveKey };
}

function suite(): CipherSuite {
  return new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes128Gcm() });
}

function info({ account, device }: { account: string; device: string }): ArrayBuffer {
  return buffer(concat(utf8('chatpay approval v1'), uuidToBytes(account), uuidToBytes(device)));
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}
