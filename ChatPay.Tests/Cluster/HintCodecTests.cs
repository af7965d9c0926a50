using System.Buffers;
using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cluster;

public sealed class HintCodecTests
{
    private static readonly Guid s_node = Guid.Parse("0190a000-0000-7000-8000-00000000000b");
    private static readonly Guid s_id = Guid.Parse("0190a000-0000-7000-8000-000000000001");
    private static readonly byte[] s_json = [.. "{}"u8];

    private static readonly Hint[] s_all =
    [
        new EventHint(new(s_id), 7, true, s_json),
        new HeadHint(new(s_id), long.MaxValue),
        new SignalHint(new(s_id), null, PushKind.Receipts, s_json),
        new SignalHint(new(s_id), new AccountId(s_node), PushKind.Ephemeral, s_json),
        new DeviceHint(new(s_id), s_node, PushKind.DeviceMessages, s_json),
        new WalletHint(new(s_id), "EUR", 3, s_json),
        new AccountHint(new(s_id), PushKind.Keys, s_json),
        new JoinHint(new(s_id), [new(s_node), new(s_id)]),
        new SessionHint(new(s_id)),
        new PresenceHint(
            s_id,
            [
                new(new(s_node), true, null),
                new(new(s_id), false, new DateTimeOffset(2026, 11, 20, 10, 5, 0, TimeSpan.Zero)),
            ]),
        new VisibilityHint(new(s_id)),
        new PulseHint(),
    ];

    [Fact]
    public void What_is_written_is_read()
    {
        var hints = new List<Hint>();
        Assert.True(HintCodec.TryRead(Written(s_all), out var node, hints));
        Assert.Equal(s_node, node);
        Assert.Equivalent(s_all, hints, strict: true);
        Assert.Equal(s_all.Select(hint => hint.GetType()), hints.Select(hint => hint.GetType()));
    }

    [Fact]
    public void Every_kind_of_hint_is_among_them() => Assert.Equal(
        typeof(Hint).Assembly.GetTypes().Where(type => type.BaseType == typeof(Hint)).Select(type => type.Name)
            .Order(StringComparer.Ordinal),
        s_all.Select(hint => hint.GetType().Name).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void A_shortened_message_is_not_whole_and_throws_nothing()
    {
        var message = Written(s_all);
        var starts = Enumerable.Range(0, s_all.Length + 1).Select(count => Written(s_all[..count]).Length).ToHashSet();
        for (var bytes = 0; bytes < message.Length; bytes++)
        {
            Assert.Equal(starts.Contains(bytes), HintCodec.TryRead(message.AsSpan(0, bytes), out _, []));
        }
    }

    [Fact]
    public void Changed_bytes_throw_nothing()
    {
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var dice = new Dice(seed);
        var message = Written(s_all);
        for (var round = 0; round < 20_000; round++)
        {
            var changed = message.ToArray();
            for (var times = 0; times <= dice.Next(3); times++)
            {
                changed[dice.Next(changed.Length)] = (byte)dice.Next(256);
            }

            HintCodec.TryRead(changed, out _, []);
        }
    }

    private static byte[] Written(Hint[] hints)
    {
        var message = new ArrayBufferWriter<byte>();
        HintCodec.Begin(message, s_node);
        foreach (var hint in hints)
        {
            HintCodec.Append(message, hint);
        }

        return message.WrittenSpan.ToArray();
    }
}
