import { publicKeyOf, sign, verify } from '../crypto/ed25519';
import { concat, utf8 } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';

/**
 * What a device's MLS credential holds: account (16) ‖ device (16) ‖ account identity key (32) ‖ certificate (64), which is that
 * key's Ed25519 signature over "chatpay device v1" ‖ account ‖ device ‖ the device's signature key (32). It shows that the
 * identity key vouches for the device; whose that key is, the key log says.
 */
export type DeviceCredential = {
  account: string;
  device: string;
  identityKey: Uint8Array;
  certificate: Uint8Array;
};

export const credentialBytes = 16 + 16 + 32 + 64;

/** Has the identity key vouch for a device: the certificate, 64 bytes. */
export function certifyDevice(
  identitySeed: Uint8Array,
  account: string,
  device: string,
  signatureKey: Uint8Array,
): Uint8Array {
  return sign(identitySeed, statement(account, device, signatureKey));
}

/** The whole credential for a device, 128 bytes. */
export function issueCredential(
  identitySeed: Uint8Array,
  account: string,
  device: string,
  signatureKey: Uint8Array,
): Uint8Array {
  return encodeCredential({
    account,
    device,
    identityKey: publicKeyOf(identitySeed),
    certificate: certifyDevice(identitySeed, account, device, signatureKey),
  });
}

export function encodeCredential(credential: DeviceCredential): Uint8Array {
  const { account, device, identityKey, certificate } = credential;
  if (identityKey.length !== 32 || certificate.length !== 64) {
    throw new RangeError('an identity key has 32 bytes and a certificate 64');
  }
  return concat(uuidToBytes(account), uuidToBytes(device), identityKey, certificate);
}

/** Null for another size; whether the certificate is right says `vouchesFor`. */
export function readCredential(bytes: Uint8Array): DeviceCredential | null {
  return bytes.length === credentialBytes
    ? {
        account: bytesToUuid(bytes.slice(0, 16)),
        device: bytesToUuid(bytes.slice(16, 32)),
        identityKey: bytes.slice(32, 64),
        certificate: bytes.slice(64),
      }
    : null;
}

/**
 * Whether the credential's identity key vouches for the device with this signature key. It asks exactly what ChatPay.Core does: in
 * a group that both are in, none may refuse a leaf that the other takes.
 */
export function vouchesFor(credential: DeviceCredential, signatureKey: Uint8Array): boolean {
  const { account, device, identityKey, certificate } = credential;
  return signatureKey.length === 32 && verify(identityKey, certificate, statement(account, device, signatureKey));
}

function statement(account: string, device: string, signatureKey: Uint8Array): Uint8Array {
  if (signatureKey.length !== 32) {
    throw new RangeError('a signature key has 32 bytes');
  }
  return concat(utf8('chatpay device v1'), uuidToBytes(account), uuidToBytes(device), signatureKey);
}
