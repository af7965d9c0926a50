import {
  type CiphersuiteImpl,
  type ClientState,
  type Credential,
  createGroupInfoWithExternalPubAndRatchetTree,
  emptyPskIndex,
  encodeMlsMessage,
  type KeyPackage,
  type ProposalOrRef,
  type PskIndex,
  type RatchetTree,
  type Welcome,
} from 'ts-mls';
import type { AuthenticatedContentCommit } from 'ts-mls/authenticatedContent.js';
import { type ApplyProposalsResult, applyProposals, nextEpochContext } from 'ts-mls/clientState.js';
import { createGroupInfoWithRatchetTree } from 'ts-mls/createCommit.js';
import {
  createConfirmationTag,
  createContentCommitSignature,
  type FramedContentAuthDataCommit,
} from 'ts-mls/framedContent.js';
import { makeKeyPackageRef } from 'ts-mls/keyPackage.js';
import { type EpochSecrets, initializeEpoch } from 'ts-mls/keySchedule.js';
import { protect } from 'ts-mls/messageProtection.js';
import { protectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import { pathToPathSecrets } from 'ts-mls/pathSecrets.js';
import { mergePrivateKeyPaths, toPrivateKeyPath, updateLeafKey } from 'ts-mls/privateKeyPath.js';
import { createSecretTree } from 'ts-mls/secretTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js';
import { createUpdatePath, firstCommonAncestor, type PathSecret } from 'ts-mls/updatePath.js';
import { encryptGroupInfo, encryptGroupSecrets } from 'ts-mls/welcome.js';
import { commitSecretOf } from './path';

export type MadeCommit = { newState: ClientState; commit: Uint8Array; welcome: Uint8Array | null };

/** This protocol's commits have none of these but a credential; the rest is for tests. */
type CommitOptions = {
  /** What the committer's leaf has from now on; null for what it has. */
  credential?: Credential | null;
  psks?: PskIndex;
  authenticatedData?: Uint8Array;
  wireformat?: 'mls_public_message' | 'mls_private_message';
  makePath?: typeof createUpdatePath;
};

/**
 * RFC 9420 section 12.4.1, always with an update path, as this protocol wants it: every commit heals. ts-mls's own
 * `createCommit` leaves the path out where a commit only adds, and takes another commit secret than the RFC (`path.ts`), so
 * its pieces are put together here.
 */
export async function makeCommit(
  state: ClientState,
  proposals: ProposalOrRef[],
  cs: CiphersuiteImpl,
  options: CommitOptions = {},
): Promise<MadeCommit> {
  const { credential, psks = emptyPskIndex, authenticatedData = new Uint8Array() } = options;
  const { wireformat = 'mls_public_message', makePath = createUpdatePath } = options;
  const own = toLeafIndex(state.privatePath.leafIndex);
  const applied = await applyProposals(state, proposals, own, psks, true, cs);
  if (applied.additionalResult.kind !== 'memberCommit' || applied.selfRemoved) {
    throw new Error('not a commit that a member makes');
  }
  // New members get their path secret in the Welcome, so no ciphertext in the path is for them.
  const added = applied.additionalResult.addedLeafNodes;
  const [tree, path, pathSecrets, leafKey] = await makePath(
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
  const { signature, framedContent } = await createContentCommitSignature(
    state.groupContext,
    wireformat,
    { proposals, path },
    { senderType: 'member', leafIndex: own },
    authenticatedData,
    state.signaturePrivateKey,
    cs.signature,
  );
  const groupContext = await nextEpochContext(
    state.groupContext,
    wireformat,
    framedContent,
    signature,
    await treeHashRoot(tree, cs.hash),
    state.confirmationTag,
    cs.hash,
  );
  const epoch = await initializeEpoch(
    state.keySchedule.initSecret,
    await commitSecretOf(pathSecrets, cs),
    groupContext,
    applied.pskSecret,
    cs.kdf,
  );
  const confirmationTag = await createConfirmationTag(
    epoch.keySchedule.confirmationKey,
    groupContext.confirmedTranscriptHash,
    cs.hash,
  );
  const content = {
    wireformat,
    content: framedContent,
    auth: { contentType: 'commit', signature, confirmationTag },
  } as const;
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
  const welcome = await makeWelcome(newState, applied, added, pathSecrets, epoch, cs);
  return {
    newState,
    commit: await seal(state, content, cs),
    welcome: welcome && encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome }),
  };
}

type SignedCommit = AuthenticatedContentCommit & { auth: FramedContentAuthDataCommit };

/** The message, protected with the keys of the epoch that it ends. */
async function seal(state: ClientState, commit: SignedCommit, cs: CiphersuiteImpl): Promise<Uint8Array> {
  const { groupContext, keySchedule, secretTree, privatePath, clientConfig } = state;
  const { content, auth } = commit;
  if (commit.wireformat === 'mls_public_message') {
    const publicMessage = await protectPublicMessage(keySchedule.membershipKey, groupContext, commit, cs);
    return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_public_message', publicMessage });
  }
  const { privateMessage } = await protect(
    keySchedule.senderDataSecret,
    content.authenticatedData,
    groupContext,
    secretTree,
    { ...content, auth },
    privatePath.leafIndex,
    clientConfig.paddingConfig,
    cs,
  );
  return encodeMlsMessage({ version: 'mls10', wireformat: 'mls_private_message', privateMessage });
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
  { pskIds }: ApplyProposalsResult,
  added: [number, KeyPackage][],
  pathSecrets: PathSecret[],
  epoch: EpochSecrets,
  cs: CiphersuiteImpl,
): Promise<Welcome | null> {
  if (added.length === 0) {
    return null;
  }
  const { groupContext, ratchetTree: tree } = state;
  const info = await createGroupInfoWithRatchetTree(groupContext, state.confirmationTag, state, tree, [], cs);
  const encryptedGroupInfo = await encryptGroupInfo(info, epoch.welcomeSecret, cs);
  const secrets = added.map(async ([leaf, keyPackage]) => {
    const ancestor = firstCommonAncestor(tree, toLeafIndex(leaf), toLeafIndex(state.privatePath.leafIndex));
    const pathSecret = pathSecrets.find((secret) => secret.nodeIndex === ancestor)?.secret;
    const sealed = await encryptGroupSecrets(
      await cs.hpke.importPublicKey(keyPackage.initKey),
      encryptedGroupInfo,
      { joinerSecret: epoch.joinerSecret, pathSecret, psks: pskIds },
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
