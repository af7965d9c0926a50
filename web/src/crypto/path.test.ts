import { type CiphersuiteImpl, type ClientState, decodeMlsMessage, type GroupContext, type UpdatePath } from 'ts-mls';
import { encode } from 'ts-mls/codec/tlsEncoder.js';
import { decryptWithLabel, encryptWithLabel } from 'ts-mls/crypto/hpke.js';
import { deriveSecret } from 'ts-mls/crypto/kdf.js';
import { groupContextEncoder } from 'ts-mls/groupContext.js';
import { initializeEpoch } from 'ts-mls/keySchedule.js';
import { toLeafIndex } from 'ts-mls/treemath.js';
import { describe, expect, it } from 'vitest';
import { openPath } from './path';
import type { PreparedCommit } from './port';
import { getSuite } from './suite';
import { decodeState, TestDevice, TestGroup } from './testing/testGroup';

describe('A path where the first half of the tree is empty', () => {
  it('ends below the root, and the commit secret comes from where it ends', async () => {
    const { committer, other, prepared, cs } = await halfEmpty();
    const [before, after] = [decodeState(other.state), decodeState(prepared.group.state)];
    const { path, context } = pathOf(prepared, before, after);
    expect(path.nodes).toHaveLength(1);

    const pathSecret = await openDirectly(path, context, before, cs);
    const zeros = new Uint8Array(cs.kdf.size);
    const commitSecret = await deriveSecret(pathSecret, 'path', cs.kdf);
    const epoch = await initializeEpoch(before.keySchedule.initSecret, commitSecret, after.groupContext, zeros, cs.kdf);
    expect(after.keySchedule.epochAuthenticator).toEqual(epoch.keySchedule.epochAuthenticator);

    const group = new TestGroup();
    group.devices = [committer, other];
    const result = await other.apply(group.input(committer.identity, prepared));
    expect(result).toMatchObject({ kind: 'committed' });
    expect(decodeState(other.state).keySchedule).toEqual(after.keySchedule);
  });

  it('is left behind as soon as somebody comes in on the left', async () => {
    const { group, committer, other, prepared } = await halfEmpty();
    await group.deliver(committer, prepared);
    await group.add(other, [await TestDevice.create()]);
    expect(group.at(2).group?.ownLeaf).toBe(0);
    await group.deliver(group.at(2), await group.at(2).mls.commit(group.at(2).identity, group.at(2).state, [], []));
    for (const device of group.devices) {
      await group.everyoneReads(device, 'together again');
    }
  });

  it('that somebody is alone with is committed with a secret of its own', async () => {
    const group = await TestGroup.create(1);
    await group.remove(group.at(1), group.at(0));
    const [alone] = group.devices as [TestDevice];
    const prepared = await alone.mls.commit(alone.identity, alone.state, [], []);
    const [before, after, cs] = [decodeState(alone.state), decodeState(prepared.group.state), await getSuite()];
    const zeros = new Uint8Array(cs.kdf.size);
    const epoch = await initializeEpoch(before.keySchedule.initSecret, zeros, after.groupContext, zeros, cs.kdf);
    expect(after.keySchedule.epochAuthenticator).not.toEqual(epoch.keySchedule.epochAuthenticator);
  });
});

describe('A path secret', () => {
  it('is refused where it does not lead to the keys that the path names', async () => {
    const { other, prepared, cs } = await halfEmpty();
    const [before, after] = [decodeState(other.state), decodeState(prepared.group.state)];
    const { path, context } = pathOf(prepared, before, after);
    const committer = toLeafIndex(after.privatePath.leafIndex);
    const open = (shown: UpdatePath) =>
      openPath(after.ratchetTree, before.privatePath, committer, shown, context, [], cs);
    expect((await open(path)).privatePath.privateKeys).not.toEqual(before.privatePath.privateKeys);

    const [node] = path.nodes as [UpdatePath['nodes'][number]];
    const leaf = before.ratchetTree[before.privatePath.leafIndex * 2];
    const { enc: kemOutput, ct: ciphertext } = await encryptWithLabel(
      await cs.hpke.importPublicKey(leaf?.nodeType === 'leaf' ? leaf.leaf.hpkePublicKey : new Uint8Array()),
      'UpdatePathNode',
      encode(groupContextEncoder)(context),
      cs.rng.randomBytes(cs.kdf.size),
      cs.hpke,
    );
    const encryptedPathSecret = [{ kemOutput, ciphertext }];
    await expect(open({ ...path, nodes: [{ ...node, encryptedPathSecret }] })).rejects.toThrow('does not lead');
  });
});

/** Of four devices the last removes the first two; the third has yet to hear of it. */
async function halfEmpty() {
  const group = await TestGroup.create(3);
  const [first, second, other, committer] = group.devices as [TestDevice, TestDevice, TestDevice, TestDevice];
  const gone = [first, second].map((device) => device.group?.ownLeaf ?? -1);
  const prepared = await committer.mls.commit(committer.identity, committer.state, [], gone);
  group.devices = [other, committer];
  return { group, committer, other, prepared, cs: await getSuite() };
}

/** The commit's path, and the provisional group context that it is encrypted with (RFC 9420 section 12.4.1). */
function pathOf(prepared: PreparedCommit, before: ClientState, after: ClientState) {
  const message = decodeMlsMessage(prepared.commit, 0)?.[0];
  const content = message?.wireformat === 'mls_public_message' ? message.publicMessage.content : null;
  if (content?.contentType !== 'commit' || !content.commit.path) {
    throw new Error('not a commit with a path');
  }
  const { epoch, treeHash } = after.groupContext;
  const context: GroupContext = { ...before.groupContext, epoch, treeHash };
  return { path: content.commit.path, context };
}

/** The one path secret, by the leaf key of its one recipient. */
async function openDirectly(path: UpdatePath, context: GroupContext, own: ClientState, cs: CiphersuiteImpl) {
  const { leafIndex, privateKeys } = own.privatePath;
  const sealed = path.nodes[0]?.encryptedPathSecret;
  expect(sealed).toHaveLength(1);
  const [{ kemOutput, ciphertext }] = sealed as [{ kemOutput: Uint8Array; ciphertext: Uint8Array }];
  const key = await cs.hpke.importPrivateKey(privateKeys[leafIndex * 2] as Uint8Array);
  const info = encode(groupContextEncoder)(context);
  return decryptWithLabel(key, 'UpdatePathNode', info, kemOutput, ciphertext, cs.hpke);
}
