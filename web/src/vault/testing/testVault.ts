import type { Random } from '../../crypto/random';
import { bytesToUuid } from '../../protocol/ids';
import type { RealmAnswer } from '../answers';
import { stretchHere } from '../argon2/argon2';
import { RealmConfiguration } from '../configuration';
import { noVersion, VaultContext } from '../context';
import { recover1Request } from '../messages/recover';
import type { PinHashParameters } from '../parameters';
import { type Pin, readPin } from '../pins/pin';
import { VaultRecovery } from '../recovery';
import { createRegistration, type VaultRegistration } from '../registration';
import { idOf, streamOf } from './stream';
import { TestRealm } from './testRealm';

/** The PIN costs next to nothing, so that tests are about the protocol. */
export const cheap: PinHashParameters = { memoryKib: 8, passes: 1, lanes: 1 };

/** One account, its identity key and realms in memory. */
export class TestVault {
  readonly random: Random;
  readonly configuration: RealmConfiguration;
  readonly account = idOf('account');
  readonly identitySeed: Uint8Array;
  readonly root: Uint8Array;
  readonly realms: TestRealm[];
  digest = new Uint8Array(32);

  constructor(count = 3, threshold = 2, seed = 'vault') {
    this.random = streamOf(seed);
    const ids = Array.from({ length: count }, (_, i) => idOf(`realm ${i + 1}`));
    this.configuration = new RealmConfiguration(ids, threshold);
    this.identitySeed = this.random(32);
    this.root = this.random(32);
    this.realms = ids.map((id) => new TestRealm(id, this.account, this.random));
  }

  static async registered(): Promise<TestVault> {
    const vault = new TestVault();
    await vault.register();
    return vault;
  }

  registration(pin = '480279', random = this.random): Promise<VaultRegistration> {
    const { account, configuration, identitySeed, root: rootSecret } = this;
    const replaces = this.realms.map((realm) => realm.record?.version ?? noVersion);
    const secrets = { pin: pinOf(pin), rootSecret, identitySeed, signerSeed: identitySeed };
    const plan = { account, configuration, parameters: cheap, replaces };
    return createRegistration(plan, secrets, stretchHere, random);
  }

  /** Registers at all realms, or at some. */
  async register(pin = '480279', at = this.configuration.indices): Promise<void> {
    const { requests, digest } = await this.registration(pin);
    this.digest = digest as Uint8Array<ArrayBuffer>;
    for (const index of at) {
      this.realm(index).answer(requests[index - 1] as Uint8Array);
    }
  }

  realm(index: number): TestRealm {
    return this.realms[index - 1] as TestRealm;
  }

  recover1(index: number): RealmAnswer {
    return this.#ask(index, recover1Request.encode(bytesToUuid(this.random(16)), {}));
  }

  evaluate(recovery: VaultRecovery, index: number): RealmAnswer {
    return this.#ask(index, recovery.evaluationRequest());
  }

  release(recovery: VaultRecovery, index: number): RealmAnswer {
    return this.#ask(index, recovery.releaseRequest(index));
  }

  begin(pin = '480279', options: { isPinned?: boolean; version?: string } = {}): Promise<VaultRecovery> {
    const version = options.version ?? this.realms.find((realm) => realm.record)?.record?.version ?? noVersion;
    const context = new VaultContext(this.account, version, this.configuration.digest, cheap);
    const digest = options.isPinned ? this.digest : null;
    return VaultRecovery.begin(context, this.configuration, pinOf(pin), digest, stretchHere, this.random);
  }

  #ask(index: number, request: Uint8Array): RealmAnswer {
    return { index, request, response: this.realm(index).answer(request) };
  }
}

export function pinOf(text: string): Pin {
  const { pin, refusal } = readPin(text);
  if (!pin) {
    throw new RangeError(`no PIN: ${refusal}`);
  }
  return pin;
}
