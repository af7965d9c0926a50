/** Why a PIN or passphrase is not accepted: the numbers of ChatPay.Core's `PinRefusal`. */
export const PinRefusal = {
  none: 0,
  /** Nothing but spaces. */
  empty: 1,
  /** Fewer than four digits. */
  tooShort: 2,
  /** Longer than anything that is looked at. */
  tooLong: 3,
  /** Among the first that people choose. */
  common: 4,
  /** One digit, or one group of digits, again and again, or hardly two different ones. */
  repeated: 5,
  /** Digits that go up or down evenly. */
  sequential: 6,
  /** A day of the year, or a year of somebody's birth, in one of the ways that people write them. */
  birthdayLike: 7,
  /** Neither digits alone nor long enough for a passphrase. */
  passphraseTooShort: 8,
  passphraseTooLong: 9,
  /** Few common words, keys in a row, or repetition. */
  passphraseCommon: 10,
} as const;

export type PinRefusal = (typeof PinRefusal)[keyof typeof PinRefusal];
