using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.LoadTest.Baselines;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// A group whose members are of both implementations, and the delivery service between them. After every commit all of
/// them must agree on epoch, secrets and members.
/// </summary>
internal sealed class InteropGroup(NodeDriver driver, MlsCipherSuite suite, Dice dice, CancellationToken stop)
    : IAsyncDisposable
{
    private const int DataMaxBytes = 600;
    private const int AuthenticatedDataMaxBytes = 40;

    private readonly List<IPeer> _members = [];
    private readonly List<IPeer> _outside = [];
    private readonly Dictionary<IPeer, ulong> _joinedAt = [];
    private readonly Dictionary<IPeer, PeerView> _views = [];
    private int _names;

    public IReadOnlyList<IPeer> Members => _members;

    /// <summary>Who was a member and may come back.</summary>
    public IReadOnlyList<IPeer> Outside => _outside;

    public ulong Epoch { get; private set; }

    /// <summary>The earliest epoch that every member has seen.</summary>
    public ulong CommonSince => _members.Max(member => _joinedAt[member]);

    public uint LeafOf(IPeer member) => _views[member].OwnLeaf;

    public async Task<IPeer> NewPeerAsync(bool isTs)
    {
        // An account and a device, which the web client's check of trees wants to see.
        var identity = RandomNumberGenerator.GetBytes(32);
        var name = $"{(isTs ? "ts" : "net")}{++_names}";
        return isTs
            ? await TsPeer.CreateAsync(driver, name, suite, identity, stop) : new DotNetPeer(name, suite, identity);
    }

    public async Task CreateAsync(IPeer founder)
    {
        await founder.CreateAsync(RandomNumberGenerator.GetBytes(16));
        Enter(founder);
        await AgreeAsync();
    }

    public static async Task<AddChange> AddOf(IPeer joiner) => new(await joiner.KeyPackageAsync());

    /// <summary>A commit that everybody follows, and by which the joiners come in.</summary>
    public async Task CommitAsync(
        IPeer committer, HandshakeFormat format, IReadOnlyList<Change> changes, IReadOnlyList<IPeer> joiners)
    {
        var authenticatedData = Bytes(AuthenticatedDataMaxBytes);
        var made = await committer.CommitAsync(changes, format, authenticatedData);
        MayRestart(committer);
        await FollowAsync(committer, made.Message, authenticatedData);
        await committer.AcceptAsync();
        await ComeInAsync(made.Welcome, joiners);
    }

    /// <summary>Two commits at once: the first wins, and whoever made the other takes it back and follows.</summary>
    public async Task CommitAtOnceAsync(IPeer winner, IPeer loser, HandshakeFormat format)
    {
        var authenticatedData = Bytes(AuthenticatedDataMaxBytes);
        var made = await winner.CommitAsync([], format, authenticatedData);
        var lost = await loser.CommitAsync([], format, []);
        await loser.DropAsync();
        await FollowAsync(winner, made.Message, authenticatedData);
        await winner.AcceptAsync();
        await ComeInAsync(null, []);
        await RefuseAsync(dice.Pick(Others(loser)), lost.Message);
    }

    /// <summary>A proposal that everybody sees.</summary>
    public async Task ProposeAsync(IPeer proposer, Change change, HandshakeFormat format)
    {
        var authenticatedData = Bytes(AuthenticatedDataMaxBytes);
        var message = await proposer.ProposeAsync(change, format, authenticatedData);
        foreach (var member in Others(proposer))
        {
            var received = await member.ProcessAsync(message);
            Assert.Equal(ContentType.Proposal, received.Kind);
            Assert.Equal(authenticatedData, received.AuthenticatedData);
        }

        MayRestart(dice.Pick(_members));
    }

    /// <summary>Somebody comes in, or back, without having been asked.</summary>
    public async Task JoinExternallyAsync(IPeer joiner, IPeer helper)
    {
        var authenticatedData = Bytes(AuthenticatedDataMaxBytes);
        var message = await joiner.JoinExternallyAsync(await helper.GroupInfoAsync(), authenticatedData);
        await FollowAsync(joiner, message, authenticatedData);
        await joiner.AcceptAsync();
        if (!_members.Contains(joiner))
        {
            Enter(joiner);
        }

        _joinedAt[joiner] = Epoch + 1;
        await ComeInAsync(null, []);
    }

    /// <summary>
    /// Everybody says something; what each hears comes in another order, and some of it never. A replay and a forgery are
    /// refused, and the true message is still read after the forged one.
    /// </summary>
    public async Task TalkAsync(IReadOnlyList<IPeer> senders, int each, int lostPercent)
    {
        var sent = new List<(IPeer Sender, byte[] Message, byte[] Data, byte[] AuthenticatedData)>();
        foreach (var sender in senders)
        {
            for (var i = 0; i < each; i++)
            {
                var (data, authenticatedData) = (Bytes(DataMaxBytes), Bytes(AuthenticatedDataMaxBytes));
                sent.Add((sender, await sender.EncryptAsync(data, authenticatedData), data, authenticatedData));
            }
        }

        foreach (var member in _members)
        {
            foreach (var (sender, message, data, authenticatedData) in Shuffle(sent))
            {
                if (sender == member || dice.Chance(lostPercent))
                {
                    continue;
                }

                if (dice.Chance(5))
                {
                    await RefuseAsync(member, Forge(message));
                }

                var received = await member.ProcessAsync(message);
                Assert.Equal(ContentType.Application, received.Kind);
                Assert.Equal(LeafOf(sender), received.Sender);
                Assert.Equal(data, received.Data);
                Assert.Equal(authenticatedData, received.AuthenticatedData);
                if (dice.Chance(5))
                {
                    MayRestart(member);
                    await RefuseAsync(member, message);
                }
            }
        }
    }

    public static async Task AddPskAsync(byte[] id, byte[] secret, IEnumerable<IPeer> peers)
    {
        foreach (var peer in peers)
        {
            await peer.AddPskAsync(id, secret);
        }
    }

    public IPeer[] Others(params IReadOnlyList<IPeer> than) => [.. _members.Except(than)];

    public byte[] Bytes(int max)
    {
        var bytes = new byte[dice.Next(max + 1)];
        RandomNumberGenerator.Fill(bytes);
        return bytes;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var peer in _members.Concat(_outside))
        {
            await peer.DisposeAsync();
        }
    }

    private static async Task RefuseAsync(IPeer member, byte[] message) =>
        await Assert.ThrowsAsync<PeerException>(() => member.ProcessAsync(message));

    private async Task FollowAsync(IPeer committer, byte[] message, byte[] authenticatedData)
    {
        var others = Others(committer);
        foreach (var member in others)
        {
            var received = await member.ProcessAsync(message);
            Assert.Equal(ContentType.Commit, received.Kind);
            Assert.Equal(authenticatedData, received.AuthenticatedData);
        }

        if (others.Length > 0)
        {
            // In the next epoch it is nothing but a replay.
            await RefuseAsync(dice.Pick(others), message);
        }
    }

    private async Task ComeInAsync(byte[]? welcome, IReadOnlyList<IPeer> joiners)
    {
        Assert.Equal(joiners.Count > 0, welcome is not null);
        Epoch++;
        foreach (var joiner in joiners)
        {
            await joiner.JoinAsync(welcome!);
            Enter(joiner);
        }

        await AgreeAsync();
    }

    private void Enter(IPeer peer)
    {
        _outside.Remove(peer);
        _members.Add(peer);
        _joinedAt[peer] = Epoch;
    }

    private async Task AgreeAsync()
    {
        foreach (var member in _members.ToArray())
        {
            var view = await member.DescribeAsync();
            if (!view.IsActive)
            {
                _members.Remove(member);
                _outside.Add(member);
                _views.Remove(member);
                continue;
            }

            _views[member] = view;
        }

        var leaves = _views.Values.Select(static view => view.OwnLeaf).Order();
        var first = _views[_members[0]];
        Assert.Equal(Epoch, first.Epoch);
        Assert.Equal(leaves, first.Leaves.Select(static leaf => leaf.Item1));
        foreach (var view in _members.Select(member => _views[member]))
        {
            Assert.Equal(
                (first.Epoch, first.Authenticator, first.Exported), (view.Epoch, view.Authenticator, view.Exported));
            Assert.Equal(first.Leaves, view.Leaves);
        }
    }

    private void MayRestart(IPeer peer)
    {
        if (peer is DotNetPeer own && dice.Chance(20))
        {
            own.Restart();
        }
    }

    private byte[] Forge(byte[] message)
    {
        var forged = message.ToArray();
        forged[dice.Next(forged.Length)] ^= (byte)(1 << dice.Next(8));
        return forged;
    }

    private T[] Shuffle<T>(IEnumerable<T> items)
    {
        T[] shuffled = [.. items];
        for (var i = shuffled.Length - 1; i > 0; i--)
        {
            var j = dice.Next(i + 1);
            (shuffled[i], shuffled[j]) = (shuffled[j], shuffled[i]);
        }

        return shuffled;
    }
}
