import { noVersion } from '../context';
import { VaultLimits } from '../limits';
import { readParameters } from '../parameters';
import { VaultRejection } from '../rejection';

/** The bounds of fields that several messages have, each with its reason. */

export function judgeVersion(version: string): VaultRejection {
  return version === noVersion ? VaultRejection.versionOther : VaultRejection.none;
}

export function judgeParameters(parameters: Uint8Array): VaultRejection {
  return readParameters(parameters) ? VaultRejection.none : VaultRejection.parametersInvalid;
}

export function judgeIndex(index: number): VaultRejection {
  return index === 0 || index > VaultLimits.realms ? VaultRejection.indexInvalid : VaultRejection.none;
}

export function judgeGuessesLeft(guesses: number): VaultRejection {
  return guesses > VaultLimits.guesses ? VaultRejection.guessesInvalid : VaultRejection.none;
}

/** A registration with no guess at all would be destroyed by the first. */
export function judgeMaxGuesses(guesses: number): VaultRejection {
  return guesses === 0 ? VaultRejection.guessesInvalid : judgeGuessesLeft(guesses);
}
