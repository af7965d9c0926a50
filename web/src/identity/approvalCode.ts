import { concat, equalBytes } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';
import { fromBase64Url, toBase64Url } from './base64url';

/** What a new device shows, to be scanned or typed on one that has the account's keys. */
export type ApprovalCode = {
  account: string;
  device: string;
  /** Ed25519, 32 bytes: what the device is registered with. */
  deviceKey: Uint8Array;
  /** X25519, 32 bytes: what the keys are sealed to. */
  sealKey: Uint8Array;
};

const prefix = 'chatpay:approve:1:';
const codeBytes = 16 + 16 + 32 + 32;

export function encodeApprovalCode({ account, device, deviceKey, sealKey }: ApprovalCode): string {
  const bytes = concat(uuidToBytes(account), uuidToBytes(device), deviceKey, sealKey);
  if (bytes.length !== codeBytes) {
    throw new RangeError('keys have 32 bytes');
  }
  return prefix + toBase64Url(bytes);
}

/** Null for whatever is no such code. White space anywhere is passed over: people copy in pieces. */
export function readApprovalCode(text: string): ApprovalCode | null {
  const code = text.replaceAll(/\s/g, '');
  const bytes = code.startsWith(prefix) ? fromBase64Url(code.slice(prefix.length)) : null;
  return bytes?.length === codeBytes
    ? {
        account: bytesToUuid(bytes.slice(0, 16)),
        device: bytesToUuid(bytes.slice(16, 32)),
        deviceKey: bytes.slice(32, 64),
        sealKey: bytes.slice(64),
      }
    : null;
}

/** Why a code may not be approved. */
export type ApprovalRefusal = 'otherAccount' | 'deviceUnknown' | 'deviceRevoked' | 'keyMismatch' | 'itself';

/** A device as `GET /v1/devices` tells of it. */
export type ListedDevice = { id: string; signatureKey: Uint8Array; revoked: boolean };

/** What the old device checks before it shows the name and asks; null where it may ask. */
export function refuseApproval(
  code: ApprovalCode,
  own: { account: string; device: string },
  devices: readonly ListedDevice[],
): ApprovalRefusal | null {
  if (code.account !== own.account) {
    return 'otherAccount';
  }
  if (code.device === own.device) {
    return 'itself';
  }
  const listed = devices.find((device) => device.id === code.device);
  if (!listed) {
    return 'deviceUnknown';
  }
  if (listed.revoked) {
    return 'deviceRevoked';
  }
  return equalBytes(listed.signatureKey, code.deviceKey) ? null : 'keyMismatch';
}
