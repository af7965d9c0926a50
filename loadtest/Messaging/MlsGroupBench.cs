using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.LoadTest.Baselines;

namespace ChatPay.LoadTest.Messaging;

/// <summary>
/// One group with a member on each engine, and everything that is measured in it. Each engine opens what the other made.
/// </summary>
internal sealed class MlsGroupBench : IDisposable
{
    /// <summary>Application messages that are opened in a row.</summary>
    public const int Messages = 200;

    /// <summary>As many as a card's: a tag, a message id, a card id and a commitment.</summary>
    private const int AuthenticatedDataBytes = 65;

    /// <summary>Members that come by one commit while the group is made; one of them goes on.</summary>
    private const int BatchMembers = 4;

    /// <summary>
    /// Commits in a row, of which the first is not measured: it makes the tree's hashes, which a group has that was not read
    /// from storage a moment ago.
    /// </summary>
    private const int Chain = 4;

    private readonly NodeDriver _driver;
    private readonly MlsPerson _person;
    private readonly MlsPerson _joiner = new();
    private readonly MlsPerson _added = new();
    private readonly StorageKey _key = StorageKey.Import(RandomNumberGenerator.GetBytes(StorageKey.SizeBytes));
    private readonly byte[] _authenticatedData = RandomNumberGenerator.GetBytes(AuthenticatedDataBytes);
    private readonly byte[] _data;
    private Group _group;
    private byte[] _epoch = [];
    private byte[] _ratchets = [];
    private byte[][] _tsMessages = [];
    private byte[][] _messages = [];
    private byte[][] _tsChain = [];
    private byte[][] _chain = [];
    private byte[] _tsChainEnd = [];
    private byte[] _chainEnd = [];
    private byte[] _welcome = [];
    private byte[] _tsWelcome = [];
    private byte[] _welcomeEnd = [];
    private byte[] _tsWelcomeEnd = [];

    private MlsGroupBench(NodeDriver driver, int members, int payloadBytes, MlsPerson person, Group group)
    {
        _driver = driver;
        _person = person;
        _group = group;
        _data = RandomNumberGenerator.GetBytes(payloadBytes);
        Members = members;
    }

    public static MlsCipherSuite Suite => MlsCipherSuite.X25519Aes128Gcm;

    public int Members { get; }

    /// <summary>Bytes of the state at rest: this library's two blobs, and ts-mls's one.</summary>
    public (long Own, long TsMls) StateBytes { get; private set; }

    public bool PlaintextsAreEqual { get; private set; } = true;

    public bool MembersAgree { get; private set; } = true;

    /// <summary>Whether both engines' messages for the same content are equally long, and so padded alike.</summary>
    public bool LengthsAreEqual => _messages[0].Length == _tsMessages[0].Length;

    private string Me => $"member{Members}";

    private string Joiner => $"joiner{Members}";

    /// <summary>
    /// Makes a group of so many: a member adds a few, one of them joins and adds the next few, so that a quarter of the
    /// members have committed, and most nodes of the tree are not blank.
    /// </summary>
    public static async Task<MlsGroupBench> BuildAsync(
        NodeDriver driver, int members, int payloadBytes, CancellationToken cancellationToken)
    {
        var person = new MlsPerson();
        var group = Group.Create(Suite, RandomNumberGenerator.GetBytes(16), person.Member, MlsPerson.Services);

        // The last place is for the member on ts-mls.
        while (group.MemberCount < members - 1)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(BatchMembers, members - 1 - group.MemberCount);
            MlsPerson[] batch = [.. Enumerable.Range(0, count).Select(static _ => new MlsPerson())];
            using var pending = group.Commit(
                AddOf(batch.Select(static joiner => joiner.Bundle.KeyPackage), withPath: true));
            var next = batch[^1];
            var joined = next.Join(pending.Welcome!);
            group.Dispose();
            person.Dispose();
            Array.ForEach(batch[..^1], static other => other.Dispose());
            (person, group) = (next, joined);
        }

        var bench = new MlsGroupBench(driver, members, payloadBytes, person, group);
        await bench.PrepareAsync(cancellationToken);
        return bench;
    }

    public Task<Pace> EncryptAsync(bool onTs, TimeSpan window, CancellationToken stop)
    {
        if (onTs)
        {
            return AskPaceAsync(
                new
                {
                    op = "measureEncrypt",
                    name = Me,
                    data = _data,
                    authenticatedData = _authenticatedData,
                    window = Ms(window),
                },
                stop);
        }

        Restore();
        return Task.FromResult(Pace.Measure(window, 1, () => _group.Encrypt(_data, _authenticatedData)));
    }

    public async Task<Pace> DecryptAsync(bool onTs, TimeSpan window, CancellationToken stop)
    {
        if (onTs)
        {
            var answer = await _driver.AskAsync(
                new { op = "measureDecrypt", name = Me, messages = _messages, data = _data, window = Ms(window) }, stop);
            PlaintextsAreEqual &= answer.GetProperty("equal").GetBoolean();
            return PaceOf(answer);
        }

        return Pace.Measure(window, _tsMessages.Length, Read, Restore);

        void Read()
        {
            foreach (var message in _tsMessages)
            {
                PlaintextsAreEqual &= _group.TryProcess(message, out var processed, out _)
                    && processed is ProcessedApplication application && application.Data.AsSpan().SequenceEqual(_data);
            }
        }
    }

    /// <summary>A commit that adds one member without a path, with its Welcome; or one that only refreshes keys.</summary>
    public async Task<Pace> CommitAsync(bool onTs, bool adds, TimeSpan window, CancellationToken stop)
    {
        if (onTs)
        {
            var keyPackage = adds ? _added.Bundle.Message : null;
            return await AskPaceAsync(
                new { op = "measureCommit", name = Me, keyPackage, window = Ms(window) }, stop);
        }

        Restore();
        Warm();
        var request = adds ? AddOf([_added.Bundle.KeyPackage], withPath: false) : new MlsCommitRequest();
        return Pace.Measure(window, 1, () => _group.Commit(request).Dispose());
    }

    public async Task<Pace> ProcessAsync(bool onTs, TimeSpan window, CancellationToken stop)
    {
        if (onTs)
        {
            var answer = await _driver.AskAsync(
                new { op = "measureProcess", name = Me, messages = _chain, window = Ms(window) }, stop);
            MembersAgree &= AuthenticatorOf(answer).AsSpan().SequenceEqual(_chainEnd);
            return PaceOf(answer);
        }

        var pace = Pace.Measure(
            window, Chain - 1, () => Follow(_tsChain[1..]),
            () =>
            {
                Restore();
                Follow(_tsChain[..1]);
            });
        MembersAgree &= _group.EpochAuthenticator.AsSpan().SequenceEqual(_tsChainEnd);
        return pace;
    }

    public async Task<Pace> JoinAsync(bool onTs, TimeSpan window, CancellationToken stop)
    {
        if (onTs)
        {
            var answer = await _driver.AskAsync(
                new { op = "measureJoin", name = Joiner, welcome = _welcome, window = Ms(window) }, stop);
            MembersAgree &= AuthenticatorOf(answer).AsSpan().SequenceEqual(_welcomeEnd);
            return PaceOf(answer);
        }

        return Pace.Measure(window, 1, () =>
        {
            using var joined = _joiner.Join(_tsWelcome);
            MembersAgree &= joined.EpochAuthenticator.AsSpan().SequenceEqual(_tsWelcomeEnd);
        });
    }

    public void Dispose()
    {
        _group.Dispose();
        _person.Dispose();
        _joiner.Dispose();
        _added.Dispose();
        _key.Dispose();
    }

    private static MlsCommitRequest AddOf(IEnumerable<KeyPackage> keyPackages, bool withPath) => new()
    {
        Proposals = [.. keyPackages.Select(static keyPackage => new AddProposal { KeyPackage = keyPackage })],
        ForcePath = withPath,
    };

    private static double Ms(TimeSpan window) => window.TotalMilliseconds;

    private static KeyPackage KeyPackageOf(byte[] message) =>
        TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out _) && decoded.KeyPackage is { } keyPackage
            ? keyPackage : throw new InvalidOperationException("Not a key package.");

    private static byte[] AuthenticatorOf(JsonElement answer) => NodeDriver.BytesOf(answer.GetProperty("authenticator"));

    private static Pace PaceOf(JsonElement answer) => new(
        answer.GetProperty("count").GetInt32(), TimeSpan.FromMilliseconds(answer.GetProperty("elapsedMs").GetDouble()));

    private async Task<Pace> AskPaceAsync(object request, CancellationToken stop) =>
        PaceOf(await _driver.AskAsync(request, stop));

    /// <summary>Brings the member on ts-mls in and makes everything that is opened later.</summary>
    private async Task PrepareAsync(CancellationToken stop)
    {
        var keyPackage = await AskKeyPackageAsync(Me, stop);
        using (var pending = _group.Commit(AddOf([KeyPackageOf(keyPackage)], withPath: true)))
        {
            await _driver.AskAsync(new { op = "join", name = Me, welcome = pending.Welcome }, stop);
            _group.Apply(pending);
        }

        // Both have committed then, and know the keys above them.
        Follow([await AskBytesAsync(new { op = "update", name = Me }, stop)]);
        using (var pending = _group.Commit())
        {
            await _driver.AskAsync(new { op = "process", name = Me, message = pending.Message }, stop);
            _group.Apply(pending);
        }

        _epoch = _group.SaveEpoch(_key, MlsPerson.Services.Random);
        _ratchets = _group.SaveRatchets(_key, MlsPerson.Services.Random);
        var view = await _driver.AskAsync(new { op = "describe", name = Me }, stop);
        MembersAgree &= AuthenticatorOf(view).AsSpan().SequenceEqual(_group.EpochAuthenticator);
        StateBytes = (_epoch.Length + _ratchets.Length, view.GetProperty("stateBytes").GetInt64());
        await PrepareMessagesAsync(stop);
        await PrepareWelcomesAsync(stop);
        await PrepareChainsAsync(stop);
    }

    private async Task PrepareMessagesAsync(CancellationToken stop)
    {
        _messages = [.. Enumerable.Range(0, Messages).Select(_ => _group.Encrypt(_data, _authenticatedData))];
        var made = await _driver.AskAsync(
            new { op = "messages", name = Me, data = _data, authenticatedData = _authenticatedData, count = Messages },
            stop);
        _tsMessages = [.. made.EnumerateArray().Select(NodeDriver.BytesOf)];
    }

    /// <summary>A Welcome of each engine, for a joiner on the other.</summary>
    private async Task PrepareWelcomesAsync(CancellationToken stop)
    {
        var keyPackage = await AskKeyPackageAsync(Joiner, stop);
        Restore();
        using (var pending = _group.Commit(AddOf([KeyPackageOf(keyPackage)], withPath: false)))
        {
            _welcome = pending.Welcome!;
            _group.Apply(pending);
            _welcomeEnd = _group.EpochAuthenticator;
        }

        var made = await _driver.AskAsync(
            new { op = "measureCommit", name = Me, keyPackage = _joiner.Bundle.Message, window = 0 }, stop);
        _tsWelcome = NodeDriver.BytesOf(made.GetProperty("welcome"));
        Restore();
        Follow([NodeDriver.BytesOf(made.GetProperty("message"))]);
        _tsWelcomeEnd = _group.EpochAuthenticator;
    }

    private async Task PrepareChainsAsync(CancellationToken stop)
    {
        Restore();
        List<byte[]> chain = [];
        while (chain.Count < Chain)
        {
            using var pending = _group.Commit();
            chain.Add(pending.Message);
            _group.Apply(pending);
        }

        (_chain, _chainEnd) = ([.. chain], _group.EpochAuthenticator);
        var made = await _driver.AskAsync(new { op = "chain", name = Me, count = Chain }, stop);
        _tsChain = [.. made.GetProperty("messages").EnumerateArray().Select(NodeDriver.BytesOf)];
        _tsChainEnd = AuthenticatorOf(made);
        Restore();
    }

    /// <summary>The state in which both members agreed.</summary>
    private void Restore()
    {
        _group.Dispose();
        _group = Group.TryLoad(
            _epoch, _ratchets, _key, _person.Member, MlsPerson.Services, out var group, out var rejection)
            ? group : throw new InvalidOperationException($"A stored group is not read: {rejection}.");
    }

    /// <summary>Makes the tree's hashes anew, which the store does not keep.</summary>
    private void Warm() => _group.Commit().Dispose();

    private void Follow(IEnumerable<byte[]> commits)
    {
        foreach (var commit in commits)
        {
            if (!_group.TryProcess(commit, out _, out var rejection))
            {
                throw new InvalidOperationException($"A commit was refused: {rejection}.");
            }
        }
    }

    private Task<byte[]> AskKeyPackageAsync(string name, CancellationToken stop) => AskBytesAsync(
        new { op = "keyPackage", name, identity = RandomNumberGenerator.GetBytes(MlsPerson.IdentityBytes) }, stop);

    private async Task<byte[]> AskBytesAsync(object request, CancellationToken stop) =>
        NodeDriver.BytesOf(await _driver.AskAsync(request, stop));
}
