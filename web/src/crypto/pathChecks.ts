import type { RatchetTree, UpdatePath } from 'ts-mls';
import { filterNewLeaves } from 'ts-mls/createCommit.js';
import { filteredDirectPathAndCopathResolution, getHpkePublicKey } from 'ts-mls/ratchetTree.js';
import { type LeafIndex, leafToNodeIndex, type NodeIndex } from 'ts-mls/treemath.js';
import { toHex } from '../protocol/bytes';

/*
 * What RFC 9420 has a member check of an UpdatePath that ts-mls 1.6.4 does not. A device that lets such a commit through
 * goes on in a group that the SDK's devices have refused to go on with.
 */

/**
 * RFC 9420 section 12.4.2: the path's public keys are neither in the tree nor twice in the path. Nor is its leaf's
 * signature key that of another leaf (section 7.3). ts-mls compares the parents with parents, and the leaf with the leaf
 * before.
 *
 * @param tree With the commit's proposals applied, and without the path or an external joiner's leaf.
 * @throws Error naming which key is not new.
 */
export function requireNewKeys(tree: RatchetTree, committer: LeafIndex, { leafNode, nodes }: UpdatePath): void {
  const seen = new Set(tree.flatMap((node) => (node ? [toHex(getHpkePublicKey(node))] : [])));
  for (const key of [leafNode.hpkePublicKey, ...nodes.map((node) => node.hpkePublicKey)].map(toHex)) {
    if (seen.has(key)) {
      throw new Error('an encryption key of the path is in the tree or twice in the path');
    }
    seen.add(key);
  }
  const own = leafToNodeIndex(committer);
  const signatureKey = toHex(leafNode.signaturePublicKey);
  if (
    tree.some(
      (node, i) => i !== own && node?.nodeType === 'leaf' && toHex(node.leaf.signaturePublicKey) === signatureKey,
    )
  ) {
    throw new Error("the path's leaf has the signature key of another leaf");
  }
}

/**
 * RFC 9420 section 7.6: a node of the path has one ciphertext for each node of its copath child's resolution, less the
 * leaves that the same commit adds. ts-mls takes the one that is for this member and does not count.
 *
 * @param tree As for `openPath`.
 * @param added The nodes of the leaves that the same commit adds.
 * @throws Error where one is missing or too many.
 */
export function requireCiphertexts(
  tree: RatchetTree,
  committer: LeafIndex,
  { nodes }: UpdatePath,
  added: NodeIndex[],
): void {
  const steps = filteredDirectPathAndCopathResolution(committer, tree);
  const isShaped = steps.every(
    ({ resolution }, i) => nodes[i]?.encryptedPathSecret.length === filterNewLeaves(resolution, added).length,
  );
  if (!isShaped || steps.length !== nodes.length) {
    throw new Error('the path has not the ciphertexts that the tree asks for');
  }
}
