import {
  type ClientState,
  createApplicationMessage,
  createGroup as createMlsGroup,
  decodeGroupState,
  encodeMlsMessage,
  generateKeyPackageWithKey,
  type KeyPackage,
  type Proposal,
} from 'ts-mls';
import { decodeKeyPackage, encodeKeyPackage, makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { concat, toHex, uint32 } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import { makeCommit, makeGroupInfo } from './commit';
import {
  belongsTo,
  capabilities,
  clockSkewMs,
  configFor,
  encodeState,
  keyPackageLifetimeMs,
  makeCredential,
  paddingFor,
  readCredential,
} from './config';
import { joinByExternalCommit, joinFromWelcome } from './join';
import type {
  Candidate,
  Group,
  Identity,
  KeyPair,
  LogInput,
  LogOutcome,
  LogResult,
  MlsPort,
  MlsState,
  OwnKeyPackage,
  PreparedCommit,
  ShownLeaf,
} from './port';
import { decode, receiveCommit, receiveMessage } from './receive';
import { getSuite, suiteName } from './suite';
import { describeGroup } from './tree';

/** Decoded states kept at hand; the rest is decoded again from the caller's bytes. */
const cachedStates = 32;

/** MLS over ts-mls. Runs in the worker, and directly under Node. */
export class Mls implements MlsPort {
  readonly #states = new Map<string, ClientState>();
  readonly #session = toHex(crypto.getRandomValues(new Uint8Array(8)));
  #count = 0;
  readonly #inLog = new Set<string>();
  readonly #config = configFor((account) => this.#inLog.has(account));

  async generateKeyPair(): Promise<KeyPair> {
    // Raw 32-byte private keys: both signature implementations take them.
    const { ed25519 } = await import('@noble/curves/ed25519.js');
    const privateKey = ed25519.utils.randomSecretKey();
    return { privateKey, publicKey: ed25519.getPublicKey(privateKey) };
  }

  async createKeyPackages(identity: Identity, count: number, nowMs: number): Promise<OwnKeyPackage[]> {
    const packages: OwnKeyPackage[] = [];
    for (let i = 0; i < count; i++) {
      packages.push(await this.#createKeyPackage(identity, nowMs));
    }
    return packages;
  }

  async createGroup(identity: Identity, conversation: string, candidates: Candidate[]): Promise<PreparedCommit> {
    const cs = await getSuite();
    const { publicPackage, privatePackage } = await newKeyPackage(identity, Date.now());
    const state = await createMlsGroup(uuidToBytes(conversation), publicPackage, privatePackage, [], cs, this.#config);
    return this.#prepare(identity, state, candidates, []);
  }

  async commit(
    identity: Identity,
    stored: MlsState,
    adds: Candidate[],
    removeLeaves: number[],
  ): Promise<PreparedCommit> {
    return this.#prepare(identity, this.#load(stored), adds, removeLeaves);
  }

  async encrypt(stored: MlsState, plaintext: Uint8Array, authenticatedData: Uint8Array) {
    const state = this.#load(stored);
    const paddingLength = paddingFor(plaintext.length);
    const padded = {
      ...state,
      clientConfig: { ...this.#config, paddingConfig: { kind: 'alwaysPad' as const, paddingLength } },
    };
    const made = await createApplicationMessage(padded, plaintext, await getSuite(), authenticatedData);
    const body = encodeMlsMessage({
      version: 'mls10',
      wireformat: 'mls_private_message',
      privateMessage: made.privateMessage,
    });
    return { state: this.#store({ ...made.newState, clientConfig: this.#config }), body };
  }

  async apply(stored: MlsState, inputs: LogInput[]): Promise<LogOutcome> {
    const cs = await getSuite();
    let state = this.#load(stored);
    let committed = false;
    const results: LogResult[] = [];
    for (const input of inputs) {
      const step =
        input.kind === 'message' ? await receiveMessage(state, input, cs) : await receiveCommit(state, input, cs);
      state = step.state;
      results.push(step.result);
      if (step.result.kind === 'rejected') {
        break;
      }
      if (step.result.kind === 'committed') {
        committed = true;
        if (step.result.selfRemoved) {
          break;
        }
      }
    }
    const next = this.#store(state);
    return {
      state: next,
      epoch: Number(state.groupContext.epoch),
      group: committed ? describeGroup(state, next) : null,
      results,
    };
  }

  async welcomeRefs(welcome: Uint8Array): Promise<string[]> {
    return readWelcome(welcome).secrets.map((secret) => toHex(secret.newMember));
  }

  async join(identity: Identity, conversation: string, welcome: Uint8Array, secret: Uint8Array): Promise<Group> {
    const { keyPackage, initPrivateKey, hpkePrivateKey } = readSecret(secret);
    const secrets = { initPrivateKey, hpkePrivateKey, signaturePrivateKey: identity.privateKey };
    const message = readWelcome(welcome);
    const state = await joinFromWelcome(conversation, message, keyPackage, secrets, await getSuite(), this.#config);
    return describeGroup(state, this.#store(state));
  }

  async joinExternally(identity: Identity, conversation: string, groupInfo: Uint8Array): Promise<PreparedCommit> {
    const cs = await getSuite();
    const message = decode(groupInfo);
    if (message.wireformat !== 'mls_group_info') {
      throw new Error('not a GroupInfo');
    }
    const joined = await joinByExternalCommit(identity, conversation, message.groupInfo, cs, this.#config);
    return {
      group: describeGroup(joined.newState, this.#store(joined.newState)),
      epoch: Number(message.groupInfo.groupContext.epoch),
      commit: joined.commit,
      welcome: null,
      groupInfo: await makeGroupInfo(joined.newState, cs),
    };
  }

  async shownBy(keyPackages: Uint8Array[]): Promise<(ShownLeaf | null)[]> {
    return keyPackages.map((bytes) => {
      const message = decode(bytes);
      const node = message.wireformat === 'mls_key_package' ? message.keyPackage.leafNode : null;
      const owner = node && readCredential(node.credential);
      return owner ? { ...owner, signatureKey: node.signaturePublicKey } : null;
    });
  }

  async requireCertificates(accounts: string[]): Promise<void> {
    for (const account of accounts) {
      this.#inLog.add(account);
    }
  }

  async #prepare(
    identity: Identity,
    state: ClientState,
    adds: Candidate[],
    removeLeaves: number[],
  ): Promise<PreparedCommit> {
    const cs = await getSuite();
    const proposals: Proposal[] = [
      ...removeLeaves.map((removed) => ({ proposalType: 'remove' as const, remove: { removed } })),
      ...adds.map((candidate) => ({ proposalType: 'add' as const, add: { keyPackage: readCandidate(candidate) } })),
    ];
    const byValue = proposals.map((proposal) => ({ proposalOrRefType: 'proposal' as const, proposal }));
    const credential = identity.credential && makeCredential(identity);
    const made = await makeCommit(state, byValue, cs, { credential });
    return {
      group: describeGroup(made.newState, this.#store(made.newState)),
      epoch: Number(state.groupContext.epoch),
      commit: made.commit,
      welcome: made.welcome,
      groupInfo: await makeGroupInfo(made.newState, cs),
    };
  }

  async #createKeyPackage(identity: Identity, nowMs: number): Promise<OwnKeyPackage> {
    const { publicPackage, privatePackage } = await newKeyPackage(identity, nowMs);
    const encoded = encodeKeyPackage(publicPackage);
    return {
      ref: toHex(await makeKeyPackageRef(publicPackage, (await getSuite()).hash)),
      message: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: publicPackage }),
      secret: concat(
        uint32(privatePackage.initPrivateKey.length),
        privatePackage.initPrivateKey,
        uint32(privatePackage.hpkePrivateKey.length),
        privatePackage.hpkePrivateKey,
        encoded,
      ),
      notAfterMs: nowMs + keyPackageLifetimeMs,
    };
  }

  #store(state: ClientState): MlsState {
    const tag = `${this.#session}.${this.#count++}`;
    this.#states.set(tag, state);
    if (this.#states.size > cachedStates) {
      const oldest = this.#states.keys().next().value;
      if (oldest !== undefined) {
        this.#states.delete(oldest);
      }
    }
    return { bytes: encodeState(state), tag };
  }

  #load(stored: MlsState): ClientState {
    const cached = this.#states.get(stored.tag);
    if (cached) {
      return cached;
    }
    const decoded = decodeGroupState(stored.bytes, 0);
    if (!decoded) {
      throw new Error('a stored group state does not decode');
    }
    return { ...decoded[0], clientConfig: this.#config };
  }
}

function newKeyPackage(identity: Identity, nowMs: number) {
  const lifetime = {
    notBefore: BigInt(Math.floor((nowMs - clockSkewMs) / 1000)),
    notAfter: BigInt(Math.floor((nowMs + keyPackageLifetimeMs) / 1000)),
  };
  const keys = { signKey: identity.privateKey, publicKey: identity.publicKey };
  const credential = makeCredential(identity);
  return getSuite().then((cs) => generateKeyPackageWithKey(credential, capabilities, lifetime, [], keys, cs));
}

function readSecret(secret: Uint8Array) {
  const view = new DataView(secret.buffer, secret.byteOffset, secret.byteLength);
  const initLength = view.getUint32(0);
  const hpkeAt = 4 + initLength;
  const hpkeLength = view.getUint32(hpkeAt);
  const packageAt = hpkeAt + 4 + hpkeLength;
  const decoded = decodeKeyPackage(secret, packageAt);
  if (!decoded) {
    throw new Error('a stored key package does not decode');
  }
  return {
    initPrivateKey: secret.slice(4, hpkeAt),
    hpkePrivateKey: secret.slice(hpkeAt + 4, packageAt),
    keyPackage: decoded[0],
  };
}

/** @throws Error unless it is a key package of this suite and of the account and device it is said to be of. */
function readCandidate(candidate: Candidate): KeyPackage {
  const message = decode(candidate.keyPackage);
  if (message.wireformat !== 'mls_key_package' || message.keyPackage.cipherSuite !== suiteName) {
    throw new Error('not a key package of this suite');
  }
  if (!belongsTo(message.keyPackage.leafNode, candidate.account, candidate.device)) {
    throw new Error('a key package of another account or device');
  }
  return message.keyPackage;
}

function readWelcome(bytes: Uint8Array) {
  const message = decode(bytes);
  if (message.wireformat !== 'mls_welcome') {
    throw new Error('not a Welcome');
  }
  return message.welcome;
}
