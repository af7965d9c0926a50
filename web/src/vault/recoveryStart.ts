import { equalBytes, toHex } from '../protocol/bytes';
import type { RealmAnswer, VaultStep } from './answers';
import type { RealmConfiguration } from './configuration';
import { VaultContext } from './context';
import { recover1Response } from './messages/recover';
import { type PinHashParameters, readParameters } from './parameters';
import { VaultRejection } from './rejection';
import { AnswerTally } from './tally';

/** Which registration a recovery is of, and the realms that have it (their indices, ascending). */
export type RecoveryStart = { context: VaultContext; realms: number[] };

/**
 * Finds the registration that a threshold of realms is at, from their answers to recover1. No guess is counted yet.
 * `isElsewhere`: no threshold can be at one, since so many have one of another set of realms, as each says itself.
 * @throws RangeError for two answers of one realm, or one of none.
 */
export function chooseStart(
  account: string,
  configuration: RealmConfiguration,
  answers: readonly RealmAnswer[],
): { step: VaultStep; start: RecoveryStart | null; isElsewhere: boolean } {
  const tally = new AnswerTally(configuration, answers);
  const groups = new Map<string, { version: string; parameters: Uint8Array; indices: number[] }>();
  let told = 0;
  let elsewhere = 0;
  for (const answer of answers) {
    const response = tally.take(recover1Response, answer);
    if (!response) {
      continue;
    }
    tally.tell(response.guessesLeft);
    if (!equalBytes(response.configurationDigest, configuration.digest)) {
      tally.fault(answer.index, VaultRejection.realmsDisagree);
      elsewhere++;
      continue;
    }
    told++;
    const { version, parameters } = response;
    const name = `${version} ${toHex(parameters)}`;
    const group = groups.get(name) ?? { version, parameters, indices: [] };
    group.indices.push(answer.index);
    groups.set(name, group);
  }

  // More than half of the realms are a threshold, so at most one group is large enough.
  const quorum = [...groups.values()].find((group) => group.indices.length >= configuration.threshold);
  if (told >= configuration.threshold) {
    for (const group of groups.values()) {
      if (group !== quorum) {
        for (const index of group.indices) {
          tally.fault(index, VaultRejection.versionMixed);
        }
      }
    }
  }
  // What these have was registered with other realms than the ones named, and the rest are too few.
  const isElsewhere = configuration.realms.length - elsewhere < configuration.threshold;
  if (!quorum) {
    return { step: tally.refused(), start: null, isElsewhere };
  }
  // What was read as a message has parameters in bounds.
  const parameters = readParameters(quorum.parameters) as PinHashParameters;
  const context = new VaultContext(account, quorum.version, configuration.digest, parameters);
  return { step: tally.passed(), start: { context, realms: quorum.indices.sort((a, b) => a - b) }, isElsewhere };
}
