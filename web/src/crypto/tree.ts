import type { CiphersuiteImpl, ClientConfig, ClientState, GroupContext, LeafNode, RatchetTree } from 'ts-mls';
import { verifyLeafNodeSignature, verifyLeafNodeSignatureKeyPackage } from 'ts-mls/leafNode.js';
import { verifyParentHashes } from 'ts-mls/parentHash.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { directPath, leafToNodeIndex, leafWidth, toLeafIndex } from 'ts-mls/treemath.js';
import { equalBytes, toBase64 } from '../protocol/bytes';
import { config, readCredential } from './config';
import type { Group, Leaf } from './port';

/** The occupied leaves, by index. */
export function leavesOf(tree: RatchetTree): Leaf[] {
  const leaves: Leaf[] = [];
  for (let node = 0; node < tree.length; node += 2) {
    const entry = tree[node];
    if (entry?.nodeType === 'leaf') {
      leaves.push(toLeaf(node / 2, entry.leaf));
    }
  }
  return leaves;
}

export function leafAt(tree: RatchetTree, leaf: number): LeafNode | null {
  const entry = tree[leaf * 2];
  return entry?.nodeType === 'leaf' ? entry.leaf : null;
}

export function toLeaf(leaf: number, node: LeafNode): Leaf {
  const owner = readCredential(node.credential);
  if (!owner) {
    throw new Error('a leaf without account and device');
  }
  return { leaf, ...owner, signatureKey: node.signaturePublicKey };
}

export function describeGroup(state: ClientState, stored: Group['state']): Group {
  return {
    state: stored,
    epoch: Number(state.groupContext.epoch),
    ownLeaf: state.privatePath.leafIndex,
    leaves: leavesOf(state.ratchetTree),
  };
}

/**
 * RFC 9420 section 12.4.3.1: what a joiner checks of a ratchet tree it is given. This stands in for ts-mls 1.6.4's own
 * check, which demands equal unmerged leaves all the way to the root where the RFC only speaks of the nodes between a
 * leaf and the parent that lists it, and so refuses trees that ordinary commits make.
 *
 * @throws Error naming the first rule that is broken.
 */
export async function validateTree(
  tree: RatchetTree,
  context: GroupContext,
  cs: CiphersuiteImpl,
  rules: ClientConfig = config,
): Promise<void> {
  const keys = new Set<string>();
  const signatureKeys = new Set<string>();
  const devices = new Set<string>();
  const unique = (set: Set<string>, value: string, what: string) => {
    if (set.has(value)) {
      throw new Error(`${what} appears twice in the tree`);
    }
    set.add(value);
  };
  for (const [index, node] of tree.entries()) {
    if (node === undefined) {
      continue;
    }
    if ((node.nodeType === 'leaf') !== (index % 2 === 0)) {
      throw new Error('the tree is not structurally sound');
    }
    if (node.nodeType === 'parent') {
      unique(keys, toBase64(node.parent.hpkePublicKey), 'an encryption key');
      checkUnmerged(tree, index, node.parent.unmergedLeaves);
      continue;
    }
    const leaf = node.leaf;
    const owner = readCredential(leaf.credential);
    if (!owner || !(await rules.authService.validateCredential(leaf.credential, leaf.signaturePublicKey))) {
      throw new Error('a leaf without account and device, or with a certificate that is none');
    }
    unique(keys, toBase64(leaf.hpkePublicKey), 'an encryption key');
    unique(signatureKeys, toBase64(leaf.signaturePublicKey), 'a signature key');
    unique(devices, owner.device, 'a device');
    const signed =
      leaf.leafNodeSource === 'key_package'
        ? await verifyLeafNodeSignatureKeyPackage(leaf, cs.signature)
        : await verifyLeafNodeSignature(leaf, context.groupId, index / 2, cs.signature);
    if (!signed || !leaf.capabilities.credentials.includes('basic')) {
      throw new Error('a leaf is not signed by its key');
    }
  }
  if (!(await verifyParentHashes(tree, cs.hash))) {
    throw new Error('parent hashes do not verify');
  }
  if (!equalBytes(context.treeHash, await treeHashRoot(tree, cs.hash))) {
    throw new Error('the tree is not the one of the group context');
  }
}

/** RFC 9420 section 7.1 and 12.4.3.1: listed leaves exist below the node, and every node in between lists them too. */
function checkUnmerged(tree: RatchetTree, parent: number, unmerged: number[]): void {
  let last = -1;
  for (const leaf of unmerged) {
    if (leaf <= last) {
      throw new Error('unmerged leaves are not sorted');
    }
    last = leaf;
    const index = leafToNodeIndex(toLeafIndex(leaf));
    const path = directPath(index, leafWidth(tree.length)) as number[];
    const height = path.indexOf(parent);
    if (height < 0 || tree[index]?.nodeType !== 'leaf') {
      throw new Error('an unmerged leaf is not below its node');
    }
    for (const between of path.slice(0, height)) {
      const node = tree[between];
      if (node?.nodeType === 'parent' && !node.parent.unmergedLeaves.includes(leaf)) {
        throw new Error('an intermediate node does not list an unmerged leaf');
      }
    }
  }
}
