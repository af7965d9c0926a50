import { type CiphersuiteImpl, type ClientState, decodeMlsMessage, emptyPskIndex } from 'ts-mls';
import { unprotectPrivateMessage } from 'ts-mls/messageProtection.js';
import { unprotectPublicMessage } from 'ts-mls/messageProtectionPublic.js';
import { equalBytes } from '../protocol/bytes';
import { belongsTo, dropPast, readCredential } from './config';
import { followCommit } from './follow';
import type { Leaf, LogInput, LogResult } from './port';
import { leafAt, leavesOf, toLeaf } from './tree';

type Step = { state: ClientState; result: LogResult };

/**
 * Opens a PrivateMessage and says which leaf sent it (RFC 9420 section 6.3.2), which `processPrivateMessage` does not.
 * What cannot be opened leaves the state as it was.
 */
export async function receiveMessage(
  state: ClientState,
  input: Extract<LogInput, { kind: 'message' }>,
  cs: CiphersuiteImpl,
): Promise<Step> {
  try {
    const message = decode(input.body);
    if (message.wireformat !== 'mls_private_message') {
      throw new Error('not a PrivateMessage');
    }
    const pm = message.privateMessage;
    if (pm.contentType !== 'application' || pm.epoch !== state.groupContext.epoch || Number(pm.epoch) !== input.epoch) {
      throw new Error('another content type or epoch');
    }
    if (!equalBytes(pm.groupId, state.groupContext.groupId)) {
      throw new Error('another group');
    }
    const opened = await unprotectPrivateMessage(
      state.keySchedule.senderDataSecret,
      pm,
      state.secretTree,
      state.ratchetTree,
      state.groupContext,
      state.clientConfig.keyRetentionConfig,
      cs,
    );
    const { content } = opened.content;
    const node = content.sender.senderType === 'member' ? leafAt(state.ratchetTree, content.sender.leafIndex) : null;
    if (content.contentType !== 'application' || content.sender.senderType !== 'member' || !node) {
      throw new Error('not from a member');
    }
    return {
      state: { ...state, secretTree: opened.tree },
      result: {
        kind: 'plaintext',
        sender: toLeaf(content.sender.leafIndex, node),
        authenticatedData: content.authenticatedData,
        plaintext: content.applicationData,
      },
    };
  } catch (thrown) {
    return { state, result: { kind: 'unreadable', reason: reasonOf(thrown) } };
  }
}

/** Checks a commit against what the server says of it, then applies it. */
export async function receiveCommit(
  state: ClientState,
  input: Extract<LogInput, { kind: 'commit' }>,
  cs: CiphersuiteImpl,
): Promise<Step> {
  try {
    const message = decode(input.body);
    if (message.wireformat !== 'mls_public_message' || message.publicMessage.content.contentType !== 'commit') {
      throw new Error('not a public commit');
    }
    const { content } = message.publicMessage;
    if (content.epoch !== state.groupContext.epoch || Number(content.epoch) !== input.epoch) {
      throw new Error('a commit for another epoch');
    }
    if (!equalBytes(content.groupId, state.groupContext.groupId)) {
      throw new Error('a commit for another group');
    }
    const external = content.sender.senderType === 'new_member_commit';
    const removed = checkCommit(state, input, content.commit, content.sender, external);
    const opened = await unprotectPublicMessage(
      state.keySchedule.membershipKey,
      state.groupContext,
      state.ratchetTree,
      message.publicMessage,
      cs,
    );
    const next = dropPast(await followCommit(state, opened, emptyPskIndex, cs));
    const before = new Set(leavesOf(state.ratchetTree).map((leaf) => leaf.device));
    const gone = new Set(removed.map((leaf) => leaf.device));
    const after = leavesOf(next.ratchetTree);
    const added = after.filter((leaf) => !before.has(leaf.device) || gone.has(leaf.device));
    sameDevices(added, input.devicesAdded, 'added');
    sameDevices(removed, input.devicesRemoved, 'removed');
    const selfRemoved = next.groupActiveState.kind === 'removedFromGroup';
    // A removed device cannot compute the tree after the path; the committer is still where it was.
    const sender = after.find((leaf) => leaf.device === input.device);
    if (!sender) {
      throw new Error('the committer is not in the group');
    }
    return { state: next, result: { kind: 'committed', sender, added, removed, external, selfRemoved } };
  } catch (thrown) {
    return { state, result: { kind: 'rejected', reason: reasonOf(thrown) } };
  }
}

type PublicMessage = Extract<ReturnType<typeof decode>, { wireformat: 'mls_public_message' }>['publicMessage'];

type Commit = Extract<PublicMessage['content'], { contentType: 'commit' }>;

/** The rules of this protocol that MLS itself does not have. Returns the leaves that go. */
function checkCommit(
  state: ClientState,
  input: Extract<LogInput, { kind: 'commit' }>,
  commit: Commit['commit'],
  sender: Commit['sender'],
  external: boolean,
): Leaf[] {
  const path = commit.path;
  if (!path || !belongsTo(path.leafNode, input.account, input.device)) {
    throw new Error('the commit is not from the device that the server names');
  }
  if (!external) {
    const node = sender.senderType === 'member' ? leafAt(state.ratchetTree, sender.leafIndex) : null;
    const unchanged = node && equalBytes(node.signaturePublicKey, path.leafNode.signaturePublicKey);
    const proves = readCredential(path.leafNode.credential)?.identityKey != null;
    if (node && readCredential(node.credential)?.identityKey && !proves) {
      throw new Error('the committer no longer proves itself');
    }
    if (!unchanged || !belongsTo(node, input.account, input.device)) {
      throw new Error('the commit is not from the leaf of the device that the server names');
    }
  } else if (!input.members.includes(input.account)) {
    throw new Error('an external join by an account that is no member');
  }
  const removed: Leaf[] = [];
  for (const entry of commit.proposals) {
    if (entry.proposalOrRefType !== 'proposal') {
      throw new Error('a proposal by reference');
    }
    const proposal = entry.proposal;
    if (proposal.proposalType === 'remove') {
      const node = leafAt(state.ratchetTree, proposal.remove.removed);
      if (!node) {
        throw new Error('a removal of a blank leaf');
      }
      // An external commit may replace its own earlier leaf and nothing else.
      const own = belongsTo(node, input.account, input.device);
      if (external && !(own && equalBytes(node.signaturePublicKey, path.leafNode.signaturePublicKey))) {
        throw new Error('an external commit that removes somebody else');
      }
      removed.push(toLeaf(proposal.remove.removed, node));
    } else if (proposal.proposalType === 'add' && !external) {
      const owner = readCredential(proposal.add.keyPackage.leafNode.credential);
      if (!owner || !input.members.includes(owner.account)) {
        throw new Error('an added device of an account that is no member');
      }
    } else if (proposal.proposalType !== 'external_init' || !external) {
      throw new Error('a kind of proposal that this protocol does not have');
    }
  }
  return removed;
}

function sameDevices(leaves: Leaf[], claimed: string[] | null, what: string): void {
  if (claimed && (claimed.length !== leaves.length || leaves.some((leaf) => !claimed.includes(leaf.device)))) {
    throw new Error(`the devices ${what} are not those that the server names`);
  }
}

/** @throws Error on trailing bytes or anything else that is not exactly one MLSMessage. */
export function decode(bytes: Uint8Array) {
  const decoded = decodeMlsMessage(bytes, 0);
  if (!decoded || decoded[1] !== bytes.length) {
    throw new Error('not an MLSMessage');
  }
  return decoded[0];
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
