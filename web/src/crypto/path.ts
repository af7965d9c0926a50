import type { CiphersuiteImpl, GroupContext, RatchetTree, UpdatePath } from 'ts-mls';
import { applyUpdatePathSecret } from 'ts-mls/createCommit.js';
import { deriveSecret } from 'ts-mls/crypto/kdf.js';
import { mergePrivateKeyPaths, type PrivateKeyPath, updateLeafKey } from 'ts-mls/privateKeyPath.js';
import {
  directPath,
  type LeafIndex,
  leafToNodeIndex,
  leafWidth,
  type NodeIndex,
  toLeafIndex,
} from 'ts-mls/treemath.js';
import type { PathSecret } from 'ts-mls/updatePath.js';
import { equalBytes } from '../protocol/bytes';

/*
 * RFC 9420 sections 12.4.1 and 12.4.2: the commit secret comes after the last path secret of the committer's *filtered*
 * direct path, which the root is not on while the half of the tree without the committer is empty. In a tree of four leaves
 * whose first two were removed, the path ends at their sibling. ts-mls 1.6.4 takes one more step, to the root, when it
 * commits and when it follows; its groups agree among themselves and with nobody else. So neither its `getCommitSecret` nor
 * its `pathToRoot` is used, nor what stands on them: `createCommit`, `processPublicMessage`, `processPrivateMessage`,
 * `joinGroup` and `joinGroupExternal`.
 */

/** What a committer's own path secrets, from the leaf up as `createUpdatePath` gives them, end in. */
export async function commitSecretOf(pathSecrets: PathSecret[], cs: CiphersuiteImpl): Promise<Uint8Array> {
  const last = pathSecrets.at(-1);
  // Alone in the tree there is no parent to have a secret; nobody else has to know this one.
  return last ? deriveSecret(last.secret, 'path', cs.kdf) : cs.rng.randomBytes(cs.kdf.size);
}

/**
 * RFC 9420 section 7.5: opens the path secret that a commit has for this member, and learns what follows from it.
 *
 * @param tree With the path.
 * @param own This member's keys before.
 * @param context The provisional group context: of the new epoch, with the old confirmed transcript hash.
 * @param added The nodes of the leaves that the same commit adds.
 * @throws Error where there is none for this member, or its keys are not those that the path names.
 */
export async function openPath(
  tree: RatchetTree,
  own: PrivateKeyPath,
  committer: LeafIndex,
  path: UpdatePath,
  context: GroupContext,
  added: NodeIndex[],
  cs: CiphersuiteImpl,
): Promise<{ privatePath: PrivateKeyPath; commitSecret: Uint8Array }> {
  const { nodeIndex, pathSecret } = await applyUpdatePathSecret(tree, own, committer, context, path, added, cs);
  const { learned, commitSecret } = await learnPath(tree, own.leafIndex, nodeIndex, pathSecret, cs);
  return { privatePath: mergePrivateKeyPaths(own, learned), commitSecret };
}

/** The keys of somebody who joins by a Welcome with a path secret, which is that of a parent above its leaf. */
export async function keysOfJoiner(
  tree: RatchetTree,
  leaf: LeafIndex,
  leafKey: Uint8Array,
  parent: NodeIndex,
  pathSecret: Uint8Array,
  cs: CiphersuiteImpl,
): Promise<PrivateKeyPath> {
  const { learned } = await learnPath(tree, leaf, parent, pathSecret, cs);
  return updateLeafKey(learned, leafKey);
}

/** From a parent's path secret upwards. The path blanked whatever it leaves out, so blank parents are not on it. */
async function learnPath(
  tree: RatchetTree,
  leaf: number,
  from: NodeIndex,
  pathSecret: Uint8Array,
  cs: CiphersuiteImpl,
): Promise<{ learned: PrivateKeyPath; commitSecret: Uint8Array }> {
  const above = directPath(leafToNodeIndex(toLeafIndex(leaf)), leafWidth(tree.length));
  const privateKeys: Record<number, Uint8Array> = {};
  let secret = pathSecret;
  for (const index of above.slice(above.indexOf(from))) {
    const node = tree[index];
    if (node?.nodeType !== 'parent') {
      continue;
    }
    const pair = await cs.hpke.deriveKeyPair(await deriveSecret(secret, 'node', cs.kdf));
    if (!equalBytes(await cs.hpke.exportPublicKey(pair.publicKey), node.parent.hpkePublicKey)) {
      throw new Error('a path secret does not lead to the keys of the path');
    }
    privateKeys[index] = await cs.hpke.exportPrivateKey(pair.privateKey);
    secret = await deriveSecret(secret, 'path', cs.kdf);
  }
  return { learned: { leafIndex: leaf, privateKeys }, commitSecret: secret };
}
