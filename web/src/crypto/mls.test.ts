import { describe, expect, it } from 'vitest';
import { issueCredential } from '../identity/deviceCredential';
import { encodeAuthenticatedData } from '../protocol/authenticatedData';
import { fromUtf8, utf8 } from '../protocol/bytes';
import { uuidv7 } from '../protocol/ids';
import { publicKeyOf } from './ed25519';
import { readExternalPub } from './join';
import { Mls } from './mls';
import type { Candidate, Group, Identity, LogInput, LogResult, OwnKeyPackage, PreparedCommit } from './port';
import { systemRandom } from './random';

/** A device with a port of its own, so that every state really travels through its encoding. */
class TestDevice {
  mls = new Mls();
  group: Group | null = null;
  packages: OwnKeyPackage[] = [];

  private constructor(public identity: Identity) {}

  static async create(account = uuidv7()): Promise<TestDevice> {
    const keys = await new Mls().generateKeyPair();
    return new TestDevice({ account, device: uuidv7(), ...keys, credential: null });
  }

  /** An identity key vouches for the device from now on. */
  certify(seed = systemRandom(32)): Uint8Array {
    const { account, device, publicKey } = this.identity;
    const credential = issueCredential(seed, account, device, publicKey);
    this.identity = { ...this.identity, credential };
    return publicKeyOf(seed);
  }

  get state() {
    if (!this.group) {
      throw new Error('not in the group');
    }
    return this.group.state;
  }

  async candidate(): Promise<Candidate> {
    const [made] = await this.mls.createKeyPackages(this.identity, 1, Date.now());
    if (!made) {
      throw new Error('no key package');
    }
    this.packages.push(made);
    return { account: this.identity.account, device: this.identity.device, keyPackage: made.message };
  }

  async join(conversation: string, welcome: Uint8Array): Promise<void> {
    const refs = await this.mls.welcomeRefs(welcome);
    const own = this.packages.find((made) => refs.includes(made.ref));
    this.group = await this.mls.join(this.identity, conversation, welcome, own?.secret ?? new Uint8Array());
  }

  /** Forgets the port's cache, as a reload does. */
  reload(): void {
    this.mls = new Mls();
  }

  async apply(input: LogInput): Promise<LogResult> {
    const outcome = await this.mls.apply(this.state, [input]);
    this.group = outcome.group ?? { ...(this.group as Group), state: outcome.state, epoch: outcome.epoch };
    return outcome.results[0] as LogResult;
  }

  async encrypt(text: string, clientId = uuidv7()): Promise<Uint8Array> {
    const data = encodeAuthenticatedData({ kind: 'message', clientId });
    const made = await this.mls.encrypt(this.state, utf8(text), data);
    this.group = { ...(this.group as Group), state: made.state };
    return made.body;
  }
}

class TestGroup {
  readonly conversation = uuidv7();
  devices: TestDevice[] = [];

  static async create(others: number): Promise<TestGroup> {
    const group = new TestGroup();
    const creator = await TestDevice.create();
    const joiners = await Promise.all(Array.from({ length: others }, () => TestDevice.create()));
    const candidates = await Promise.all(joiners.map((device) => device.candidate()));
    const prepared = await creator.mls.createGroup(creator.identity, group.conversation, candidates);
    creator.group = prepared.group;
    for (const device of joiners) {
      await device.join(group.conversation, prepared.welcome as Uint8Array);
    }
    group.devices = [creator, ...joiners];
    return group;
  }

  at(index: number): TestDevice {
    return this.devices[index] as TestDevice;
  }

  input(committer: Identity, prepared: PreparedCommit): Extract<LogInput, { kind: 'commit' }> {
    return {
      kind: 'commit',
      epoch: prepared.epoch,
      body: prepared.commit,
      account: committer.account,
      device: committer.device,
      members: this.devices.map((device) => device.identity.account),
      devicesAdded: null,
      devicesRemoved: null,
    };
  }

  /** Lets everybody but the committer apply it, and the joiners join. */
  async deliver(committer: TestDevice, prepared: PreparedCommit, joiners: TestDevice[] = []): Promise<LogResult[]> {
    const present = this.devices.filter((device) => device !== committer);
    this.devices.push(...joiners);
    const input = this.input(committer.identity, prepared);
    const results: LogResult[] = [];
    for (const device of present) {
      results.push(await device.apply(input));
    }
    committer.group = prepared.group;
    for (const device of joiners) {
      await device.join(this.conversation, prepared.welcome as Uint8Array);
    }
    return results;
  }

  async add(committer: TestDevice, joiners: TestDevice[]): Promise<void> {
    const candidates = await Promise.all(joiners.map((device) => device.candidate()));
    await this.deliver(
      committer,
      await committer.mls.commit(committer.identity, committer.state, candidates, []),
      joiners,
    );
  }

  async remove(committer: TestDevice, device: TestDevice): Promise<void> {
    const leaf = committer.group?.leaves.find((entry) => entry.device === device.identity.device)?.leaf ?? -1;
    const prepared = await committer.mls.commit(committer.identity, committer.state, [], [leaf]);
    await this.deliver(committer, prepared);
    this.devices = this.devices.filter((entry) => entry !== device);
  }

  async everyoneReads(sender: TestDevice, text: string): Promise<void> {
    const epoch = sender.group?.epoch ?? -1;
    const body = await sender.encrypt(text);
    for (const device of this.devices.filter((entry) => entry !== sender)) {
      const result = await device.apply({ kind: 'message', epoch, body });
      expect(result.kind).toBe('plaintext');
      if (result.kind === 'plaintext') {
        expect(fromUtf8(result.plaintext)).toBe(text);
        expect(result.sender.device).toBe(sender.identity.device);
        expect(result.sender.account).toBe(sender.identity.account);
      }
    }
  }
}

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
  }, 60_000);

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
