import { type Random, wipe } from '../crypto/random';
import { concat, equalBytes, toHex } from '../protocol/bytes';
import { bytesToUuid } from '../protocol/ids';
import type { RealmAnswer, VaultStep } from './answers';
import type { Stretch } from './argon2/port';
import { verifyShare } from './certificate';
import type { RealmConfiguration } from './configuration';
import { type VaultContext, vaultDigest } from './context';
import {
  type Recover2Response,
  type Recover3Response,
  recover2Request,
  recover2Response,
  recover3Request,
  recover3Response,
} from './messages/recover';
import { type Blinded, blindInput, finalize, verifyProof } from './oprf';
import type { Pin } from './pins/pin';
import { VaultRejection } from './rejection';
import { combineElements, combineScalars, type Indexed } from './sharing';
import { StretchedPin } from './stretchedPin';
import { AnswerTally } from './tally';
import { UnlockKey } from './unlockKey';

/**
 * One guess of a PIN, as the device makes it: the PIN is stretched and blinded, the realms evaluate and prove it, and with the
 * right one each of them releases its share. In this order: `evaluationRequest` to each realm, `takeEvaluations`,
 * `releaseRequest` to each realm, `takeShares`, and at the end `wipe`.
 *
 * A wrong PIN is told from a lying realm for certain: every evaluation that counts is proved for a share that the registering
 * device certified together with the commitment that the right PIN meets. What is random is drawn in this order: blind (64,
 * reduced), then each request's id (16).
 */
export class VaultRecovery {
  readonly #context: VaultContext;
  readonly #configuration: RealmConfiguration;
  readonly #stretched: StretchedPin;
  readonly #pinnedDigest: Uint8Array | null;
  readonly #random: Random;
  readonly #blinded: Blinded;
  readonly #attempts = new Map<number, string>();
  #unlockKey: UnlockKey | null = null;

  private constructor(
    context: VaultContext,
    configuration: RealmConfiguration,
    stretched: StretchedPin,
    pinnedDigest: Uint8Array | null,
    random: Random,
  ) {
    this.#context = context;
    this.#configuration = configuration;
    this.#stretched = stretched;
    this.#pinnedDigest = pinnedDigest;
    this.#random = random;
    const accessKey = stretched.accessKey;
    this.#blinded = blindInput(accessKey, random);
    wipe(accessKey);
  }

  /**
   * @param context what `chooseStart` found
   * @param pinnedDigest what the key log says of the registration (32 bytes), or null where nobody asked it
   * @throws RangeError for a digest of another size, or a context of other realms
   */
  static async begin(
    context: VaultContext,
    configuration: RealmConfiguration,
    pin: Pin,
    pinnedDigest: Uint8Array | null,
    stretch: Stretch,
    random: Random,
  ): Promise<VaultRecovery> {
    if (pinnedDigest && pinnedDigest.length !== 32) {
      throw new RangeError('a digest has 32 bytes');
    }
    if (!equalBytes(context.configurationDigest, configuration.digest)) {
      throw new RangeError('the context is of other realms');
    }
    const stretched = await StretchedPin.derive(pin, context, stretch);
    return new VaultRecovery(context, configuration, stretched, pinnedDigest, random);
  }

  /** The realms to ask for their shares, ascending; none before the PIN has turned out right. */
  get unlocked(): number[] {
    return [...this.#attempts.keys()].sort((a, b) => a - b);
  }

  /** Costs a guess at the realm that gets it. */
  evaluationRequest(): Uint8Array {
    const { version } = this.#context;
    return recover2Request.encode(this.#nextId(), { version, blindedElement: this.#blinded.blindedElement });
  }

  /**
   * Checks the evaluations and finds out whether the PIN is right. `wrongPin` is told for certain only; whatever a realm did
   * wrong is its fault, by name, and stops the recovery only where too few others are left.
   */
  takeEvaluations(answers: readonly RealmAnswer[]): VaultStep {
    if (this.#unlockKey) {
      throw new Error('the PIN is known to be right already');
    }
    const tally = new AnswerTally(this.#configuration, answers);
    const proved = new Map<number, Recover2Response>();
    for (const answer of answers) {
      const response = tally.take(recover2Response, answer);
      const rejection = response && this.#judgeEvaluation(answer.index, response);
      if (rejection) {
        tally.fault(answer.index, rejection);
      } else if (response) {
        proved.set(answer.index, response);
      }
    }
    const quorum = this.#quorum(proved, tally);
    if (quorum.length < this.#configuration.threshold) {
      return tally.refused();
    }
    for (const [, response] of quorum) {
      tally.tell(response.guessesLeft);
    }
    return tally.passed(this.#unlock(quorum));
  }

  /**
   * Asks a realm for its share, once the PIN has turned out right.
   * @throws Error where it has not, or this realm did not evaluate it
   */
  releaseRequest(index: number): Uint8Array {
    const attempt = this.#attempts.get(index);
    if (!this.#unlockKey || attempt === undefined) {
      throw new Error('shares are asked for after the PIN has turned out right');
    }
    const unlockTag = this.#unlockKey.tag(this.#configuration.realmOf(index), index);
    return recover3Request.encode(this.#nextId(), { version: this.#context.version, attempt, unlockTag });
  }

  /** Checks the shares and opens the root secret with them: 32 bytes, which the caller wipes, or null. */
  takeShares(answers: readonly RealmAnswer[]): { step: VaultStep; rootSecret: Uint8Array | null } {
    if (!this.#unlockKey) {
      throw new Error('shares come after the PIN has turned out right');
    }
    const tally = new AnswerTally(this.#configuration, answers);
    const shares: Indexed[] = [];
    let encryptedRoot = new Uint8Array();
    for (const answer of answers) {
      const response = tally.take(recover3Response, answer);
      const rejection = response && this.#judgeShare(this.#unlockKey, answer.index, response);
      if (rejection) {
        tally.fault(answer.index, rejection);
      } else if (response) {
        shares.push({ index: answer.index, bytes: response.rootShare });
        encryptedRoot = response.encryptedRoot as Uint8Array<ArrayBuffer>;
      }
    }
    const { threshold } = this.#configuration;
    if (shares.length < threshold) {
      return { step: tally.refused(), rootSecret: null };
    }
    const scalar = combineScalars(threshold, shares.slice(0, threshold));
    const rootSecret = scalar.ok ? this.#stretched.decryptRoot(scalar.value, encryptedRoot) : null;
    wipe(...shares.map((share) => share.bytes));
    return { step: tally.passed(rootSecret ? VaultRejection.none : VaultRejection.rootUnreadable), rootSecret };
  }

  wipe(): void {
    this.#stretched.wipe();
    wipe(this.#blinded.blind);
    this.#unlockKey?.wipe();
  }

  #judgeEvaluation(index: number, response: Recover2Response): VaultRejection {
    const realm = this.#configuration.realmOf(index);
    const { publicShare, unlockCommitment, verifyingKey } = response;
    if (response.version !== this.#context.version) {
      return VaultRejection.versionMixed;
    }
    if (response.index !== index || response.realm !== realm) {
      return VaultRejection.shareSwapped;
    }
    const share = { realm, index, publicShare, unlockCommitment };
    if (!verifyShare(verifyingKey, this.#context, share, response.certificate)) {
      return VaultRejection.certificateInvalid;
    }
    if (!verifyProof(publicShare, this.#blinded.blindedElement, response.evaluatedElement, response.proof)) {
      return VaultRejection.proofInvalid;
    }
    return this.#pinnedDigest && !equalBytes(vaultDigest(this.#context, verifyingKey), this.#pinnedDigest)
      ? VaultRejection.realmsDisagree
      : VaultRejection.none;
  }

  #judgeShare(unlockKey: UnlockKey, index: number, response: Recover3Response): VaultRejection {
    const realm = this.#configuration.realmOf(index);
    const expected = unlockKey.shareCommitment(realm, index, response.rootShare, response.encryptedRoot);
    if (response.version !== this.#context.version) {
      return VaultRejection.versionMixed;
    }
    return equalBytes(expected, response.shareCommitment) ? VaultRejection.none : VaultRejection.shareForged;
  }

  /**
   * The evaluations certified by one key with one commitment, which honest ones all are. With more than half as the threshold,
   * a smaller group beside it is not; where no group is large enough nobody can tell, and all are named.
   */
  #quorum(proved: Map<number, Recover2Response>, tally: AnswerTally): [number, Recover2Response][] {
    const groups = new Map<string, [number, Recover2Response][]>();
    for (const one of [...proved].sort(([a], [b]) => a - b)) {
      const name = toHex(concat(one[1].verifyingKey, one[1].unlockCommitment));
      groups.set(name, [...(groups.get(name) ?? []), one]);
    }
    const { threshold } = this.#configuration;
    const quorum = [...groups.values()].find((group) => group.length >= threshold) ?? [];
    if (proved.size >= threshold) {
      for (const [index] of [...groups.values()].filter((group) => group !== quorum).flat()) {
        tally.fault(index, VaultRejection.realmsDisagree);
      }
    }
    return quorum;
  }

  #unlock(quorum: [number, Recover2Response][]): VaultRejection {
    const { threshold } = this.#configuration;
    const used = quorum.slice(0, threshold).map(([index, { evaluatedElement: bytes }]) => ({ index, bytes }));
    const evaluated = combineElements(threshold, used);
    if (!evaluated.ok) {
      return evaluated.rejection;
    }
    const accessKey = this.#stretched.accessKey;
    const output = finalize(accessKey, this.#blinded.blind, evaluated.value);
    wipe(accessKey);
    if (!output) {
      return VaultRejection.pointInvalid;
    }
    const unlockKey = new UnlockKey(this.#context, output);
    wipe(output);
    if (!equalBytes(unlockKey.commitment, quorum[0]?.[1].unlockCommitment ?? new Uint8Array())) {
      unlockKey.wipe();
      return VaultRejection.wrongPin;
    }
    this.#unlockKey = unlockKey;
    for (const [index, response] of quorum) {
      this.#attempts.set(index, response.attempt);
    }
    return VaultRejection.none;
  }

  #nextId(): string {
    return bytesToUuid(this.#random(16));
  }
}
