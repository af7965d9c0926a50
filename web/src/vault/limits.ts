/** The bounds of ChatPay.Core's `VaultLimits`, under the same names. */
export const VaultLimits = {
  /** Realms of one configuration. */
  realms: 16,
  /** Guesses before a realm destroys its record. */
  guesses: 10,
  rootSecretBytes: 32,
  /** Least memory of Argon2id in kibibytes. */
  memoryMinKib: 8,
  /** Most memory that a registration may ask a device for. */
  memoryMaxKib: 256 * 1024,
  passesMax: 10,
  pinMinDigits: 4,
  pinMaxDigits: 12,
  /** What people are offered to begin with. */
  pinSuggestedDigits: 6,
  /** UTF-16 units that are looked at at all. */
  pinTextMaxChars: 1024,
  passphraseMinChars: 10,
  passphraseMaxChars: 128,
} as const;
