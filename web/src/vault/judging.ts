import type { RealmAnswer, RealmFault, VaultStep } from './answers';
import type { RealmConfiguration } from './configuration';
import { type FieldSet, type MessageKind, type MessageOf, requestIdOf } from './messages/layout';
import { refusal } from './messages/refusal';
import { waitResponse } from './messages/wait';
import { type Outcome, refused, VaultRejection } from './rejection';

export type Judging<F extends FieldSet> = {
  take?: (response: MessageOf<MessageKind<F>>) => void;
  /** Refusals that are as good as the change. */
  isDone?: (rejection: VaultRejection) => boolean;
  needed?: number;
  /** Whether a realm that was restored from a backup takes part: it tells of its version all the same. */
  takesLocked?: boolean;
};

/** A step, with what was wrong in an earlier one with realms that went no further. */
export function withEarlier(step: VaultStep, { faults: earlier }: VaultStep): VaultStep {
  const others = earlier.filter(({ index }) => !step.faults.some((fault) => fault.index === index));
  return { ...step, faults: [...step.faults, ...others].sort((a, b) => a.index - b.index) };
}

/** Nobody can recover from a realm that has nothing, or that has destroyed what it had. */
export function isGone(rejection: VaultRejection): boolean {
  return rejection === VaultRejection.notRegistered || rejection === VaultRejection.guessesExhausted;
}

/** A change stands where a threshold of realms has done it. */
export function judge<F extends FieldSet>(
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
