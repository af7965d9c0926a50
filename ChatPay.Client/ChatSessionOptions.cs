using System.Security.Cryptography;

namespace ChatPay.Client;

/// <summary>
/// How a <see cref="ChatSession"/> keeps its connection. Every value has a bound that is checked at the start.
/// </summary>
public sealed record ChatSessionOptions
{
    private static readonly TimeSpan s_tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);

    /// <summary>
    /// Roots of the servers to choose among, at most 64; each attempt goes to another one than the last. Default: the
    /// client's own.
    /// </summary>
    public IReadOnlyList<Uri> Addresses { get; init; } = [];

    /// <summary>
    /// The longest wait before the first new attempt, doubled by each further one. 1 ms to 1 h; default 500 ms.
    /// </summary>
    public TimeSpan BaseDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// The longest wait before any attempt that the server named no delay for. BaseDelay to 1 h; default 30 s.
    /// </summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A connection that stood this long was a good one: the next loss begins with short delays. Up to 1 h; default
    /// 10 s.
    /// </summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// A call, and the opening of a connection, that takes longer means that the connection is dead; the call is made
    /// again on the next one. 1 ms to 1 h; default 30 s.
    /// </summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A server that says nothing for this long is gone; it pings every 15 s. 1 ms to 1 h; default 40 s.</summary>
    public TimeSpan ServerTimeout { get; init; } = TimeSpan.FromSeconds(40);

    /// <summary>
    /// How long running calls may still take when the server asks to go elsewhere. Up to 1 h; default 5 s.
    /// </summary>
    public TimeSpan FinishTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Calls made and waiting at once, 1 to 100,000; beyond it they are <c>overloaded</c>. Default 1,000.
    /// </summary>
    public int MaxCalls { get; init; } = 1000;

    /// <summary>
    /// Batches of pushes waiting for the handlers, 1 to 100,000; beyond it the log is read instead. Default 1,024.
    /// </summary>
    public int MaxPushes { get; init; } = 1024;

    /// <summary>Names of optional features that the handlers understand.</summary>
    public IReadOnlyList<string> Capabilities { get; init; } = [];

    /// <summary>The clock and its timers.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Numbers from 0 up to, and without, 1, evenly spread; called from several threads.</summary>
    public Func<double> Random { get; init; } = static () => RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue;

    /// <exception cref="ArgumentException">A value is out of its bounds.</exception>
    internal ChatSessionOptions Checked()
    {
        Require(Addresses is { Count: <= 64 }, nameof(Addresses));
        Require(BaseDelay >= s_tick && BaseDelay <= s_hour, nameof(BaseDelay));
        Require(MaxDelay >= BaseDelay && MaxDelay <= s_hour, nameof(MaxDelay));
        Require(StableAfter >= TimeSpan.Zero && StableAfter <= s_hour, nameof(StableAfter));
        Require(CallTimeout >= s_tick && CallTimeout <= s_hour, nameof(CallTimeout));
        Require(ServerTimeout >= s_tick && ServerTimeout <= s_hour, nameof(ServerTimeout));
        Require(FinishTimeout >= TimeSpan.Zero && FinishTimeout <= s_hour, nameof(FinishTimeout));
        Require(MaxCalls is >= 1 and <= 100_000, nameof(MaxCalls));
        Require(MaxPushes is >= 1 and <= 100_000, nameof(MaxPushes));
        return this;

        static void Require(bool holds, string name)
        {
            if (!holds)
            {
                throw new ArgumentException($"{nameof(ChatSessionOptions)}.{name} is out of its bounds.", name);
            }
        }
    }
}
