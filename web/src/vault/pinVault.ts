import { type Random, systemRandom } from '../crypto/random';
import { equalBytes } from '../protocol/bytes';
import { bytesToUuid } from '../protocol/ids';
import type { RealmAnswer, VaultStep } from './answers';
import type { Stretch } from './argon2/port';
import { RealmConfiguration, type RealmSet, realmsOf } from './configuration';
import { noVersion } from './context';
import { isGone, type Judging, judge, withEarlier } from './judging';
import { clearFailuresRequest, clearFailuresResponse, deleteRequest, deleteResponse } from './messages/change';
import type { FieldSet, MessageKind } from './messages/layout';
import { type Recover1Response, recover1Request, recover1Response } from './messages/recover';
import { refusal } from './messages/refusal';
import { register1Request, register1Response, register2Response, signMessage } from './messages/register';
import { beginWaitRequest, cancelWaitRequest, cancelWaitResponse, waitResponse } from './messages/wait';
import { defaultParameters, type PinHashParameters } from './parameters';
import type { Pin } from './pins/pin';
import type { VaultPort } from './port';
import { VaultRecovery } from './recovery';
import { chooseStart } from './recoveryStart';
import { createRegistration } from './registration';
import { VaultRejection } from './rejection';

export type RegisterRequest = {
  pin: Pin;
  /** 32 bytes; the caller wipes them. */
  rootSecret: Uint8Array;
  /** Seed of the account identity key that may change the registration from now on. */
  identitySeed: Uint8Array;
  /** Seed of the key that may change the present one; the same unless it was just rotated. */
  signerSeed?: Uint8Array;
  parameters?: PinHashParameters;
  /** Called with what the registration is to be known by before any realm hears of it. */
  keep?: (registration: VaultRegistered) => Promise<void>;
};

/** A registration by its version, as the realms tell it, its digest for the key log, 32 bytes, and where it is. */
export type VaultRegistered = RealmSet & {
  version: string;
  digest: Uint8Array;
  /** The versions that it takes the place of at the realms that are asked, zeros for none: no other realm can take it. */
  replaces: string[];
};

/** A registration that turned out not to be the one with this digest, which cost a guess. */
export type Mismatch = { version: string; digest: Uint8Array };

/** What is known of an account's registrations, where somebody keeps it. */
export type Known = { mismatch: Mismatch | null; note: (mismatch: Mismatch) => Promise<void> };

/** What a realm tells of its registration, as far as a change of it needs that. */
type RealmState = Pick<Recover1Response, 'version' | 'attemptCount'>;

/** What has become of a registration that was begun. */
export type Fate =
  /** A threshold of realms has it. */
  | 'stands'
  /** Too few have it, and so many as are missing have another one by now that it does not take the place of. */
  | 'fails'
  /** It does not stand, and would if requests that are still on their way were taken, or if silent realms had it. */
  | 'open';

/** A step, and where it is passed the digest for the key log, 32 bytes. */
export type Registered = { step: VaultStep; digest: Uint8Array | null };
/**
 * A step, the realms that were asked, and whether so many of these have a registration of other ones that a threshold cannot have
 * one of these.
 */
export type Looked = {
  step: VaultStep;
  isElsewhere: boolean;
  at: RealmSet;
  /** Whether a realm has no guess left while the last one may turn out right still. */
  isLastOpen?: boolean;
};

/** As a look, and where it is passed the root secret, 32 bytes, which the caller wipes, and what a guess of the registration costs. */
export type Recovered = Looked & { rootSecret: Uint8Array | null; parameters?: PinHashParameters };

/** A step, and whether any realm has forgotten a registration by it. */
export type Deleted = { step: VaultStep; hadAny: boolean };

/** A step, and where it is passed the longest wait of any realm, in seconds. */
export type Waiting = { step: VaultStep; secondsLeft: number | null };

/**
 * The device's side of the PIN vault, with the realms asked over REST, all at once: ChatPay.Client's `PinVault`. A realm that
 * cannot be reached has not answered, and the others go on without it. What the port throws for the list of realms itself is
 * the caller's to show.
 */
export class PinVault {
  readonly #port: VaultPort;
  readonly #account: string;
  readonly #stretch: Stretch;
  readonly #random: Random;
  readonly #known: Known;

  constructor(
    port: VaultPort,
    account: string,
    stretch: Stretch,
    random: Random = systemRandom,
    known: Known = { mismatch: null, note: async () => undefined },
  ) {
    this.#port = port;
    this.#account = account;
    this.#stretch = stretch;
    this.#random = random;
    this.#known = known;
  }

  /**
   * Registers a PIN in place of the one there is, at all realms that can be reached. Passed where a threshold of realms has
   * stored it; else the faults say who did not, and the device registers anew.
   */
  async register(request: RegisterRequest): Promise<Registered> {
    const { pin, rootSecret, identitySeed, signerSeed = identitySeed, parameters = defaultParameters, keep } = request;
    const { configuration, at } = await this.#named();
    const told = await this.#ask(configuration, configuration.indices, () =>
      register1Request.encode(this.#nextId(), {}),
    );
    const replaces = configuration.realms.map(() => noVersion);
    const reached: number[] = [];
    const replaced = new Set<string>();
    for (const { index, response } of told) {
      const present = register1Response.read(response);
      if (present.ok) {
        replaces[index - 1] = present.value.version;
        replaced.add(present.value.version);
        reached.push(index);
      }
    }
    // Where it cannot stand it is not begun: a few that fail in turn would leave each realm at a registration of its own.
    if (reached.length < configuration.threshold) {
      return { step: judge(register1Response, configuration, told), digest: null };
    }
    const { context, requests, digest } = await createRegistration(
      { account: this.#account, configuration, parameters, replaces },
      { pin, rootSecret, identitySeed, signerSeed },
      this.#stretch,
      this.#random,
    );
    try {
      await keep?.({ version: context.version, digest, replaces: [...replaced], ...at });
      const answers = await this.#ask(configuration, reached, (index) => requests[index - 1] as Uint8Array);
      const step = judge(register2Response, configuration, answers);
      return { step, digest: step.rejection === VaultRejection.none ? digest : null };
    } finally {
      for (const secret of requests) {
        secret.fill(0);
      }
    }
  }

  /**
   * What has become of a registration that was begun; nothing is counted.
   * @param isOver whether no request of it can be on its way any more
   */
  async fate({ version, replaces }: Pick<VaultRegistered, 'version' | 'replaces'>, isOver: boolean): Promise<Fate> {
    const configuration = await this.#configuration();
    const { start } = chooseStart(this.#account, configuration, await this.#recover1(configuration));
    if (start?.context.version === version) {
      return 'stands';
    }
    const lost = await this.#having(
      configuration,
      (present) => present !== version && (isOver || !replaces.includes(present)),
    );
    return configuration.realms.length - lost.length < configuration.threshold ? 'fails' : 'open';
  }

  /**
   * Guesses the PIN; a right one costs nothing, a wrong one a guess at each realm. That a registration is not the one that the
   * key log names shows after the guess was counted, so it is remembered, and such a one is not tried again.
   * @param pinnedDigest what the account's chain in the key log says of the registration, where it is known
   */
  async recover(pin: Pin, pinnedDigest: Uint8Array | null = null): Promise<Recovered> {
    const { configuration, at } = await this.#named();
    const told = await this.#recover1(configuration);
    const { step: begun, start, isElsewhere } = chooseStart(this.#account, configuration, told);
    if (!start) {
      return { step: await this.#confirm(configuration, begun), rootSecret: null, isElsewhere, at };
    }
    const { version } = start.context;
    const { mismatch } = this.#known;
    if (pinnedDigest && mismatch?.version === version && equalBytes(mismatch.digest, pinnedDigest)) {
      const step = { ...begun, rejection: VaultRejection.realmsDisagree, guessesLeft: null };
      return { step, rootSecret: null, isElsewhere, at };
    }
    const recovery = await VaultRecovery.begin(
      start.context,
      configuration,
      pin,
      pinnedDigest,
      this.#stretch,
      this.#random,
    );
    try {
      const evaluations = await this.#ask(configuration, start.realms, () => recovery.evaluationRequest());
      const step = withEarlier(recovery.takeEvaluations(evaluations), begun);
      const disagree = step.faults.filter(({ reason }) => reason === VaultRejection.realmsDisagree);
      if (pinnedDigest && disagree.length >= configuration.threshold) {
        await this.#known.note({ version, digest: pinnedDigest });
      }
      if (step.rejection !== VaultRejection.none) {
        return { step: await this.#confirm(configuration, step), rootSecret: null, isElsewhere, at };
      }
      const shares = await this.#ask(configuration, recovery.unlocked, (index) => recovery.releaseRequest(index));
      const { step: ended, rootSecret } = recovery.takeShares(shares);
      const { parameters } = start.context;
      return { step: withEarlier(ended, step), rootSecret, isElsewhere, at, parameters };
    } finally {
      recovery.wipe();
    }
  }

  /** What the realms say without a guess: whether there is a registration, and how many guesses are left. */
  async look(): Promise<Looked> {
    const { configuration, at } = await this.#named();
    const { step, isElsewhere } = chooseStart(this.#account, configuration, await this.#recover1(configuration));
    const confirmed = await this.#confirm(configuration, step);
    return { step: confirmed, isElsewhere, at, isLastOpen: confirmed.faults.length < step.faults.length };
  }

  /**
   * Passes over the realms that say that all guesses are used up while the last one is open still: what was destroyed has no
   * version any more.
   */
  async #confirm(configuration: RealmConfiguration, step: VaultStep): Promise<VaultStep> {
    const { guessesExhausted, sharesTooFew } = VaultRejection;
    const usedUp = step.faults.flatMap(({ index, reason }) => (reason === guessesExhausted ? [index] : []));
    if (usedUp.length === 0) {
      return step;
    }
    const gone = await this.#having(configuration, (present) => present === noVersion, usedUp);
    const faults = step.faults.filter(({ index }) => !usedUp.includes(index) || gone.includes(index));
    const isOpen = step.rejection === guessesExhausted && gone.length === 0;
    return isOpen ? { ...step, faults, rejection: sharesTooFew, isUsedUp: true } : { ...step, faults };
  }

  /**
   * Has the realms forget the registration. Passed where so few still have it that nobody can recover; also where they had none,
   * or have destroyed it.
   */
  async delete(identitySeed: Uint8Array): Promise<Deleted> {
    let hadAny = false;
    const step = await this.#change(
      deleteResponse,
      (realm, { version }) => {
        const unsigned = deleteRequest.encode(this.#nextId(), { version, signature: new Uint8Array(64) });
        return signMessage(unsigned, identitySeed, { account: this.#account, realm });
      },
      {
        take: () => {
          hadAny = true;
        },
        isDone: isGone,
        takesLocked: true,
      },
    );
    return { step, hadAny };
  }

  /** Has the realms forget this registration wherever it has arrived, and no other; who refuses or is silent keeps it. */
  async withdraw(version: string, identitySeed: Uint8Array): Promise<void> {
    const configuration = await this.#configuration();
    const having = await this.#having(configuration, (present) => present === version);
    await this.#ask(configuration, having, (index) => {
      const unsigned = deleteRequest.encode(this.#nextId(), { version, signature: new Uint8Array(64) });
      return signMessage(unsigned, identitySeed, { account: this.#account, realm: configuration.realmOf(index) });
    });
  }

  /** Has the realms give back the guesses that failed. */
  clearFailures(identitySeed: Uint8Array): Promise<VaultStep> {
    return this.#change(clearFailuresResponse, (realm, { version, attemptCount }) => {
      const values = { version, attemptCount, signature: new Uint8Array(64) };
      const unsigned = clearFailuresRequest.encode(this.#nextId(), values);
      return signMessage(unsigned, identitySeed, { account: this.#account, realm });
    });
  }

  /**
   * Begins the wait after which the registration may be overwritten without its identity key, or asks how long it still
   * takes. All devices of the account hear of it, and may cancel it.
   */
  async beginWait(): Promise<Waiting> {
    let secondsLeft = 0;
    const step = await this.#change(
      waitResponse,
      (_, { version }) => beginWaitRequest.encode(this.#nextId(), { version }),
      {
        take: (told) => {
          secondsLeft = Math.max(secondsLeft, told.secondsLeft);
        },
      },
    );
    return { step, secondsLeft: step.rejection === VaultRejection.none ? secondsLeft : null };
  }

  /**
   * Cancels the waits that somebody has begun, at all realms that tell of one. Passed where each of them has, and a threshold
   * of realms has told: what the others keep is too little to overwrite anything.
   */
  async cancelWait(identitySeed: Uint8Array): Promise<VaultStep> {
    const configuration = await this.#configuration();
    const told = await Promise.allSettled(configuration.realms.map((realm) => this.#port.attempts(realm)));
    const waits = new Map<string, string>();
    for (const [at, list] of told.entries()) {
      if (list.status === 'fulfilled' && list.value.wait?.state === 'begun') {
        waits.set(configuration.realmOf(at + 1), list.value.wait.id);
      }
    }
    if (told.filter((list) => list.status === 'fulfilled').length < configuration.threshold) {
      return { rejection: VaultRejection.sharesTooFew, faults: [], guessesLeft: null };
    }
    if (waits.size === 0) {
      return { rejection: VaultRejection.none, faults: [], guessesLeft: null };
    }
    const among = configuration.indices.filter((index) => waits.has(configuration.realmOf(index)));
    return this.#change(
      cancelWaitResponse,
      (realm, { version }) => {
        const values = { version, wait: waits.get(realm) ?? noVersion, signature: new Uint8Array(64) };
        const unsigned = cancelWaitRequest.encode(this.#nextId(), values);
        return signMessage(unsigned, identitySeed, { account: this.#account, realm });
      },
      {},
      among,
    );
  }

  /** The realms whose registration, by its version or zeros for none, is such a one. */
  async #having(
    configuration: RealmConfiguration,
    isSuch: (version: string) => boolean,
    among: readonly number[] = configuration.indices,
  ): Promise<number[]> {
    const told = await this.#ask(configuration, among, () => register1Request.encode(this.#nextId(), {}));
    return told.flatMap(({ index, response }) => {
      const present = register1Response.read(response);
      return present.ok && isSuch(present.value.version) ? [index] : [];
    });
  }

  /** Asks each realm what it has, and for a change of that; where only some are asked, all of them have to do it. */
  async #change<F extends FieldSet>(
    kind: MessageKind<F>,
    requestOf: (realm: string, state: RealmState) => Uint8Array,
    judging: Omit<Judging<F>, 'needed'> = {},
    among: readonly number[] | null = null,
  ): Promise<VaultStep> {
    const configuration = await this.#configuration();
    const states = new Map<number, RealmState>();
    let refused: RealmAnswer[] = [];
    for (const answer of await this.#recover1(configuration, among ?? configuration.indices)) {
      const read = recover1Response.read(answer.response);
      if (read.ok) {
        states.set(answer.index, read.value);
      } else {
        refused.push(answer);
      }
    }
    if (judging.takesLocked) {
      for (const [index, version] of await this.#lockedAt(configuration, refused)) {
        states.set(index, { version, attemptCount: 0 });
      }
      refused = refused.filter(({ index }) => !states.has(index));
    }
    const answers = await this.#ask(configuration, [...states.keys()], (index) =>
      requestOf(configuration.realmOf(index), states.get(index) as Recover1Response),
    );
    return judge(kind, configuration, [...answers, ...refused], {
      ...judging,
      needed: among?.length ?? configuration.threshold,
    });
  }

  /** The registrations of realms that say of theirs no more than that it is locked. */
  async #lockedAt(configuration: RealmConfiguration, answers: readonly RealmAnswer[]): Promise<[number, string][]> {
    const locked = answers.flatMap(({ index, response }) => {
      const said = refusal.read(response);
      return said.ok && said.value.reason === VaultRejection.locked ? [index] : [];
    });
    const told = await this.#ask(configuration, locked, () => register1Request.encode(this.#nextId(), {}));
    return told.flatMap(({ index, response }): [number, string][] => {
      const present = register1Response.read(response);
      return present.ok && present.value.version !== noVersion ? [[index, present.value.version]] : [];
    });
  }

  #recover1(
    configuration: RealmConfiguration,
    indices: readonly number[] = configuration.indices,
  ): Promise<RealmAnswer[]> {
    return this.#ask(configuration, indices, () => recover1Request.encode(this.#nextId(), {}));
  }

  async #configuration(): Promise<RealmConfiguration> {
    return (await this.#named()).configuration;
  }

  async #named(): Promise<{ configuration: RealmConfiguration; at: RealmSet }> {
    const at = realmsOf(await this.#port.view());
    return { configuration: new RealmConfiguration(at.realms, at.threshold), at };
  }

  /** Asks realms at once; those that cannot be reached have no answer. */
  async #ask(
    configuration: RealmConfiguration,
    indices: readonly number[],
    requestOf: (index: number) => Uint8Array,
  ): Promise<RealmAnswer[]> {
    const answers = await Promise.all(
      indices.map(async (index) => {
        const request = requestOf(index);
        try {
          return { index, request, response: await this.#port.ask(configuration.realmOf(index), request) };
        } catch {
          return null;
        }
      }),
    );
    return answers.filter((answer) => answer !== null);
  }

  #nextId(): string {
    return bytesToUuid(this.#random(16));
  }
}
