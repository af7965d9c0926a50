import type { ClientState, RatchetTree, UpdatePath } from 'ts-mls';
import { encode } from 'ts-mls/codec/tlsEncoder.js';
import { encryptWithLabel } from 'ts-mls/crypto/hpke.js';
import { groupContextEncoder } from 'ts-mls/groupContext.js';
import { signLeafNodeCommit } from 'ts-mls/leafNode.js';
import { calculateParentHash } from 'ts-mls/parentHash.js';
import { getHpkePublicKey } from 'ts-mls/ratchetTree.js';
import { treeHashRoot } from 'ts-mls/treeHash.js';
import { leafToNodeIndex, toLeafIndex, toNodeIndex } from 'ts-mls/treemath.js';
import { createUpdatePath, type PathSecret } from 'ts-mls/updatePath.js';
import { expect, it } from 'vitest';
import { makeCommit } from './commit';
import type { LogResult } from './port';
import { getSuite } from './suite';
import { decodeState, TestDevice, TestGroup } from './testing/testGroup';

/*
 * In each of these the first of four devices makes a commit of which all but one thing is right, parent hashes, signatures
 * and confirmation tag included, and the third reads it. It opens its path secret and learns what is above that, so nothing
 * else is in its way.
 */

it('A commit is followed as it is made', async () => {
  expect(await readByThird(async (made) => made)).toMatchObject({ kind: 'committed' });
});

it('A path whose leaf has the encryption key of another leaf is refused', async () => {
  expect(await readByThird(withLeafKey(({ before }) => keyAt(before, 6)))).toEqual(refusedKey);
});

it('A path that names one key twice is refused', async () => {
  expect(await readByThird(withLeafKey(({ path }) => path.nodes[0]?.hpkePublicKey))).toEqual(refusedKey);
});

it('A path whose parent has the encryption key of a leaf is refused', async () => {
  const made = readByThird(async (path) => withParentKey(path, keyAt(path.before, 6)));
  expect(await made).toEqual(refusedKey);
});

it.each([
  ['one too few', (all: Ciphertexts) => all.slice(0, -1)],
  ['one too many', (all: Ciphertexts) => [...all, ...all.slice(0, 1)]],
])('A path with %s of the ciphertexts at a node is refused, also by whom they are not for', async (_, change) => {
  const read = readByThird(async (made) => ({
    ...made,
    path: { ...made.path, nodes: changeLast(made.path, change) },
  }));
  expect(await read).toEqual({ kind: 'rejected', reason: expect.stringContaining('ciphertexts') });
});

it('A joiner who shows the signature key of another leaf is refused', async () => {
  const group = await TestGroup.create(2);
  const before = group.at(0);
  const refreshed = await before.mls.commit(before.identity, before.state, [], []);
  await group.deliver(before, refreshed);
  const joiner = await TestDevice.create();
  const { publicKey, privateKey } = group.at(1).identity;
  joiner.identity = { ...joiner.identity, publicKey, privateKey };
  const prepared = await joiner.mls.joinExternally(joiner.identity, group.conversation, refreshed.groupInfo);
  const input = group.input(joiner.identity, prepared);
  const members = [...input.members, joiner.identity.account];
  expect(await group.at(2).apply({ ...input, members })).toEqual({
    kind: 'rejected',
    reason: expect.stringContaining('signature key of another leaf'),
  });
});

const refusedKey = { kind: 'rejected', reason: expect.stringContaining('an encryption key of the path') };

type Ciphertexts = UpdatePath['nodes'][number]['encryptedPathSecret'];

type Made = { before: RatchetTree; tree: RatchetTree; path: UpdatePath; signs: Uint8Array; state: ClientState };

/** What the third of four devices says of a commit by the first whose path was changed before it was signed. */
async function readByThird(change: (made: Made) => Promise<Made>): Promise<LogResult> {
  const group = await TestGroup.create(3);
  const committer = group.at(0);
  const state = decodeState(committer.state);
  const makePath: typeof createUpdatePath = async (before, leaf, context, signs, cs, added) => {
    const [tree, path, secrets, leafKey] = await createUpdatePath(before, leaf, context, signs, cs, added);
    const made = await change({ before, tree, path, signs, state });
    const nodes = made.tree === tree ? made.path.nodes : await sealAnew(made, secrets);
    return [made.tree, { ...made.path, nodes }, secrets, leafKey];
  };
  const { commit: body } = await makeCommit(state, [], await getSuite(), { makePath });
  const epoch = Number(state.groupContext.epoch);
  const { account, device } = committer.identity;
  const members = group.devices.map(({ identity }) => identity.account);
  return group
    .at(2)
    .apply({ kind: 'commit', epoch, body, account, device, members, devicesAdded: null, devicesRemoved: null });
}

/** The path secrets are encrypted under the tree's hash (section 12.4.1), which a change of the tree changes. */
async function sealAnew({ before, tree, path, state }: Made, secrets: PathSecret[]): Promise<UpdatePath['nodes']> {
  const cs = await getSuite();
  const { groupContext } = state;
  const epoch = groupContext.epoch + 1n;
  const context = encode(groupContextEncoder)({ ...groupContext, epoch, treeHash: await treeHashRoot(tree, cs.hash) });
  const seal = async (to: number, secret: Uint8Array) => {
    const key = await cs.hpke.importPublicKey(keyAt(before, to));
    const { enc, ct } = await encryptWithLabel(key, 'UpdatePathNode', context, secret, cs.hpke);
    return { kemOutput: enc, ciphertext: ct };
  };
  return Promise.all(
    path.nodes.map(async (node, i) => {
      const { sendTo, secret } = secrets[i] as PathSecret;
      return { ...node, encryptedPathSecret: await Promise.all(sendTo.map((to) => seal(to, secret))) };
    }),
  );
}

function withLeafKey(choose: (made: Made) => Uint8Array | undefined): (made: Made) => Promise<Made> {
  return async (made) => signed(made, { hpkePublicKey: choose(made) ?? new Uint8Array() });
}

/** Above the committer and its neighbour, whom nobody else learns the key of. */
async function withParentKey(made: Made, hpkePublicKey: Uint8Array): Promise<Made> {
  const [first, ...rest] = made.path.nodes as [UpdatePath['nodes'][number]];
  const parent = made.tree[1];
  if (parent?.nodeType !== 'parent') {
    throw new Error('the path has no parent above its leaf');
  }
  const tree = made.tree.with(1, { nodeType: 'parent', parent: { ...parent.parent, hpkePublicKey } });
  const [parentHash] = await calculateParentHash(tree, toNodeIndex(0), (await getSuite()).hash);
  const path = { ...made.path, nodes: [{ ...first, hpkePublicKey }, ...rest] };
  return signed({ ...made, tree, path }, { parentHash });
}

/** With another leaf node, signed by the committer. */
async function signed(made: Made, change: Partial<UpdatePath['leafNode']>): Promise<Made> {
  const { groupId } = made.state.groupContext;
  const leafNode = await signLeafNodeCommit(
    { ...made.path.leafNode, ...change, groupId, leafIndex: 0 },
    made.signs,
    (await getSuite()).signature,
  );
  const tree = made.tree.with(leafToNodeIndex(toLeafIndex(0)), { nodeType: 'leaf', leaf: leafNode });
  return { ...made, tree, path: { ...made.path, leafNode } };
}

function changeLast({ nodes }: UpdatePath, change: (all: Ciphertexts) => Ciphertexts): UpdatePath['nodes'] {
  return nodes.map((node, i) =>
    i === nodes.length - 1 ? { ...node, encryptedPathSecret: change(node.encryptedPathSecret) } : node,
  );
}

function keyAt(tree: RatchetTree, node: number): Uint8Array {
  const found = tree[node];
  return found ? getHpkePublicKey(found) : new Uint8Array();
}
