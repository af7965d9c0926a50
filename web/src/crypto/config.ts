import type { Capabilities, ClientConfig, Credential, KeyPackage, LeafNode } from 'ts-mls';
import { type ClientState, defaultKeyPackageEqualityConfig, defaultLifetimeConfig, encodeGroupState } from 'ts-mls';
import { readCredential as readDeviceCredential, vouchesFor } from '../identity/deviceCredential';
import { concat } from '../protocol/bytes';
import { bytesToUuid, uuidToBytes } from '../protocol/ids';
import { suiteName } from './suite';

/** Content is padded to a multiple of this, so that its length says little. */
const paddingBytes = 256;

/** Key packages live twelve weeks; clocks may be an hour off. */
export const keyPackageLifetimeMs = 84 * 24 * 3600 * 1000;
export const clockSkewMs = 3600 * 1000;

export const capabilities: Capabilities = {
  versions: ['mls10'],
  ciphersuites: [suiteName],
  extensions: [],
  proposals: [],
  credentials: ['basic'],
};

/**
 * How leaves are judged: an account and a device for an identity, and a certificate by an identity key. Whose that key is,
 * `PeopleKeys` looks at afterwards. An account that is not in the key log has no certificates; once it is, it has no
 * devices without.
 * @param isInLog whether an account's devices prove themselves
 */
export function configFor(isInLog: (account: string) => boolean): ClientConfig {
  return {
    // A sender's messages stand in the log in the order it made them; skipped ones were never sent.
    keyRetentionConfig: { retainKeysForGenerations: 10, retainKeysForEpochs: 1, maximumForwardRatchetSteps: 1000 },
    lifetimeConfig: defaultLifetimeConfig,
    keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
    paddingConfig: { kind: 'padUntilLength', padUntilLength: paddingBytes },
    authService: {
      validateCredential: async (credential, signatureKey) => {
        const owner = readCredential(credential);
        if (!owner || signatureKey.length !== 32) {
          return false;
        }
        const certified = certificateOf(credential);
        return certified ? vouchesFor(certified, signatureKey) : !isInLog(owner.account);
      },
    },
  };
}

/** Where nothing is known of the key log. */
export const config: ClientConfig = configFor(() => false);

const bareBytes = 32;

/** Basic credential: account id ‖ device id, and what proves it where the account's identity key vouches for the device. */
export function makeCredential(identity: {
  account: string;
  device: string;
  credential: Uint8Array | null;
}): Credential {
  const { account, device, credential } = identity;
  return {
    credentialType: 'basic',
    identity: credential ?? concat(uuidToBytes(account), uuidToBytes(device)),
  };
}

type Owner = { account: string; device: string; identityKey: Uint8Array | null };

/** Whose a leaf says it is; whether the certificate is right says `configFor`. */
export function readCredential(credential: Credential): Owner | null {
  if (credential.credentialType !== 'basic') {
    return null;
  }
  const certified = certificateOf(credential);
  if (certified) {
    const { account, device, identityKey } = certified;
    return { account, device, identityKey };
  }
  const { identity } = credential;
  return identity.length === bareBytes
    ? { account: bytesToUuid(identity.subarray(0, 16)), device: bytesToUuid(identity.subarray(16)), identityKey: null }
    : null;
}

function certificateOf(credential: Credential) {
  return credential.credentialType === 'basic' ? readDeviceCredential(credential.identity) : null;
}

export function belongsTo(leaf: LeafNode | KeyPackage['leafNode'], account: string, device: string): boolean {
  const owner = readCredential(leaf.credential);
  return owner?.account === account && owner.device === device;
}

/** How much padding brings an application message to the next multiple: content and signature with their lengths. */
export function paddingFor(plaintextBytes: number): number {
  const lengthBytes = plaintextBytes < 64 ? 1 : plaintextBytes < 16384 ? 2 : 4;
  const signature = 2 + 64;
  const used = lengthBytes + plaintextBytes + signature;
  return (paddingBytes - (used % paddingBytes)) % paddingBytes;
}

/** The log order guarantees that a message stands in the epoch it was made in, so keys of past epochs are dropped. */
export function dropPast(state: ClientState): ClientState {
  return { ...state, historicalReceiverData: new Map() };
}

export function encodeState(state: ClientState): Uint8Array {
  return encodeGroupState(state);
}
