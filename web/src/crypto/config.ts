import type { Capabilities, ClientConfig, Credential, KeyPackage, LeafNode } from 'ts-mls';
import { type ClientState, defaultKeyPackageEqualityConfig, defaultLifetimeConfig, encodeGroupState } from 'ts-mls';
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

export const config: ClientConfig = {
  // A sender's messages stand in the log in the order it made them; skipped ones were never sent.
  keyRetentionConfig: { retainKeysForGenerations: 10, retainKeysForEpochs: 1, maximumForwardRatchetSteps: 1000 },
  lifetimeConfig: defaultLifetimeConfig,
  keyPackageEqualityConfig: defaultKeyPackageEqualityConfig,
  paddingConfig: { kind: 'padUntilLength', padUntilLength: paddingBytes },
  authService: {
    validateCredential: async (credential, signatureKey) =>
      signatureKey.length === 32 && readCredential(credential) !== null,
  },
};

/** Basic credential: account id ‖ device id. */
export function makeCredential(account: string, device: string): Credential {
  return { credentialType: 'basic', identity: concat(uuidToBytes(account), uuidToBytes(device)) };
}

export function readCredential(credential: Credential): { account: string; device: string } | null {
  if (credential.credentialType !== 'basic' || credential.identity.length !== 32) {
    return null;
  }
  return {
    account: bytesToUuid(credential.identity.subarray(0, 16)),
    device: bytesToUuid(credential.identity.subarray(16)),
  };
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
