import { VaultRejection } from './rejection';

/** What came back from a realm; those that did not answer in time have none. */
export type RealmAnswer = {
  /** Which realm, 1 to n. */
  index: number;
  /** What was sent to it. */
  request: Uint8Array;
  /** Bytes of any length. */
  response: Uint8Array;
};

/** A realm that did not do its part, by name. */
export type RealmFault = { index: number; realm: string; reason: VaultRejection };

/** How a step ended: `none` if it goes on, although some realms may have failed. */
export type VaultStep = {
  rejection: VaultRejection;
  /** In the order of their indices; realms that did not answer are not named. */
  faults: RealmFault[];
  /** The fewest guesses that any realm told of; null where none did. */
  guessesLeft: number | null;
  /** No guess is left now, and nothing is destroyed yet: the last one may still turn out right. */
  isUsedUp?: boolean;
};

const lies: ReadonlySet<VaultRejection> = new Set([
  VaultRejection.responseReplayed,
  VaultRejection.shareSwapped,
  VaultRejection.certificateInvalid,
  VaultRejection.proofInvalid,
  VaultRejection.realmsDisagree,
  VaultRejection.shareForged,
  VaultRejection.pointIdentity,
  VaultRejection.pointInvalid,
  VaultRejection.scalarInvalid,
]);

/** Whether no honest realm gives such an answer: it lied, or somebody between it and the device did. */
export function isLie(reason: VaultRejection): boolean {
  return lies.has(reason);
}

export function isOk(step: VaultStep): boolean {
  return step.rejection === VaultRejection.none;
}
