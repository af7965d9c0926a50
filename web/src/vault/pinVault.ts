import { type Random, systemRandom } from '../crypto/random';
import { equalBytes } from '../protocol/bytes';
import { bytesToUuid } from '../protocol/ids';
import type { RealmAnswer, RealmFault, VaultStep } from './answers';
import type { Stretch } from './argon2/port';
import { RealmConfiguration } from './configuration';
import { noVersion } from './context';
import { clearFailuresRequest, clearFailuresResponse, deleteRequest, deleteResponse } from './messages/change';
import { type FieldSet, type MessageKind, type MessageOf, requestIdOf } from './messages/layout';
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
import { type Outcome, refused, VaultRejection } from './rejection';

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

/** A registration by its version, as the realms tell it, and its digest for the key log, 32 bytes. */
export type VaultRegistered = {
  version: string;
  digest: Uint8Array;
  /** The versions that it takes the place of at the realms that are asked, zeros for none: no other realm can take it. */
  replaces: string[];
};

/** A registration that turned out not to be the one with this digest, which cost a guess. */
export type Mismatch = { version: string; digest: Uint8Array };

/** What is known of an account's registrations, where somebody keeps it. */
export type Known = { mismatch: Mismatch | null; note: (mismatch: Mismatch) => Promise<void> };

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
 * A step, and where it is passed the root secret, 32 bytes, which the caller wipes. And what a guess of the registration costs,
 * once it was found.
 */
export type Recovered = { step: VaultStep; rootSecret: Uint8Array | null; parameters?: PinHashParameters };

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
    const configuration = await this.#configuration();
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
      await keep?.({ version: context.version, digest, replaces: [...replaced] });
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
  async fate({ version, replaces }: Omit<VaultRegistered, 'digest'>, isOver: boolean): Promise<Fate> {
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
    const configuration = await this.#configuration();
    const told = await this.#recover1(configuration);
    const { step: begun, start } = chooseStart(this.#account, configuration, told);
    if (!start) {
      return { step: begun, rootSecret: null };
    }
    const { version } = start.context;
    const { mismatch } = this.#known;
    if (pinnedDigest && mismatch?.version === version && equalBytes(mismatch.digest, pinnedDigest)) {
      return { step: { ...begun, rejection: VaultRejection.realmsDisagree, guessesLeft: null }, rootSecret: null };
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
      const step = recovery.takeEvaluations(evaluations);
      const disagree = step.faults.filter(({ reason }) => reason === VaultRejection.realmsDisagree);
      if (pinnedDigest && disagree.length >= configuration.threshold) {
        await this.#known.note({ version, digest: pinnedDigest });
      }
      if (step.rejection !== VaultRejection.none) {
        return { step, rootSecret: null };
      }
      const shares = await this.#ask(configuration, recovery.unlocked, (index) => recovery.releaseRequest(index));
      return { ...recovery.takeShares(shares), parameters: start.context.parameters };
    } finally {
      recovery.wipe();
    }
  }

  /** What the realms say without a guess: whether there is a registration, and how many guesses are left. */
  async look(): Promise<VaultStep> {
    const configuration = await this.#configuration();
    return chooseStart(this.#account, configuration, await this.#recover1(configuration)).step;
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
  async #having(configuration: RealmConfiguration, isSuch: (version: string) => boolean): Promise<number[]> {
    const told = await this.#ask(configuration, configuration.indices, () =>
      register1Request.encode(this.#nextId(), {}),
    );
    return told.flatMap(({ index, response }) => {
      const present = register1Response.read(response);
      return present.ok && isSuch(present.value.version) ? [index] : [];
    });
  }

  /** Asks each realm what it has, and for a change of that; where only some are asked, all of them have to do it. */
  async #change<F extends FieldSet>(
    kind: MessageKind<F>,
    requestOf: (realm: string, state: Recover1Response) => Uint8Array,
    judging: Omit<Judging<F>, 'needed'> = {},
    among: readonly number[] | null = null,
  ): Promise<VaultStep> {
    const configuration = await this.#configuration();
    const states = new Map<number, Recover1Response>();
    const refused: RealmAnswer[] = [];
    for (const answer of await this.#recover1(configuration, among ?? configuration.indices)) {
      const read = recover1Response.read(answer.response);
      if (read.ok) {
        states.set(answer.index, read.value);
      } else {
        refused.push(answer);
      }
    }
    const answers = await this.#ask(configuration, [...states.keys()], (index) =>
      requestOf(configuration.realmOf(index), states.get(index) as Recover1Response),
    );
    return judge(kind, configuration, [...answers, ...refused], {
      ...judging,
      needed: among?.length ?? configuration.threshold,
    });
  }

  #recover1(
    configuration: RealmConfiguration,
    indices: readonly number[] = configuration.indices,
  ): Promise<RealmAnswer[]> {
    return this.#ask(configuration, indices, () => recover1Request.encode(this.#nextId(), {}));
  }

  async #configuration(): Promise<RealmConfiguration> {
    const { realms, threshold } = await this.#port.view();
    return new RealmConfiguration(realms, threshold);
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

type Judging<F extends FieldSet> = {
  take?: (response: MessageOf<MessageKind<F>>) => void;
  /** Refusals that are as good as the change. */
  isDone?: (rejection: VaultRejection) => boolean;
  needed?: number;
};

/** Nobody can recover from a realm that has nothing, or that has destroyed what it had. */
function isGone(rejection: VaultRejection): boolean {
  return rejection === VaultRejection.notRegistered || rejection === VaultRejection.guessesExhausted;
}

/** A change stands where a threshold of realms has done it. */
function judge<F extends FieldSet>(
  kind: MessageKind<F>,
  configuration: RealmConfiguration,
  answers: readonly RealmAnswer[],
  { take, isDone = () => false, needed = configuration.threshold }: Judging<F> = {},
): VaultStep {
  const faults: RealmFault[] = [];
  for (const { index, request, response } of answers) {
    const read = readAnswer(kind, requestIdOf(request), response);
    if (read.ok) {
      take?.(read.value);
    } else if (!isDone(read.rejection)) {
      faults.push({ index, realm: configuration.realmOf(index), reason: read.rejection });
    }
  }
  const isPassed = answers.length - faults.length >= needed;
  const rejection = isPassed ? VaultRejection.none : (faults[0]?.reason ?? VaultRejection.sharesTooFew);
  return { rejection, faults: faults.sort((a, b) => a.index - b.index), guessesLeft: null };
}

/** An answer of the kind, or why there is none: a refusal, a wait that has to pass first, or nonsense. */
function readAnswer<F extends FieldSet>(
  kind: MessageKind<F>,
  requestId: string,
  response: Uint8Array,
): Outcome<MessageOf<MessageKind<F>>> {
  const read = kind.read(response) as Outcome<MessageOf<MessageKind<F>>>;
  const refusing = refusal.read(response);
  if (!read.ok && !refusing.ok && !waitResponse.read(response).ok) {
    return read;
  }
  if (requestIdOf(response) !== requestId) {
    return refused(VaultRejection.responseReplayed);
  }
  return read.ok ? read : refused(refusing.ok ? (refusing.value.reason as VaultRejection) : VaultRejection.waitPending);
}
