namespace ChatPay.LoadTest.Faults;

/// <summary>What can go wrong.</summary>
internal enum FaultKind
{
    RedisAbsentAtStart = 1,
    RedisKill = 2,
    RedisPause = 3,
    RedisRestart = 4,
    NodeKill = 5,
    NodeKillUnacknowledged = 6,
    NodeKillInCardAction = 7,
    NodePause = 8,
    NodeDrain = 9,
    AnswersCut = 10,
    PostgresRestart = 11,
    PostgresImmediateStop = 12,
    PostgresPoolExhausted = 13,
    PostgresFailOver = 14,
    NeverReading = 15,
    ReconnectStorm = 16,
    HintsDoubled = 17,
    OldClient = 18,
}

/// <summary>The kinds by the names that the command line and the report have for them.</summary>
internal static class FaultKinds
{
    public static IReadOnlyList<FaultKind> All { get; } = Enum.GetValues<FaultKind>();

    /// <summary>Such as redis-absent-at-start.</summary>
    public static string NameOf(FaultKind kind) => string.Concat(
        kind.ToString().Select((letter, at) => char.IsUpper(letter) && at > 0
            ? "-" + char.ToLowerInvariant(letter) : char.ToLowerInvariant(letter).ToString()));

    public static FaultKind? Parse(string name) =>
        All.Cast<FaultKind?>().FirstOrDefault(kind => NameOf(kind!.Value) == name);
}
