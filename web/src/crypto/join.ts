import {
  type CiphersuiteImpl,
  type ClientConfig,
  type ClientState,
  emptyPskIndex,
  encodeMlsMessage,
  type GroupInfo,
  generateKeyPackageWithKey,
  type KeyPackage,
  type LeafNode,
  type PrivateKeyPackage,
  type Proposal,
  type PskIndex,
  type RatchetTree,
  type Welcome,
} from 'ts-mls';
import { exportSecret, nextEpochContext } from 'ts-mls/clientState.js';
import { createConfirmationTag, createContentCommitSignature } from 'ts-mls/framedContent.js';
import {
  ratchetTreeFromExtension,
  verifyGroupInfoConfirmationTag,
  verifyGroupInfoSignature,
} from 'ts-mls/groupInfo.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { deriveKeySchedule, initializeEpoch } from 'ts-mls/keySchedule.js';
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import { pathToPathSecrets } from 'ts-mls/pathSecrets.js';
import { toPrivateKeyPath, updateLeafKey } from 'ts-mls/privateKeyPath.js';
import { accumulatePskSecret } from 'ts-mls/pskIndex.js';
import { addLeafNode, findLeafIndex, removeLeafNode } from 'ts-mls/ratchetTree.js';
import { createSecretTree } from 'ts-mls/secretTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { leafToNodeIndex, leafWidth, nodeToLeafIndex, toLeafIndex } from 'ts-mls/treemath.js';
import { createUpdatePath, firstCommonAncestor } from 'ts-mls/updatePath.js';
import { decryptGroupInfo, decryptGroupSecrets } from 'ts-mls/welcome.js';
import { equalBytes } from '../protocol/bytes';
import { uuidToBytes } from '../protocol/ids';
import { capabilities, config, makeCredential } from './config';
import { commitSecretOf, keysOfJoiner } from './path';
import type { Identity } from './port';
import { suiteName } from './suite';
import { leafAt, leavesOf, validateTree } from './tree';

const x25519KeyBytes = 32;

/** RFC 9420 section 12.4.3.1, with this client's own check of the tree. No PSKs: this protocol has none. */
export function joinFromWelcome(
  conversation: string,
  welcome: Welcome,
  keyPackage: KeyPackage,
  secrets: PrivateKeyPackage,
  cs: CiphersuiteImpl,
  rules: ClientConfig = config,
): Promise<ClientState> {
  const verify = (info: GroupInfo) => verifyGroupInfo(conversation, info, cs, rules);
  return openWelcome(welcome, keyPackage, secrets, verify, emptyPskIndex, cs, rules);
}

/**
 * RFC 9420 section 12.4.3.1, whatever the group is trusted by.
 *
 * @param verify Throws unless the GroupInfo is to be trusted; else gives its tree.
 */
export async function openWelcome(
  welcome: Welcome,
  keyPackage: KeyPackage,
  secrets: PrivateKeyPackage,
  verify: (info: GroupInfo) => Promise<RatchetTree>,
  psks: PskIndex,
  cs: CiphersuiteImpl,
  rules: ClientConfig = config,
): Promise<ClientState> {
  const ref = await makeKeyPackageRef(keyPackage, cs.hash);
  const initKey = await cs.hpke.importPrivateKey(secrets.initPrivateKey);
  const groupSecrets = await decryptGroupSecrets(initKey, ref, welcome, cs.hpke);
  if (!groupSecrets) {
    throw new Error('the Welcome does not decode');
  }
  const [pskSecret] = await accumulatePskSecret(groupSecrets.psks, psks, cs, new Uint8Array(cs.kdf.size));
  const info = await decryptGroupInfo(welcome, groupSecrets.joinerSecret, pskSecret, cs);
  if (!info) {
    throw new Error('the GroupInfo does not decode');
  }
  const tree = await verify(info);
  const own = findLeafIndex(tree, keyPackage.leafNode);
  if (own === undefined) {
    throw new Error('the Welcome leads to a group without this device');
  }
  if (!(await verifyGroupInfoConfirmationTag(info, groupSecrets.joinerSecret, pskSecret, cs))) {
    throw new Error('the confirmation tag does not verify');
  }
  const { hpkePrivateKey } = secrets;
  const { pathSecret } = groupSecrets;
  const ancestor = firstCommonAncestor(tree, own, toLeafIndex(info.signer));
  const privatePath =
    pathSecret === undefined
      ? { leafIndex: own, privateKeys: { [leafToNodeIndex(own)]: hpkePrivateKey } }
      : await keysOfJoiner(tree, own, hpkePrivateKey, ancestor, pathSecret, cs);
  const [keySchedule, encryptionSecret] = await deriveKeySchedule(
    groupSecrets.joinerSecret,
    pskSecret,
    info.groupContext,
    cs.kdf,
  );
  return {
    groupContext: info.groupContext,
    ratchetTree: tree,
    privatePath,
    signaturePrivateKey: secrets.signaturePrivateKey,
    confirmationTag: info.confirmationTag,
    unappliedProposals: {},
    keySchedule,
    secretTree: await createSecretTree(leafWidth(tree.length), encryptionSecret, cs.kdf),
    historicalReceiverData: new Map(),
    groupActiveState: { kind: 'active' },
    clientConfig: rules,
  };
}

async function verifyGroupInfo(
  conversation: string,
  info: GroupInfo,
  cs: CiphersuiteImpl,
  rules: ClientConfig,
): Promise<RatchetTree> {
  const { groupContext } = info;
  if (groupContext.cipherSuite !== suiteName || !equalBytes(groupContext.groupId, uuidToBytes(conversation))) {
    throw new Error('the GroupInfo is for another group or suite');
  }
  if (groupContext.extensions.length > 0) {
    throw new Error('the group has extensions that this client does not know');
  }
  return verifiedTree(info, cs, rules);
}

/** @throws Error unless the GroupInfo has a valid tree and is signed by one of its leaves. */
export async function verifiedTree(
  info: GroupInfo,
  cs: CiphersuiteImpl,
  rules: ClientConfig = config,
): Promise<RatchetTree> {
  const tree = ratchetTreeFromExtension(info);
  const signer = tree && leafAt(tree, info.signer);
  if (!tree || !signer) {
    throw new Error('the GroupInfo has no tree or no signer');
  }
  await validateTree(tree, info.groupContext, cs, rules);
  if (!(await verifyGroupInfoSignature(info, signer.signaturePublicKey, cs.signature))) {
    throw new Error('the GroupInfo is not signed by its signer');
  }
  return tree;
}

/**
 * RFC 9420 section 12.4.3.2 writes the key as a vector, with its length before it; ts-mls 1.6.4 writes its bare bytes.
 * Clients of both kinds are in the same groups, so both forms are read.
 */
export function readExternalPub(data: Uint8Array): Uint8Array {
  return data.length === x25519KeyBytes + 1 && data[0] === x25519KeyBytes ? data.subarray(1) : data;
}

/**
 * RFC 9420 section 12.4.3.2. Where the tree already holds a leaf of this device, the commit removes it first: a resync.
 */
export async function joinByExternalCommit(
  identity: Identity,
  conversation: string,
  info: GroupInfo,
  cs: CiphersuiteImpl,
  rules: ClientConfig = config,
): Promise<{ newState: ClientState; commit: Uint8Array }> {
  const oldTree = await verifyGroupInfo(conversation, info, cs, rules);
  const former = leavesOf(oldTree).find((leaf) => leaf.device === identity.device);
  // Only the leaf of this key package is used; the update path replaces its encryption key at once.
  const { publicPackage } = await generateKeyPackageWithKey(
    makeCredential(identity),
    capabilities,
    { notBefore: 0n, notAfter: 0xffffffffffffffffn },
    [],
    { signKey: identity.privateKey, publicKey: identity.publicKey },
    cs,
  );
  const joiner = { leafNode: publicPackage.leafNode, signaturePrivateKey: identity.privateKey };
  return makeExternalCommit(joiner, info, oldTree, former?.leaf, new Uint8Array(), cs, rules);
}

/**
 * @param info Verified, with this tree.
 * @param former The leaf that the joiner replaces; undefined for none.
 */
export async function makeExternalCommit(
  joiner: { leafNode: LeafNode; signaturePrivateKey: Uint8Array },
  info: GroupInfo,
  oldTree: RatchetTree,
  former: number | undefined,
  authenticatedData: Uint8Array,
  cs: CiphersuiteImpl,
  rules: ClientConfig = config,
): Promise<{ newState: ClientState; commit: Uint8Array }> {
  const externalPub = info.extensions.find((extension) => extension.extensionType === 'external_pub');
  if (!externalPub) {
    throw new Error('the GroupInfo has no external_pub');
  }
  const { groupContext } = info;
  const { enc: kemOutput, secret: initSecret } = await exportSecret(readExternalPub(externalPub.extensionData), cs);
  const freed = former === undefined ? oldTree : withoutLeaf(oldTree, former);
  const [withLeaf, ownNode] = addLeafNode(freed, joiner.leafNode);
  const own = nodeToLeafIndex(ownNode);
  const [tree, path, pathSecrets, leafKey] = await createUpdatePath(
    withLeaf,
    own,
    groupContext,
    joiner.signaturePrivateKey,
    cs,
  );
  const proposals: Proposal[] = [{ proposalType: 'external_init', externalInit: { kemOutput } }];
  if (former !== undefined) {
    proposals.unshift({ proposalType: 'remove', remove: { removed: former } });
  }
  const { signature, framedContent } = await createContentCommitSignature(
    groupContext,
    'mls_public_message',
    { proposals: proposals.map((proposal) => ({ proposalOrRefType: 'proposal', proposal })), path },
    { senderType: 'new_member_commit' },
    authenticatedData,
    joiner.signaturePrivateKey,
    cs.signature,
  );
  const nextContext = await nextEpochContext(
    groupContext,
    'mls_public_message',
    framedContent,
    signature,
    await treeHashRoot(tree, cs.hash),
    info.confirmationTag,
    cs.hash,
  );
  const commitSecret = await commitSecretOf(pathSecrets, cs);
  const epoch = await initializeEpoch(initSecret, commitSecret, nextContext, new Uint8Array(cs.kdf.size), cs.kdf);
  const confirmationTag = await createConfirmationTag(
    epoch.keySchedule.confirmationKey,
    nextContext.confirmedTranscriptHash,
    cs.hash,
  );
  const publicMessage = await protectPublicMessage(
    epoch.keySchedule.membershipKey,
    nextContext,
    {
      wireformat: 'mls_public_message',
      content: framedContent,
      auth: { contentType: 'commit', signature, confirmationTag },
    },
    cs,
  );
  const newState: ClientState = {
    groupContext: nextContext,
    ratchetTree: tree,
    secretTree: await createSecretTree(leafWidth(tree.length), epoch.encryptionSecret, cs.kdf),
    privatePath: updateLeafKey(
      await toPrivateKeyPath(pathToPathSecrets(pathSecrets), own, cs),
      await cs.hpke.exportPrivateKey(leafKey),
    ),
    confirmationTag,
    historicalReceiverData: new Map(),
    signaturePrivateKey: joiner.signaturePrivateKey,
    keySchedule: epoch.keySchedule,
    unappliedProposals: {},
    groupActiveState: { kind: 'active' },
    clientConfig: rules,
  };
  return {
    newState,
    commit: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage }),
  };
}

/** ts-mls 1.6.4 cannot take the only leaf away, as a device does that was alone in its group and comes back. */
function withoutLeaf(tree: RatchetTree, leaf: number): RatchetTree {
  return leavesOf(tree).length > 1 ? removeLeafNode(tree, toLeafIndex(leaf)) : [undefined];
}
