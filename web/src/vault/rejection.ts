/**
 * Why a step of the vault does not go on: the numbers of ChatPay.Core's `VaultRejection`, which are sent and never
 * reused. Hostile input yields one of these, never an exception.
 */
export const VaultRejection = {
  none: 0,

  lengthWrong: 1,
  unknownVersion: 2,
  wrongMessage: 3,

  pointIdentity: 10,
  pointInvalid: 11,
  scalarInvalid: 12,
  parametersInvalid: 13,
  guessesInvalid: 14,
  keyInvalid: 15,

  sharesTooFew: 20,
  indexInvalid: 21,
  indexDuplicate: 22,

  /** The PIN is another one: enough realms answered truly, and what came out does not unlock. */
  wrongPin: 30,
  /** The answer is not one to this request. */
  responseReplayed: 31,
  /** Realms are at different registrations and too few are at any one; or an answer is of another one. */
  versionMixed: 32,
  /** The realm showed the share of another realm or another place. */
  shareSwapped: 33,
  certificateInvalid: 34,
  /** The proof does not show that the certified share was used: the realm lied. */
  proofInvalid: 35,
  /** The certificate's signer or its commitment is not that of the others or of the key log: the realm lied. */
  realmsDisagree: 36,
  /** The released share or secret is not what was registered: the realm lied. */
  shareForged: 37,
  /** The secret does not open although every share is right: the registration itself was broken. */
  rootUnreadable: 38,

  notRegistered: 50,
  /** No guesses are left; the record is destroyed. */
  guessesExhausted: 51,
  /** The realm's data were restored from a backup; a signed-in device has to register anew. */
  locked: 52,
  /** The record is of another registration than the request. */
  versionOther: 53,
  tagWrong: 54,
  signatureInvalid: 55,
  addresseeOther: 56,
  attemptUnknown: 57,
  /** The statement was signed at another count of attempts; it may be an old one. */
  counterStale: 58,
  /** The record names another identity key than the one in force. */
  identityOther: 59,
  /** Without the identity key this takes a wait, which is under way. */
  waitPending: 60,
  waitUnknown: 61,

  recordUnreadable: 70,
} as const;

export type VaultRejection = (typeof VaultRejection)[keyof typeof VaultRejection];

const known: ReadonlySet<number> = new Set(Object.values(VaultRejection));

export function isVaultRejection(number: number): number is VaultRejection {
  return known.has(number);
}

/** What was read, or why it was not. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; rejection: VaultRejection };

export function accepted<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function refused(rejection: VaultRejection): { ok: false; rejection: VaultRejection } {
  return { ok: false, rejection };
}
