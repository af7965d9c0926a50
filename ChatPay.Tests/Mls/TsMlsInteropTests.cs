using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.LoadTest.Baselines;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// This library and ts-mls, the web client's, in the same groups: whatever one does, the other follows. ts-mls runs under
/// Node; the seed is printed, and <c>CHATPAY_INTEROP_SEED</c> sets another one; <c>random</c> draws it.
/// </summary>
public sealed class TsMlsInteropTests(ITestOutputHelper output)
{
    private const string SeedVariable = "CHATPAY_INTEROP_SEED";

    /// <summary>The same walks each time, so that a failure is of the change at hand; others are for who asks for them.</summary>
    private const ulong UsualSeed = 20261129;

    /// <summary>A walk that comes by trees whose first half is empty, where ts-mls alone takes another commit secret.</summary>
    private const ulong HalfEmptySeed = 60360427;
    private const ushort Aes = 1;
    private const ushort ChaCha = 3;

    [Theory]
    [InlineData(Aes, false)]
    [InlineData(Aes, true)]
    [InlineData(ChaCha, false)]
    [InlineData(ChaCha, true)]
    public Task Both_do_and_follow_every_operation(ushort suite, bool tsFounds) => RunAsync(suite, async (group, _) =>
    {
        var founder = await group.NewPeerAsync(tsFounds);
        var other = await group.NewPeerAsync(!tsFounds);
        await group.CreateAsync(founder);
        await group.CommitAsync(founder, HandshakeFormat.Public, [await InteropGroup.AddOf(other)], [other]);
        await group.TalkAsync(group.Members, each: 8, lostPercent: 0);
        foreach (var format in new[] { HandshakeFormat.Public, HandshakeFormat.Private })
        {
            await DoEverythingAsync(group, founder, other, format);
            await DoEverythingAsync(group, other, founder, format);
        }
    });

    [Theory]
    [InlineData(Aes)]
    [InlineData(ChaCha)]
    public Task Messages_may_come_in_any_order_or_never(ushort suite) => RunAsync(suite, async (group, _) =>
    {
        await FoundAsync(group, 4);
        await group.TalkAsync(group.Members, each: 40, lostPercent: 30);
        await group.TalkAsync(group.Members, each: 40, lostPercent: 30);
    });

    /// <summary>
    /// RFC 9420 sections 12.4.1 and 12.4.2: the root is on nobody's filtered direct path then, and nor is the parent below it
    /// in the end, so the commit secret comes from further down.
    /// </summary>
    [Theory]
    [InlineData(Aes, HandshakeFormat.Public)]
    [InlineData(Aes, HandshakeFormat.Private)]
    [InlineData(ChaCha, HandshakeFormat.Public)]
    public Task Commits_are_followed_while_the_first_half_of_the_tree_is_empty(ushort suite, HandshakeFormat format) =>
        RunAsync(suite, async (group, _) =>
        {
            await FoundAsync(group, 8);
            IPeer[] all = [.. group.Members.OrderBy(group.LeafOf)];
            await group.CommitAsync(
                all[4], format, [.. all[..4].Select(peer => new RemoveChange(group.LeafOf(peer)))], []);
            foreach (var committer in all[4..])
            {
                await group.CommitAsync(committer, format, [], []);
            }

            await group.ProposeAsync(all[5], new UpdateChange(), format);
            await group.ProposeAsync(all[4], new UpdateChange(), format);
            await group.CommitAsync(all[7], format, [], []);
            await group.CommitAsync(
                all[7], format, [.. all[4..6].Select(peer => new RemoveChange(group.LeafOf(peer)))], []);
            await group.CommitAsync(all[6], format, [], []);
            await group.TalkAsync(group.Members, each: 3, lostPercent: 0);

            // They come in on the left, and the root has a key again.
            await group.JoinExternallyAsync(all[0], all[7]);
            await group.CommitAsync(all[7], format, [await InteropGroup.AddOf(all[1])], [all[1]]);
            await group.CommitAsync(all[6], format, [await InteropGroup.AddOf(all[2])], [all[2]]);
            await group.TalkAsync(group.Members, each: 3, lostPercent: 0);
        });

    /// <summary>The Remove of the only leaf leaves an empty tree, to which the same commit adds the leaf again.</summary>
    [Theory]
    [InlineData(Aes, false)]
    [InlineData(Aes, true)]
    [InlineData(ChaCha, false)]
    [InlineData(ChaCha, true)]
    public Task Who_is_alone_in_a_group_may_come_back_to_it(ushort suite, bool isTs) => RunAsync(suite, async (group, _) =>
    {
        var (alone, other) = (await group.NewPeerAsync(isTs), await group.NewPeerAsync(!isTs));
        await group.CreateAsync(alone);
        await group.JoinExternallyAsync(alone, alone);
        await group.CommitAsync(alone, HandshakeFormat.Public, [], []);
        await group.CommitAsync(alone, HandshakeFormat.Public, [await InteropGroup.AddOf(other)], [other]);
        await group.CommitAsync(other, HandshakeFormat.Private, [], []);
        await group.TalkAsync(group.Members, each: 3, lostPercent: 0);
    });

    [Theory]
    [InlineData(Aes, 300, 6, 6, UsualSeed)]
    [InlineData(Aes, 300, 6, 6, HalfEmptySeed)]
    [InlineData(ChaCha, 300, 6, 6, UsualSeed)]
    [InlineData(ChaCha, 300, 6, 6, HalfEmptySeed)]
    [InlineData(Aes, 200, 50, 3, UsualSeed)]
    public Task Any_sequence_of_operations_is_followed(
        ushort suite, int operations, int membersMax, int tsMax, ulong usualSeed) => RunAsync(
        suite,
        async (group, dice) =>
        {
            var walk = new InteropWalk(group, dice, new(operations, membersMax, tsMax));
            await walk.RunAsync();
            Assert.True(walk.Largest >= membersMax, $"There were {walk.Largest} members at most.");
            output.WriteLine($"{operations} operations, {group.Epoch} epochs, up to {walk.Largest} members");
        },
        usualSeed);

    /// <summary>One member does everything that changes the group; the other follows.</summary>
    private static async Task DoEverythingAsync(InteropGroup group, IPeer actor, IPeer other, HandshakeFormat format)
    {
        var id = RandomNumberGenerator.GetBytes(8);
        await InteropGroup.AddPskAsync(id, RandomNumberGenerator.GetBytes(32), group.Members);
        await group.CommitAsync(actor, format, [], []);
        await group.CommitAsync(actor, format, [new PskChange(id)], []);
        await group.CommitAsync(actor, format, [new ResumptionChange(group.CommonSince)], []);
        var (own, foreign) = (await group.NewPeerAsync(isTs: true), await group.NewPeerAsync(isTs: false));
        await group.CommitAsync(
            actor, format, [await InteropGroup.AddOf(own), await InteropGroup.AddOf(foreign)], [own, foreign]);
        await group.TalkAsync(group.Members, each: 3, lostPercent: 20);
        await group.ProposeAsync(other, new UpdateChange(), format);
        await group.ProposeAsync(other, new RemoveChange(group.LeafOf(own)), format);
        await group.CommitAsync(actor, format, [], []);
        await group.JoinExternallyAsync(own, actor);
        await group.JoinExternallyAsync(foreign, own);
        await group.JoinExternallyAsync(actor, foreign);
        await group.CommitAtOnceAsync(actor, other, format);
        await group.TalkAsync(group.Members, each: 3, lostPercent: 20);
        await group.CommitAsync(
            actor, format, [new RemoveChange(group.LeafOf(own)), new RemoveChange(group.LeafOf(foreign))], []);
        Assert.Equal([actor, other], group.Members.OrderBy(peer => peer != actor));
    }

    private static async Task FoundAsync(InteropGroup group, int members)
    {
        var founder = await group.NewPeerAsync(isTs: false);
        await group.CreateAsync(founder);
        while (group.Members.Count < members)
        {
            var joiner = await group.NewPeerAsync(isTs: group.Members.Count % 2 == 1);
            await group.CommitAsync(founder, HandshakeFormat.Public, [await InteropGroup.AddOf(joiner)], [joiner]);
        }
    }

    private async Task RunAsync(
        ushort suiteId, Func<InteropGroup, Dice, Task> test, ulong usualSeed = UsualSeed)
    {
        if (NodeDriver.Missing() is { } reason)
        {
            Assert.Skip(reason);
        }

        var seed = Environment.GetEnvironmentVariable(SeedVariable) switch
        {
            null or "" => usualSeed,
            "random" => (ulong)RandomNumberGenerator.GetInt32(int.MaxValue),
            var named => ulong.Parse(named, CultureInfo.InvariantCulture),
        };
        output.WriteLine($"{SeedVariable}={seed}");
        Assert.True(MlsCipherSuite.TryGet(suiteId, out var suite));
        var dice = new Dice(seed);
        await using var driver = NodeDriver.Start("driver");
        await using var group = new InteropGroup(driver, suite, dice, TestContext.Current.CancellationToken);
        try
        {
            await test(group, dice);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"{SeedVariable}={seed}: {failure.Message}", failure);
        }
    }
}
