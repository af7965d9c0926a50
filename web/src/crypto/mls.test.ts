import { describe, expect, it } from 'vitest';
import { utf8 } from '../protocol/bytes';
import { uuidv7 } from '../protocol/ids';
import { readExternalPub } from './join';
import { Mls } from './mls';
import { TestDevice, TestGroup } from './testing/testGroup';

describe('Mls', () => {
  it('carries messages both ways, across reloads of either side', async () => {
    const group = await TestGroup.create(1);
    await group.everyoneReads(group.at(0), 'bonjour');
    group.at(0).reload();
    group.at(1).reload();
    await group.everyoneReads(group.at(1), 'salut');
    await group.everyoneReads(group.at(0), 'x'.repeat(5000));
  });

  it('hides the length of a message up to the padding', async () => {
    const group = await TestGroup.create(1);
    const sizes = new Set<number>();
    for (const length of [1, 10, 60, 63, 64, 65, 100, 150, 185, 187]) {
      sizes.add((await group.at(0).encrypt('y'.repeat(length))).length);
    }
    expect(sizes.size).toBe(1);
    expect((await group.at(0).encrypt('y'.repeat(300))).length - Math.max(...sizes)).toBe(256);
  });

  it('joins trees in which a leaf is unmerged below a refreshed root', async () => {
    // ts-mls 1.6.4 refuses this Welcome: "non-blank intermediate node must list leaf node in its unmerged_leaves".
    const group = await TestGroup.create(6);
    await group.deliver(group.at(4), await group.at(4).mls.commit(group.at(4).identity, group.at(4).state, [], []));
    await group.add(group.at(0), [await TestDevice.create()]);
    await group.add(group.at(0), [await TestDevice.create()]);
    await group.everyoneReads(group.at(8), 'made it');
  });

  it('keeps everybody together over many random changes', async () => {
    const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
    const random = mulberry32(seed);
    const group = await TestGroup.create(3);
    for (let round = 0; round < 15; round++) {
      const context = `seed ${seed}, round ${round}`;
      const pick = () => group.at(Math.floor(random() * group.devices.length));
      const committer = pick();
      const choice = random();
      if (choice < 0.35) {
        await group.add(committer, await Promise.all([TestDevice.create(), TestDevice.create()]));
      } else if (choice < 0.55 && group.devices.length > 3) {
        const victim = group.devices.find((device) => device !== committer);
        await group.remove(committer, victim as TestDevice);
      } else if (choice < 0.75) {
        const second = await TestDevice.create(committer.identity.account);
        const info = await committer.mls.commit(committer.identity, committer.state, [], []);
        await group.deliver(committer, info);
        const prepared = await second.mls.joinExternally(second.identity, group.conversation, info.groupInfo);
        group.devices.push(second);
        await group.deliver(second, prepared);
      } else {
        await group.deliver(committer, await committer.mls.commit(committer.identity, committer.state, [], []));
      }
      if (random() < 0.3) {
        pick().reload();
      }
      await group.everyoneReads(pick(), context);
    }
  });

  it('rejoins by replacing its own leaf', async () => {
    const group = await TestGroup.create(2);
    const committer = group.at(0);
    const refreshed = await committer.mls.commit(committer.identity, committer.state, [], []);
    await group.deliver(committer, refreshed);
    const lost = group.at(2);
    const prepared = await lost.mls.joinExternally(lost.identity, group.conversation, refreshed.groupInfo);
    const results = await group.deliver(lost, prepared);
    expect(results.map((result) => result.kind)).toEqual(['committed', 'committed']);
    expect(prepared.group.leaves).toHaveLength(3);
    await group.everyoneReads(lost, 'back again');
  });

  it('rejoins a group that it was alone in', async () => {
    const group = await TestGroup.create(1);
    await group.remove(group.at(1), group.at(0));
    const alone = group.at(0);
    const refreshed = await alone.mls.commit(alone.identity, alone.state, [], []);
    const prepared = await alone.mls.joinExternally(alone.identity, group.conversation, refreshed.groupInfo);
    expect(prepared.group).toMatchObject({ ownLeaf: 0, leaves: [{ device: alone.identity.device }] });
    alone.group = prepared.group;
    await group.add(alone, [await TestDevice.create()]);
    await group.everyoneReads(group.at(1), 'in company again');
  });

  it('tells a removed device that it is out', async () => {
    const group = await TestGroup.create(2);
    const victim = group.at(1);
    const prepared = await group.at(0).mls.commit(group.at(0).identity, group.at(0).state, [], [1]);
    const results = await group.deliver(group.at(0), prepared);
    expect(results[0]).toMatchObject({ kind: 'committed', selfRemoved: true });
    const body = await group.at(0).encrypt('without you');
    const result = await victim.apply({ kind: 'message', epoch: prepared.group.epoch, body });
    expect(result.kind).toBe('unreadable');
  });

  it('tells a removed device that it is out where the same commit gives its leaf to another', async () => {
    const group = await TestGroup.create(2);
    const stranger = await TestDevice.create();
    const prepared = await group
      .at(0)
      .mls.commit(group.at(0).identity, group.at(0).state, [await stranger.candidate()], [1]);
    expect(prepared.group.leaves.find((leaf) => leaf.leaf === 1)?.device).toBe(stranger.identity.device);
    const input = group.input(group.at(0).identity, prepared);
    const members = [...input.members, stranger.identity.account];
    const [devicesAdded, devicesRemoved] = [[stranger.identity.device], [group.at(1).identity.device]];
    const results = [1, 2].map((index) => group.at(index).apply({ ...input, members, devicesAdded, devicesRemoved }));
    expect((await Promise.all(results)).map((result) => result.kind === 'committed' && result.selfRemoved)).toEqual([
      true,
      false,
    ]);
  });

  it('says what cannot be read, and reads on', async () => {
    const group = await TestGroup.create(1);
    const [sender, receiver] = [group.at(0), group.at(1)];
    const epoch = sender.group?.epoch ?? 0;
    const good = await sender.encrypt('first');
    const bad = (await sender.encrypt('second')).slice();
    bad[bad.length - 1] = (bad[bad.length - 1] ?? 0) ^ 1;
    const last = await sender.encrypt('third');
    const kinds: string[] = [];
    for (const body of [good, bad, utf8('noise'), last, good]) {
      kinds.push((await receiver.apply({ kind: 'message', epoch, body })).kind);
    }
    expect(kinds).toEqual(['plaintext', 'unreadable', 'unreadable', 'plaintext', 'unreadable']);
  });

  it('refuses any flipped bit of a message', async () => {
    const group = await TestGroup.create(1);
    const body = await group.at(0).encrypt('intact');
    const receiver = group.at(1);
    for (let i = 0; i < body.length; i += 7) {
      const flipped = body.slice();
      flipped[i] = (flipped[i] ?? 0) ^ (1 << (i % 8));
      const outcome = await receiver.mls.apply(receiver.state, [{ kind: 'message', epoch: 1, body: flipped }]);
      expect(outcome.results[0]?.kind, `byte ${i}`).toBe('unreadable');
    }
    expect((await receiver.apply({ kind: 'message', epoch: 1, body })).kind).toBe('plaintext');
  });

  it('refuses a commit that the server says another device made', async () => {
    const group = await TestGroup.create(2);
    const prepared = await group.at(0).mls.commit(group.at(0).identity, group.at(0).state, [], []);
    const lie = group.input(group.at(1).identity, prepared);
    expect(await group.at(2).apply(lie)).toMatchObject({ kind: 'rejected' });
    expect((await group.at(2).apply(group.input(group.at(0).identity, prepared))).kind).toBe('committed');
  });

  it('refuses a commit whose additions are not those that the server names', async () => {
    const group = await TestGroup.create(1);
    const stranger = await TestDevice.create();
    const prepared = await group
      .at(0)
      .mls.commit(group.at(0).identity, group.at(0).state, [await stranger.candidate()], []);
    const input = group.input(group.at(0).identity, prepared);
    expect(await group.at(1).apply(input)).toMatchObject({ kind: 'rejected' });
    const members = [...input.members, stranger.identity.account];
    expect(await group.at(1).apply({ ...input, members, devicesAdded: [uuidv7()] })).toMatchObject({
      kind: 'rejected',
    });
    const named = { ...input, members, devicesAdded: [stranger.identity.device], devicesRemoved: [] };
    expect(await group.at(1).apply(named)).toMatchObject({ kind: 'committed' });
  });

  it('refuses key packages of somebody else', async () => {
    const group = await TestGroup.create(1);
    const candidate = await (await TestDevice.create()).candidate();
    await expect(
      group.at(0).mls.commit(group.at(0).identity, group.at(0).state, [{ ...candidate, account: uuidv7() }], []),
    ).rejects.toThrow('another account');
  });

  it('reads an external key with its length before it and without', () => {
    const key = new Uint8Array(32).fill(32);
    expect(readExternalPub(key)).toEqual(key);
    expect(readExternalPub(new Uint8Array([32, ...key]))).toEqual(key);
  });

  it('lets one key package, the last resort, open two Welcomes', async () => {
    const joiner = await TestDevice.create();
    const candidate = await joiner.candidate();
    for (let i = 0; i < 2; i++) {
      const creator = await TestDevice.create();
      const conversation = uuidv7();
      const prepared = await creator.mls.createGroup(creator.identity, conversation, [candidate]);
      await joiner.join(conversation, prepared.welcome as Uint8Array);
      expect(joiner.group?.leaves.map((leaf) => leaf.account)).toEqual([
        creator.identity.account,
        joiner.identity.account,
      ]);
    }
  });
});

/** A small seeded generator; the seed is printed with every failure through the message text. */
function mulberry32(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

describe('Certificates', () => {
  const shownBy = (device: TestDevice, other: TestDevice) =>
    device.group?.leaves.find((leaf) => leaf.device === other.identity.device)?.identityKey ?? null;

  it('are shown by the next commit of a device that has got one, and kept from then on', async () => {
    const group = await TestGroup.create(2);
    const [ann, bob] = [group.at(0), group.at(1)];
    expect(shownBy(bob, ann)).toBeNull();
    const key = ann.certify();
    await group.deliver(ann, await ann.mls.commit(ann.identity, ann.state, [], []));
    expect(shownBy(bob, ann)).toEqual(key);
    expect(shownBy(ann, ann)).toEqual(key);
    await group.everyoneReads(bob, 'I see who you are');
    const bare = { ...ann.identity, credential: null };
    const prepared = await ann.mls.commit(bare, ann.state, [], []);
    expect(await bob.apply(group.input(ann.identity, prepared))).toMatchObject({ kind: 'committed' });
    expect(shownBy(bob, ann)).toEqual(key);
  });

  it('are demanded of accounts in the key log: on add, by Welcome, from outside and in commits', async () => {
    const group = await TestGroup.create(1);
    const [ann, bob] = [group.at(0), group.at(1)];
    const carol = await TestDevice.create();
    const info = (await ann.mls.commit(ann.identity, ann.state, [], [])).groupInfo;
    await ann.mls.requireCertificates([carol.identity.account]);
    await bob.mls.requireCertificates([carol.identity.account]);
    await expect(ann.mls.commit(ann.identity, ann.state, [await carol.candidate()], [])).rejects.toThrow();

    // Somebody who knows nothing of the log adds it all the same.
    const careless = new Mls();
    const added = await careless.commit(ann.identity, ann.state, [await carol.candidate()], []);
    group.devices.push(carol);
    const members = group.devices.map((device) => device.identity.account);
    expect(await bob.apply({ ...group.input(ann.identity, added), members })).toMatchObject({ kind: 'rejected' });

    const dora = await TestDevice.create();
    await dora.mls.requireCertificates([carol.identity.account, ann.identity.account]);
    const withDora = await careless.commit(ann.identity, ann.state, [await dora.candidate()], []);
    await expect(dora.join(group.conversation, withDora.welcome as Uint8Array)).rejects.toThrow('certificate');
    await expect(dora.mls.joinExternally(dora.identity, group.conversation, info)).rejects.toThrow('certificate');
  });

  it('by another key, for another device or with a changed bit are none', async () => {
    const group = await TestGroup.create(1);
    const ann = group.at(0);
    for (const at of [40, 70, 127]) {
      const eve = await TestDevice.create();
      eve.certify();
      const credential = (eve.identity.credential as Uint8Array).slice();
      credential[at] = (credential[at] ?? 0) ^ 1;
      eve.identity = { ...eve.identity, credential };
      await expect(
        ann.mls.commit(ann.identity, ann.state, [await eve.candidate()], []),
        `byte ${at}`,
      ).rejects.toThrow();
    }
  });
});
