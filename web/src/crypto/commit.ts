import {
  type CiphersuiteImpl,
  type ClientState,
  type Credential,
  createGroupInfoWithExternalPubAndRatchetTree,
  encodeMlsMessage,
  type GroupContext,
  type KeyPackage,
  type Proposal,
  type RatchetTree,
  type Welcome,
} from 'ts-mls';
import { applyProposals, nextEpochContext } from 'ts-mls/clientState.js';
import { createGroupInfoWithRatchetTree } from 'ts-mls/createCommit.js';
import { createConfirmationTag, createContentCommitSignature } from 'ts-mls/framedContent.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { type EpochSecrets, initializeEpoch } from 'ts-mls/keySchedule.js';
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import { getCommitSecret, pathToPathSecrets } from 'ts-mls/pathSecrets.js';
import { mergePrivateKeyPaths, toPrivateKeyPath, updateLeafKey } from 'ts-mls/privateKeyPath.js';
import { createSecretTree } from 'ts-mls/secretTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { leafToNodeIndex, leafWidth, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js';
import { createUpdatePath, firstCommonAncestor, type PathSecret } from 'ts-mls/updatePath.js';
import { encryptGroupInfo, encryptGroupSecrets } from 'ts-mls/welcome.js';

export type MadeCommit = { newState: ClientState; commit: Uint8Array; welcome: Uint8Array | null };

/**
 * RFC 9420 section 12.4.1, always with an update path, as this protocol wants it: every commit heals. ts-mls's own
 * `createCommit` leaves the path out where a commit only adds, so its pieces are put together here.
 *
 * @param credential what the committer's leaf has from now on; null for what it has
 */
export async function makeCommit(
  state: ClientState,
  proposals: Proposal[],
  cs: CiphersuiteImpl,
  credential: Credential | null = null,
): Promise<MadeCommit> {
  const own = toLeafIndex(state.privatePath.leafIndex);
  const byValue = proposals.map((proposal) => ({ proposalOrRefType: 'proposal' as const, proposal }));
  const applied = await applyProposals(state, byValue, own, { findPsk: () => undefined }, true, cs);
  if (applied.additionalResult.kind !== 'memberCommit' || applied.selfRemoved) {
    throw new Error('not a commit that a member makes');
  }
  // New members get their path secret in the Welcome, so no ciphertext in the path is for them.
  const added = applied.additionalResult.addedLeafNodes;
  const [tree, path, pathSecrets, leafKey] = await createUpdatePath(
    credential ? withCredential(applied.tree, own, credential) : applied.tree,
    own,
    state.groupContext,
    state.signaturePrivateKey,
    cs,
    added.map(([leaf]) => leafToNodeIndex(leaf)),
  );
  const privatePath = mergePrivateKeyPaths(
    updateLeafKey(state.privatePath, await cs.hpke.exportPrivateKey(leafKey)),
    await toPrivateKeyPath(pathToPathSecrets(pathSecrets), own, cs),
  );
  // Path secrets come root first; where the path is empty (nobody else is in the tree) there is nothing to share.
  const lowest = pathSecrets.at(-1);
  const commitSecret = lowest
    ? await getCommitSecret(tree, toNodeIndex(lowest.nodeIndex), lowest.secret, cs.kdf)
    : new Uint8Array(cs.kdf.size);
  const { signature, framedContent } = await createContentCommitSignature(
    state.groupContext,
    'mls_public_message',
    { proposals: byValue, path },
    { senderType: 'member', leafIndex: own },
    new Uint8Array(),
    state.signaturePrivateKey,
    cs.signature,
  );
  const groupContext = await nextEpochContext(
    state.groupContext,
    'mls_public_message',
    framedContent,
    signature,
    await treeHashRoot(tree, cs.hash),
    state.confirmationTag,
    cs.hash,
  );
  const epoch = await initializeEpoch(
    state.keySchedule.initSecret,
    commitSecret,
    groupContext,
    applied.pskSecret,
    cs.kdf,
  );
  const confirmationTag = await createConfirmationTag(
    epoch.keySchedule.confirmationKey,
    groupContext.confirmedTranscriptHash,
    cs.hash,
  );
  const publicMessage = await protectPublicMessage(
    state.keySchedule.membershipKey,
    state.groupContext,
    {
      wireformat: 'mls_public_message',
      content: framedContent,
      auth: { contentType: 'commit', signature, confirmationTag },
    },
    cs,
  );
  const newState: ClientState = {
    ...state,
    groupContext,
    ratchetTree: tree,
    secretTree: await createSecretTree(leafWidth(tree.length), epoch.encryptionSecret, cs.kdf),
    keySchedule: epoch.keySchedule,
    privatePath,
    unappliedProposals: {},
    historicalReceiverData: new Map(),
    confirmationTag,
    groupActiveState: { kind: 'active' },
  };
  const welcome = await makeWelcome(newState, groupContext, added, pathSecrets, epoch, cs);
  return {
    newState,
    commit: encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage }),
    welcome: welcome && encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome }),
  };
}

/** The path takes over the committer's leaf from the tree, so a new credential goes there first. */
function withCredential(tree: RatchetTree, own: number, credential: Credential): RatchetTree {
  const index = leafToNodeIndex(toLeafIndex(own));
  const node = tree[index];
  if (node?.nodeType !== 'leaf') {
    throw new Error('the committer has no leaf');
  }
  return tree.with(index, { ...node, leaf: { ...node.leaf, credential } });
}

async function makeWelcome(
  state: ClientState,
  groupContext: GroupContext,
  added: [number, KeyPackage][],
  pathSecrets: PathSecret[],
  epoch: EpochSecrets,
  cs: CiphersuiteImpl,
): Promise<Welcome | null> {
  if (added.length === 0) {
    return null;
  }
  const tree = state.ratchetTree;
  const info = await createGroupInfoWithRatchetTree(groupContext, state.confirmationTag, state, tree, [], cs);
  const encryptedGroupInfo = await encryptGroupInfo(info, epoch.welcomeSecret, cs);
  const secrets = added.map(async ([leaf, keyPackage]) => {
    const ancestor = firstCommonAncestor(tree, toLeafIndex(leaf), toLeafIndex(state.privatePath.leafIndex));
    const pathSecret = pathSecrets.find((secret) => secret.nodeIndex === ancestor)?.secret;
    const sealed = await encryptGroupSecrets(
      await cs.hpke.importPublicKey(keyPackage.initKey),
      encryptedGroupInfo,
      { joinerSecret: epoch.joinerSecret, pathSecret, psks: [] },
      cs.hpke,
    );
    return {
      newMember: await makeKeyPackageRef(keyPackage, cs.hash),
      encryptedGroupSecrets: { kemOutput: sealed.enc, ciphertext: sealed.ct },
    };
  });
  return { cipherSuite: groupContext.cipherSuite, secrets: await Promise.all(secrets), encryptedGroupInfo };
}

/** GroupInfo with external_pub and ratchet_tree, as the server keeps it for external joins. */
export async function makeGroupInfo(state: ClientState, cs: CiphersuiteImpl): Promise<Uint8Array> {
  const groupInfo = await createGroupInfoWithExternalPubAndRatchetTree(state, [], cs);
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo });
}
