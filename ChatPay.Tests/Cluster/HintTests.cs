using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using StackExchange.Redis;
using Xunit;

namespace ChatPay.Tests.Cluster;

/// <summary>Hints as nobody should send them: twice, out of order, wrong, or from the future.</summary>
public sealed class HintTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>
{
    private static readonly Guid s_node = Guid.Parse("0190a000-0000-7000-8000-00000000000a");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Doubled_and_reordered_hints_show_each_event_once_and_in_order()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var silent = await TestServer.StartAsync(database.ConnectionString);
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        using var voice = await Voice.OpenAsync(redis);
        await using var ada = await Person.JoinAsync(silent.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.GroupAsync(ada);
        var added = await group.CommitAsync(ada, adds: [ben]);
        await voice.SayAsync("cp:chatpay:n", new JoinHint(group.Id, [ben.Id]));
        await ben.Heads.FirstAsync(view => view.Id == group.Id);
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var dice = new Dice(seed);
        for (var round = 0; round < 5; round++)
        {
            for (var i = 0; i < 10; i++)
            {
                await group.SendAsync(ada);
            }

            var log = await ada.Client.EventsAsync(group.Id, added.Seq, null, null, Cancellation);
            var hints = log.Concat(log).Select(HintOf).OrderBy(_ => dice.Next(1000)).ToArray();
            await voice.SayAsync($"cp:chatpay:c:{group.Id.Value:N}", hints);
        }

        var events = await ben.Events.UntilAsync(events => events.Count >= 51);
        Assert.Equal(Enumerable.Range((int)added.Seq, 51).Select(seq => (long)seq), events.Select(e => e.Seq));
    }

    [Fact]
    public async Task What_nobody_understands_is_passed_over()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var silent = await TestServer.StartAsync(database.ConnectionString);
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        using var voice = await Voice.OpenAsync(redis);
        await using var ada = await Person.JoinAsync(silent.Address);
        await using var ben = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await voice.SayAsync("cp:chatpay:n", new JoinHint(group.Id, [ben.Id]));
        await ben.Events.FirstAsync(e => e.Seq == 1);
        var channel = $"cp:chatpay:c:{group.Id.Value:N}";
        byte[][] nonsense =
        [
            [], [1], [2, .. new byte[40]], [1, .. s_node.ToByteArray(), 99, 0, 0, 0, 1, 7],
            [1, .. s_node.ToByteArray(), 1, 0x7f, 0xff, 0xff, 0xff, 7], [1, .. s_node.ToByteArray(), 1, 0xff, 0xff, 0xff, 0xff],
        ];
        foreach (var message in nonsense)
        {
            await voice.SayAsync(channel, message);
        }

        // An event that says who comes and goes but cannot be read, and the node goes on.
        await voice.SayAsync(channel, new EventHint(group.Id, 2, true, "nonsense"u8.ToArray()));
        var sent = await group.SendAsync(ada);
        await voice.SayAsync(channel, new HeadHint(group.Id, sent.Seq));
        await ben.Events.FirstAsync(e => e.Seq == sent.Seq);
        Assert.Equal([1L, 2L], ben.Events.Items.Select(e => e.Seq));
    }

    [Fact]
    public async Task A_hint_alone_makes_nobody_a_member_and_a_late_wallet_never_hides_a_newer_one()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = await TwoNodes.OverRedisAsync(database.ConnectionString, redis);
        using var voice = await Voice.OpenAsync(redis);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var eve = await Person.JoinAsync(nodes.B.Address);
        var group = await TestGroup.GroupAsync(ada);
        await voice.SayAsync("cp:chatpay:n", new JoinHint(group.Id, [eve.Id]));
        await group.SendAsync(ada);

        await voice.SayAsync("cp:chatpay:n", Wallet(eve, 7, 700), Wallet(eve, 6, 600), Wallet(eve, 7, 700), Wallet(eve, 8, 800));
        await eve.Wallet.FirstAsync(balance => balance.BalanceMinor == 800);
        Assert.Equal([700L, 800L], eve.Wallet.Items.Select(balance => balance.BalanceMinor).Where(minor => minor < 1000));
        Assert.Empty(eve.Events.Items);
        Assert.Empty(eve.Heads.Items);
    }

    private static WalletHint Wallet(Person owner, long version, long minor) => new(
        owner.Id, "EUR", version, JsonSerializer.SerializeToUtf8Bytes(new WalletBalance("EUR", 2, minor, 0), Push.Json));

    private static Hint HintOf(Event logged) => new EventHint(
        logged.Conversation, logged.Seq, logged.Members is not null, JsonSerializer.SerializeToUtf8Bytes(logged, Push.Json));

    /// <summary>Somebody who publishes as a node does.</summary>
    private sealed class Voice(ConnectionMultiplexer redis) : IDisposable
    {
        public static async Task<Voice> OpenAsync(RedisProcess redis) =>
            new(await ConnectionMultiplexer.ConnectAsync(redis.Address));

        public Task<long> SayAsync(string channel, params Hint[] hints)
        {
            var message = new ArrayBufferWriter<byte>();
            HintCodec.Begin(message, s_node);
            foreach (var hint in hints)
            {
                HintCodec.Append(message, hint);
            }

            return SayAsync(channel, message.WrittenSpan.ToArray());
        }

        public Task<long> SayAsync(string channel, byte[] message) => redis.GetSubscriber().PublishAsync(
            new RedisChannel(channel, RedisChannel.PatternMode.Literal), message);

        public void Dispose() => redis.Dispose();
    }
}
