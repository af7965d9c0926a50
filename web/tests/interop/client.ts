import {
  type CiphersuiteImpl,
  type ClientConfig,
  type ClientState,
  type Credential,
  createApplicationMessage,
  createCommit,
  createGroup,
  createGroupInfoWithExternalPubAndRatchetTree,
  createProposal,
  encodeMlsMessage,
  generateKeyPackageWithKey,
  type KeyPackage,
  makePskIndex,
  mlsExporter,
  type PrivateKeyPackage,
  type PrivateMessage,
  type Proposal,
  type ProposalOrRef,
} from 'ts-mls';
import type { AuthenticatedContent } from 'ts-mls/authenticatedContent.js';
import { addHistoricalReceiverData, processProposal } from 'ts-mls/clientState.js';
import { encode } from 'ts-mls/codec/tlsEncoder.js';
import { signWithLabel } from 'ts-mls/crypto/signature.js';
import type { FramedContentCommitData } from 'ts-mls/framedContent.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { type LeafNodeUpdate, leafNodeTBSEncoder } from 'ts-mls/leafNode.js';
import { unprotectPrivateMessage } from 'ts-mls/messageProtection.js';
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import { updateLeafKey } from 'ts-mls/privateKeyPath.js';
import { type MadeCommit, makeCommit } from '../../src/crypto/commit';
import { config as webConfig } from '../../src/crypto/config';
import { followCommit } from '../../src/crypto/follow';
import { makeExternalCommit, openWelcome, verifiedTree } from '../../src/crypto/join';
import { decode } from '../../src/crypto/receive';
import { leafAt, leavesOf } from '../../src/crypto/tree';
import { equalBytes, fromBase64, toBase64, toHex } from '../../src/protocol/bytes';
import type { Change, Received } from './protocol';

/** As the web client's, but messages may come in any order, and earlier epochs' resumption keys are kept. */
const config: ClientConfig = {
  ...webConfig,
  keyRetentionConfig: { retainKeysForGenerations: 1000, retainKeysForEpochs: 8, maximumForwardRatchetSteps: 1000 },
};

const year = 365n * 24n * 3600n;

/** One member: a ts-mls state and what goes with it. Whatever fails leaves it as it was. */
export class Client {
  readonly #cs: CiphersuiteImpl;
  readonly #keys: { signKey: Uint8Array; publicKey: Uint8Array };
  readonly #credential: Credential;
  readonly #packages = new Map<string, { publicPackage: KeyPackage; privatePackage: PrivateKeyPackage }>();
  readonly #psks: Record<string, Uint8Array> = {};
  /** Of this member's own update proposals, by reference, the new leaf's private key: ts-mls keeps none. */
  #updates = new Map<string, Uint8Array>();
  #state: ClientState | null = null;
  #pending: ClientState | null = null;

  private constructor(cs: CiphersuiteImpl, keys: { signKey: Uint8Array; publicKey: Uint8Array }, identity: Uint8Array) {
    this.#cs = cs;
    this.#keys = keys;
    this.#credential = { credentialType: 'basic', identity };
  }

  static async create(cs: CiphersuiteImpl, identity: Uint8Array): Promise<Client> {
    return new Client(cs, await cs.signature.keygen(), identity);
  }

  get state(): ClientState {
    if (!this.#state) {
      throw new Error('no member of a group');
    }
    return this.#state;
  }

  addPsk(id: Uint8Array, secret: Uint8Array): void {
    this.#psks[toBase64(id)] = secret;
  }

  async keyPackage(): Promise<Uint8Array> {
    const made = await this.#makePackage();
    this.#packages.set(toHex(await makeKeyPackageRef(made.publicPackage, this.#cs.hash)), made);
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage: made.publicPackage });
  }

  async create(groupId: Uint8Array): Promise<void> {
    const { publicPackage, privatePackage } = await this.#makePackage();
    this.#enter(await createGroup(groupId, publicPackage, privatePackage, [], this.#cs, config));
  }

  async join(bytes: Uint8Array): Promise<void> {
    const message = decode(bytes);
    if (message.wireformat !== 'mls_welcome') {
      throw new Error('not a Welcome');
    }
    const { welcome } = message;
    const own = welcome.secrets.map((secret) => this.#packages.get(toHex(secret.newMember))).find((made) => made);
    if (!own) {
      throw new Error('the Welcome is for none of the key packages');
    }
    const verify = (info: Parameters<typeof verifiedTree>[0]) => verifiedTree(info, this.#cs);
    const psks = makePskIndex(undefined, this.#psks);
    const state = await openWelcome(welcome, own.publicPackage, own.privatePackage, verify, psks, this.#cs);
    this.#enter({ ...state, clientConfig: config });
  }

  /** The new state waits for `accept`. Where the tree has a leaf of this member, it is replaced. */
  async joinExternally(groupInfo: Uint8Array, authenticatedData: Uint8Array): Promise<Uint8Array> {
    const message = decode(groupInfo);
    if (message.wireformat !== 'mls_group_info') {
      throw new Error('not a GroupInfo');
    }
    const tree = await verifiedTree(message.groupInfo, this.#cs);
    const former = leavesOf(tree).find((leaf) => equalBytes(leaf.signatureKey, this.#keys.publicKey));
    const { publicPackage } = await this.#makePackage();
    const joiner = { leafNode: publicPackage.leafNode, signaturePrivateKey: this.#keys.signKey };
    const made = await makeExternalCommit(joiner, message.groupInfo, tree, former?.leaf, authenticatedData, this.#cs);
    this.#pending = { ...made.newState, clientConfig: config };
    return made.commit;
  }

  async propose(change: Change, asPublic: boolean, authenticatedData: Uint8Array): Promise<Uint8Array> {
    const before = this.state;
    const update = change.kind === 'update' ? await this.#makeUpdate() : null;
    const proposal: Proposal = update
      ? { proposalType: 'update', update: { leafNode: update.leafNode } }
      : this.#proposalOf(change);
    const { newState, message } = await createProposal(before, asPublic, proposal, this.#cs, authenticatedData);
    if (update) {
      const reference = Object.keys(newState.unappliedProposals).find((key) => !(key in before.unappliedProposals));
      this.#updates.set(reference ?? '', update.privateKey);
    }
    this.#state = newState;
    return encodeMlsMessage(message);
  }

  /** Commits what was proposed before, and the changes; the new state waits for `accept`. */
  async commit(changes: Change[], asPublic: boolean, authenticatedData: Uint8Array) {
    const { unappliedProposals, groupContext } = this.state;
    const proposals = changes.map((change) => this.#proposalOf(change));
    const waiting = Object.values(unappliedProposals).map((entry) => entry.proposal);
    const all = [...proposals, ...waiting].map((proposal) => proposal.proposalType);
    const needsPath = all.length === 0 || all.includes('update') || all.includes('remove');
    const made =
      needsPath || groupContext.epoch % 2n === 0n
        ? await this.#commitWithPath(proposals, asPublic, authenticatedData)
        : await this.#commitWithoutPath(proposals, asPublic, authenticatedData);
    this.#pending = made.newState;
    return { commit: made.commit, welcome: made.welcome };
  }

  accept(): void {
    if (!this.#pending) {
      throw new Error('no commit is pending');
    }
    this.#enter(this.#pending);
  }

  drop(): void {
    this.#pending = null;
  }

  async encrypt(data: Uint8Array, authenticatedData: Uint8Array): Promise<Uint8Array> {
    const made = await createApplicationMessage(this.state, data, this.#cs, authenticatedData);
    this.#state = made.newState;
    const { privateMessage } = made;
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
  }

  async process(bytes: Uint8Array): Promise<Received> {
    const message = decode(bytes);
    if (this.state.groupActiveState.kind !== 'active') {
      throw new Error('no member any more');
    }
    if (message.wireformat === 'mls_public_message') {
      const { keySchedule, groupContext, ratchetTree } = this.state;
      const { publicMessage } = message;
      const { membershipKey } = keySchedule;
      const opened = await unprotectPublicMessage(membershipKey, groupContext, ratchetTree, publicMessage, this.#cs);
      return this.#follow(this.state, opened);
    }
    if (message.wireformat === 'mls_private_message') {
      return this.#processPrivate(message.privateMessage);
    }
    throw new Error('neither a PublicMessage nor a PrivateMessage');
  }

  async groupInfo(): Promise<Uint8Array> {
    const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(this.state, [], this.#cs);
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo });
  }

  async describe(label: string, context: Uint8Array, length: number) {
    const { groupContext, keySchedule, ratchetTree, privatePath, groupActiveState } = this.state;
    return {
      epoch: Number(groupContext.epoch),
      authenticator: keySchedule.epochAuthenticator,
      exported: await mlsExporter(keySchedule.exporterSecret, label, context, length, this.#cs),
      ownLeaf: privatePath.leafIndex,
      active: groupActiveState.kind === 'active',
      leaves: leavesOf(ratchetTree).map((leaf) => ({ leaf: leaf.leaf, signatureKey: leaf.signatureKey })),
    };
  }

  async #processPrivate(message: PrivateMessage): Promise<Received> {
    const { content: opened, tree: secretTree } = await unprotectPrivateMessage(
      this.state.keySchedule.senderDataSecret,
      message,
      this.state.secretTree,
      this.state.ratchetTree,
      this.state.groupContext,
      config.keyRetentionConfig,
      this.#cs,
    );
    return this.#follow({ ...this.state, secretTree }, opened);
  }

  /** Takes in what was authenticated. */
  async #follow(state: ClientState, opened: AuthenticatedContent): Promise<Received> {
    const { content } = opened;
    if (content.epoch !== state.groupContext.epoch) {
      throw new Error('another epoch');
    }
    const { authenticatedData } = content;
    switch (content.contentType) {
      case 'application': {
        this.#state = state;
        const sender = content.sender.senderType === 'member' ? content.sender.leafIndex : -1;
        return { kind: 'application', sender, data: content.applicationData, authenticatedData };
      }
      case 'proposal':
        this.#state = await processProposal(state, opened, content.proposal, this.#cs.hash);
        return { kind: 'proposal', authenticatedData };
      case 'commit': {
        const updated = this.#withUpdate(state, referencesOf(content.commit));
        this.#enter(await followCommit(updated, opened, makePskIndex(state, this.#psks), this.#cs));
        return { kind: 'commit', authenticatedData };
      }
    }
  }

  /** As the web client commits. */
  async #commitWithPath(byValue: Proposal[], asPublic: boolean, authenticatedData: Uint8Array): Promise<MadeCommit> {
    const proposals: ProposalOrRef[] = [
      ...Object.keys(this.state.unappliedProposals).map((reference) => ({
        proposalOrRefType: 'reference' as const,
        reference: fromBase64(reference),
      })),
      ...byValue.map((proposal) => ({ proposalOrRefType: 'proposal' as const, proposal })),
    ];
    const made = await makeCommit(this.state, proposals, this.#cs, {
      psks: makePskIndex(this.state, this.#psks),
      authenticatedData,
      wireformat: asPublic ? 'mls_public_message' : 'mls_private_message',
    });
    const [historicalReceiverData] = addHistoricalReceiverData(this.state);
    return { ...made, newState: { ...made.newState, historicalReceiverData } };
  }

  /** As only ts-mls itself does, which the other side must follow too. */
  async #commitWithoutPath(
    extraProposals: Proposal[],
    wireAsPublicMessage: boolean,
    authenticatedData: Uint8Array,
  ): Promise<MadeCommit> {
    const { newState, commit, welcome } = await createCommit(
      { state: this.state, cipherSuite: this.#cs, pskIndex: makePskIndex(this.state, this.#psks) },
      { wireAsPublicMessage, extraProposals, ratchetTreeExtension: true, authenticatedData },
    );
    return {
      newState,
      commit: encodeMlsMessage(commit),
      welcome: welcome ? encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome }) : null,
    };
  }

  #enter(state: ClientState): void {
    this.#state = state;
    this.#pending = null;
    this.#updates = new Map();
  }

  /** Where a commit applies this member's own update, its leaf's key changes before the path is opened. */
  #withUpdate(state: ClientState, references: string[]): ClientState {
    const key = references.map((reference) => this.#updates.get(reference)).find((found) => found);
    return key ? { ...state, privatePath: updateLeafKey(state.privatePath, key) } : state;
  }

  async #makePackage() {
    const now = BigInt(Math.floor(Date.now() / 1000));
    return generateKeyPackageWithKey(
      this.#credential,
      {
        versions: ['mls10'],
        ciphersuites: [this.#cs.name],
        extensions: [],
        proposals: [],
        credentials: ['basic'],
      },
      { notBefore: now - 3600n, notAfter: now + year / 12n },
      [],
      this.#keys,
      this.#cs,
    );
  }

  /** RFC 9420 section 12.1.2, which ts-mls reads but does not write. */
  async #makeUpdate(): Promise<{ leafNode: LeafNodeUpdate; privateKey: Uint8Array }> {
    const { ratchetTree, privatePath, groupContext } = this.state;
    const own = leafAt(ratchetTree, privatePath.leafIndex);
    if (!own) {
      throw new Error('the own leaf is blank');
    }
    const pair = await this.#cs.hpke.generateKeyPair();
    const leaf = {
      leafNodeSource: 'update' as const,
      hpkePublicKey: await this.#cs.hpke.exportPublicKey(pair.publicKey),
      signaturePublicKey: own.signaturePublicKey,
      credential: own.credential,
      capabilities: own.capabilities,
      extensions: own.extensions,
    };
    const signed = encode(leafNodeTBSEncoder)({
      ...leaf,
      groupId: groupContext.groupId,
      leafIndex: privatePath.leafIndex,
    });
    const signature = await signWithLabel(this.#keys.signKey, 'LeafNodeTBS', signed, this.#cs.signature);
    return { leafNode: { ...leaf, signature }, privateKey: await this.#cs.hpke.exportPrivateKey(pair.privateKey) };
  }

  #proposalOf(change: Change): Proposal {
    switch (change.kind) {
      case 'add': {
        const message = decode(change.keyPackage);
        if (message.wireformat !== 'mls_key_package') {
          throw new Error('not a key package');
        }
        return { proposalType: 'add', add: { keyPackage: message.keyPackage } };
      }
      case 'remove':
        return { proposalType: 'remove', remove: { removed: change.leaf } };
      case 'psk':
        return {
          proposalType: 'psk',
          psk: { preSharedKeyId: { psktype: 'external', pskId: change.id, pskNonce: this.#nonce() } },
        };
      case 'resumption':
        return {
          proposalType: 'psk',
          psk: {
            preSharedKeyId: {
              psktype: 'resumption',
              usage: 'application',
              pskGroupId: this.state.groupContext.groupId,
              pskEpoch: BigInt(change.epoch),
              pskNonce: this.#nonce(),
            },
          },
        };
      case 'update':
        throw new Error('an update is proposed, not committed by its own member');
    }
  }

  #nonce(): Uint8Array {
    return this.#cs.rng.randomBytes(this.#cs.kdf.size);
  }
}

function referencesOf(commit: FramedContentCommitData['commit']): string[] {
  return commit.proposals.flatMap((entry) =>
    entry.proposalOrRefType === 'reference' ? [toBase64(entry.reference)] : [],
  );
}
