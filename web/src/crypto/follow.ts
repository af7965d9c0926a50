import type { CiphersuiteImpl, ClientState, PskIndex, UpdatePath } from 'ts-mls';
import type { AuthenticatedContent } from 'ts-mls/authenticatedContent.js';
import {
  type ApplyProposalsResult,
  addHistoricalReceiverData,
  applyProposals,
  nextEpochContext,
  throwIfDefined,
  validateLeafNodeCredentialAndKeyUniqueness,
  validateLeafNodeUpdateOrCommit,
} from 'ts-mls/clientState.js';
import { verifyConfirmationTag } from 'ts-mls/framedContent.js';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import { addLeafNode } from 'ts-mls/ratchetTree.js';
import { createSecretTree } from 'ts-mls/secretTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { type LeafIndex, leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js';
import { applyUpdatePath } from 'ts-mls/updatePath.js';
import { zeroOutUint8Array } from 'ts-mls/util/byteArray.js';
import { openPath } from './path';
import { requireCiphertexts, requireNewKeys } from './pathChecks';

/**
 * RFC 9420 section 12.4.2, for a commit whose signature and membership tag were checked. ts-mls 1.6.4's own takes a commit
 * secret that is not the RFC's (`path.ts`), so its pieces are put together here. There are no ReInit and no
 * GroupContextExtensions in this protocol.
 *
 * @throws Error naming what is wrong; the state is as it was.
 */
export async function followCommit(
  state: ClientState,
  { wireformat, content, auth }: AuthenticatedContent,
  psks: PskIndex,
  cs: CiphersuiteImpl,
): Promise<ClientState> {
  if (content.contentType !== 'commit' || auth.contentType !== 'commit') {
    throw new Error('not a commit');
  }
  if (content.epoch !== state.groupContext.epoch) {
    throw new Error('a commit for another epoch');
  }
  const { commit, sender } = content;
  const member = sender.senderType === 'member' ? toLeafIndex(sender.leafIndex) : undefined;
  const applied = await applyProposals(state, commit.proposals, member, psks, false, cs);
  const { committer, added, initSecret } = placeOf(state, applied, member);
  if (commit.path) {
    await checkPath(state, applied, commit.path, committer, cs);
  } else if (applied.needsUpdatePath) {
    throw new Error('the commit has no path');
  }
  const isExternal = member === undefined;
  if (removes(applied, state.privatePath.leafIndex)) {
    if (isExternal) {
      throw new Error('this leaf was replaced from outside');
    }
    return leave(state, applied);
  }
  const { tree, privatePath, commitSecret } = commit.path
    ? await followPath(state, applied, commit.path, committer, isExternal, added, cs)
    : { tree: applied.tree, privatePath: state.privatePath, commitSecret: new Uint8Array(cs.kdf.size) };
  const groupContext = await nextEpochContext(
    state.groupContext,
    wireformat,
    content,
    auth.signature,
    await treeHashRoot(tree, cs.hash),
    state.confirmationTag,
    cs.hash,
  );
  const epoch = await initializeEpoch(initSecret, commitSecret, groupContext, applied.pskSecret, cs.kdf);
  const { confirmationKey } = epoch.keySchedule;
  const { confirmationTag } = auth;
  if (!(await verifyConfirmationTag(confirmationKey, confirmationTag, groupContext.confirmedTranscriptHash, cs.hash))) {
    throw new Error('the confirmation tag does not verify');
  }
  const secretTree = await createSecretTree(leafWidth(tree.length), epoch.encryptionSecret, cs.kdf);
  for (const spent of [commitSecret, epoch.joinerSecret, epoch.encryptionSecret]) {
    zeroOutUint8Array(spent);
  }
  const [historicalReceiverData] = addHistoricalReceiverData(state);
  return {
    ...state,
    groupContext,
    ratchetTree: tree,
    secretTree,
    keySchedule: epoch.keySchedule,
    privatePath,
    unappliedProposals: {},
    historicalReceiverData,
    confirmationTag,
    groupActiveState: { kind: 'active' },
  };
}

/** Which leaf commits, whom it adds and which init secret it starts from: the group's, or the one an external joiner sent. */
function placeOf(
  state: ClientState,
  { additionalResult: result, allProposals }: ApplyProposalsResult,
  member?: LeafIndex,
) {
  if (allProposals.some(({ proposal }) => proposal.proposalType === 'group_context_extensions')) {
    throw new Error('a kind of proposal that this protocol does not have');
  }
  if (result.kind === 'memberCommit' && member !== undefined) {
    const added = result.addedLeafNodes.map(([leaf]) => leafToNodeIndex(leaf));
    return { committer: member, added, initSecret: state.keySchedule.initSecret };
  }
  if (result.kind === 'externalCommit' && member === undefined) {
    return { committer: result.newMemberLeafIndex, added: [], initSecret: result.externalInitSecret };
  }
  throw new Error('proposals that are not for a commit of this sender');
}

async function checkPath(
  state: ClientState,
  applied: ApplyProposalsResult,
  path: UpdatePath,
  committer: LeafIndex,
  cs: CiphersuiteImpl,
): Promise<void> {
  const { leafNode } = path;
  const { authService } = state.clientConfig;
  throwIfDefined(
    await validateLeafNodeUpdateOrCommit(leafNode, committer, state.groupContext, authService, cs.signature),
  );
  throwIfDefined(await validateLeafNodeCredentialAndKeyUniqueness(applied.tree, leafNode, committer));
  requireNewKeys(applied.tree, committer, path);
}

async function followPath(
  state: ClientState,
  applied: ApplyProposalsResult,
  path: UpdatePath,
  committer: LeafIndex,
  isExternal: boolean,
  added: ReturnType<typeof leafToNodeIndex>[],
  cs: CiphersuiteImpl,
) {
  const before = isExternal ? addLeafNode(applied.tree, path.leafNode)[0] : applied.tree;
  requireCiphertexts(before, committer, path, added);
  const tree = await applyUpdatePath(before, committer, path, cs.hash, isExternal);
  const context = {
    ...state.groupContext,
    epoch: state.groupContext.epoch + 1n,
    treeHash: await treeHashRoot(tree, cs.hash),
  };
  return { tree, ...(await openPath(tree, state.privatePath, committer, path, context, added, cs)) };
}

function removes({ allProposals }: ApplyProposalsResult, leaf: number): boolean {
  return allProposals.some(({ proposal }) => proposal.proposalType === 'remove' && proposal.remove.removed === leaf);
}

/**
 * What is left to a member who is removed: no path secret is for it, so it cannot verify the confirmation tag. It goes by the
 * proposals, since the same commit may give its leaf to somebody else.
 */
function leave(state: ClientState, { tree }: ApplyProposalsResult): ClientState {
  return {
    ...state,
    ratchetTree: tree,
    unappliedProposals: {},
    historicalReceiverData: new Map(),
    groupActiveState: { kind: 'removedFromGroup' },
  };
}
