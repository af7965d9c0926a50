import { type ClientState, decodeGroupState } from 'ts-mls';
import { expect } from 'vitest';
import { issueCredential } from '../../identity/deviceCredential';
import { encodeAuthenticatedData } from '../../protocol/authenticatedData';
import { fromUtf8, utf8 } from '../../protocol/bytes';
import { uuidv7 } from '../../protocol/ids';
import { config } from '../config';
import { publicKeyOf } from '../ed25519';
import { Mls } from '../mls';
import type { Candidate, Group, Identity, LogInput, LogResult, MlsState, OwnKeyPackage, PreparedCommit } from '../port';
import { systemRandom } from '../random';

/** A device with a port of its own, so that every state really travels through its encoding. */
export class TestDevice {
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

export class TestGroup {
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

/** What a device's stored group is, for tests that look into it. */
export function decodeState(stored: MlsState): ClientState {
  const decoded = decodeGroupState(stored.bytes, 0);
  if (!decoded) {
    throw new Error('the state does not decode');
  }
  return { ...decoded[0], clientConfig: config };
}
