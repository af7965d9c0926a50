import { isLie, type RealmAnswer, type RealmFault, type VaultStep } from './answers';
import type { RealmConfiguration } from './configuration';
import { type FieldSet, type MessageKind, requestIdOf, type Values } from './messages/layout';
import { refusal } from './messages/refusal';
import { VaultRejection } from './rejection';

/** Reads the answers to one step and keeps what was wrong with which of them. */
export class AnswerTally {
  readonly #configuration: RealmConfiguration;
  readonly #faults = new Map<number, RealmFault>();
  #guessesLeft: number | null = null;

  /** @throws RangeError for two answers of one realm, or one of none. */
  constructor(configuration: RealmConfiguration, answers: readonly RealmAnswer[]) {
    this.#configuration = configuration;
    const indices = new Set(answers.map((answer) => answer.index));
    if (indices.size !== answers.length || [...indices].some((index) => !configuration.realms[index - 1])) {
      throw new RangeError('there is at most one answer of each realm');
    }
  }

  /** An answer of the kind, or null; everything else is that realm's fault. */
  take<F extends FieldSet>(kind: MessageKind<F>, answer: RealmAnswer): (Values<F> & { requestId: string }) | null {
    const requestId = requestIdOf(answer.request);
    const refused = refusal.read(answer.response);
    if (refused.ok) {
      const { reason, guessesLeft } = refused.value;
      this.fault(
        answer.index,
        refused.value.requestId === requestId ? sayable(reason) : VaultRejection.responseReplayed,
      );
      if (reason === VaultRejection.guessesExhausted || reason === VaultRejection.tagWrong) {
        this.tell(guessesLeft);
      }
      return null;
    }
    const read = kind.read(answer.response);
    if (!read.ok) {
      this.fault(answer.index, read.rejection);
      return null;
    }
    if (read.value.requestId !== requestId) {
      this.fault(answer.index, VaultRejection.responseReplayed);
      return null;
    }
    return read.value;
  }

  fault(index: number, reason: VaultRejection): void {
    this.#faults.set(index, { index, realm: this.#configuration.realmOf(index), reason });
  }

  tell(guessesLeft: number): void {
    this.#guessesLeft = Math.min(guessesLeft, this.#guessesLeft ?? guessesLeft);
  }

  passed(rejection: VaultRejection = VaultRejection.none): VaultStep {
    return { rejection, faults: this.#sorted(), guessesLeft: this.#guessesLeft };
  }

  /**
   * Too few realms did their part. Where all that failed did so for one reason it is the step's; else, in this order: the
   * first lie's, mixed versions, no guesses left, locked; and otherwise there are too few shares.
   */
  refused(): VaultStep {
    const faults = this.#sorted();
    const reasons = new Set(faults.map((fault) => fault.reason));
    const [only] = reasons;
    if (only !== undefined && reasons.size === 1) {
      return this.passed(only);
    }
    const telling = [VaultRejection.versionMixed, VaultRejection.guessesExhausted, VaultRejection.locked];
    return this.passed(
      faults.find((fault) => isLie(fault.reason))?.reason ??
        telling.find((reason) => reasons.has(reason)) ??
        VaultRejection.sharesTooFew,
    );
  }

  #sorted(): RealmFault[] {
    return [...this.#faults.values()].sort((a, b) => a.index - b.index);
  }
}

/** An honest realm knows nothing of what only a client can see; from a liar it counts as no answer. */
function sayable(reason: number): VaultRejection {
  return reason >= VaultRejection.wrongPin && reason < VaultRejection.notRegistered
    ? VaultRejection.wrongMessage
    : (reason as VaultRejection);
}
