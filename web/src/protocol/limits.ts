/** The bounds of `ChatPay.Core/Protocol/Limits.cs` that this client needs, under the same names. */
export const Limits = {
  protocolVersion: 1,
  messageBodyBytes: 64 * 1024,
  hubHandshakeBytes: 64 * 1024,
  keyPackagesPerUpload: 100,
  keyPackagesLowStock: 20,
  membersPerGroup: 500,
  accountsPerClaim: 100,
  cursorsPerHello: 1_000,
  conversationsPerSync: 100,
  eventsPerSyncPage: 200,
  statementPageEntries: 100,
  amountMaxMinor: 1_000_000_000_000_000n,
  cardLifetimeDefaultSeconds: 24 * 3600,
  textMaxChars: 8000,
  groupNameMaxChars: 64,
  memoMaxChars: 280,
} as const;
