/** The bounds of ChatPay.Core's `LogLimits`, under the same names. */
export const LogLimits = {
  /** Hashes of the longest proof: a consistency proof has one more than the tallest tree has levels. */
  proofHashes: 64,
  noteBytes: 256 * 1024,
  noteSignatures: 32,
  keyNameMaxChars: 256,
  /** Entries of one account's chain: a device a day for ten years. */
  chainEntries: 8192,
} as const;
