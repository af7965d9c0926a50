using System.Security.Cryptography;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Groups under hundreds of random operations: after each, all members see the same epoch. A failure names its seed;
/// the environment variable CHATPAY_SEED runs that one.
/// </summary>
public sealed class RandomGroupTests
{
    private const int Operations = 250;
    private const int KnownSeeds = 4;

    [Fact]
    public void Members_agree_after_every_random_operation()
    {
        var seeds = Environment.GetEnvironmentVariable("CHATPAY_SEED") is { Length: > 0 } text
            ? [ulong.Parse(text, null)]
            : Enumerable.Range(1, KnownSeeds).Select(static seed => (ulong)seed)
                .Append((ulong)RandomNumberGenerator.GetInt32(KnownSeeds + 1, int.MaxValue)).ToArray();
        foreach (var seed in seeds)
        {
            TestContext.Current.TestOutputHelper!.WriteLine($"CHATPAY_SEED={seed}");
            using var run = new RandomGroup(seed);
            try
            {
                for (var step = 0; step < Operations; step++)
                {
                    run.Step();
                }
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"CHATPAY_SEED={seed}, {run.Log}", failure);
            }

            run.AssertAllKindsHappened();
        }
    }
}
