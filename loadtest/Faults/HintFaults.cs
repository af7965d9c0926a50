using System.Collections.Concurrent;
using System.Security.Cryptography;
using StackExchange.Redis;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// A third party on Redis that says again what the nodes have said, twice and in another order, and nonsense in between:
/// hints may do no harm.
/// </summary>
internal static class HintFaults
{
    private const int Rounds = 4;
    private const int HintsMax = 2_000;
    private const int NonsenseBytes = 64;
    private static readonly TimeSpan s_listen = TimeSpan.FromMilliseconds(700);

    public static async Task DoubleAsync(FaultRun run, CancellationToken cancellationToken)
    {
        var configuration = ConfigurationOptions.Parse(run.Bench.Redis.Address);
        configuration.AbortOnConnectFail = false;
        using var redis = await ConnectionMultiplexer.ConnectAsync(configuration);
        var subscriber = redis.GetSubscriber();
        var all = new RedisChannel($"cp:{run.Bench.Prefix}:*", RedisChannel.PatternMode.Pattern);
        var said = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var heard = new ConcurrentQueue<(RedisChannel Channel, RedisValue Value)>();
            await subscriber.SubscribeAsync(all, (channel, value) => heard.Enqueue((channel, value)));
            await Task.Delay(s_listen, cancellationToken);

            // What it says itself is not to be said again.
            await subscriber.UnsubscribeAsync(all);
            var hints = heard.Take(HintsMax).ToArray();
            said += hints.Length;
            var again = hints.Concat(hints).Concat(hints.Select(hint => hint with { Value = Spoil(hint.Value) })).ToArray();
            for (var at = again.Length - 1; at > 0; at--)
            {
                var with = run.Bench.Below(at + 1);
                (again[at], again[with]) = (again[with], again[at]);
            }

            await Task.WhenAll(again.Select(hint => subscriber.PublishAsync(hint.Channel, hint.Value)));
        }

        if (said == 0)
        {
            run.Bench.Book.Violate(Rules.FaultsEffective, "no hint was heard that could be said again");
        }
    }

    /// <summary>Half of it right, the rest noise.</summary>
    private static RedisValue Spoil(RedisValue value)
    {
        var bytes = (byte[])value!;
        return bytes.AsSpan(0, bytes.Length / 2).ToArray().Concat(RandomNumberGenerator.GetBytes(NonsenseBytes)).ToArray();
    }
}
