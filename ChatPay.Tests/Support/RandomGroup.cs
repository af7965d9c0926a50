using System.Globalization;
using System.Security.Cryptography;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>A group of 2 to 50 to which one random thing after the other happens.</summary>
internal sealed class RandomGroup : IDisposable
{
    private const int MembersMax = 50;

    private readonly Dice _dice;
    private readonly List<TestClient> _members = [];
    private readonly Dictionary<string, int> _happened = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> _psks = new(StringComparer.Ordinal);
    private readonly StorageKey _storageKey = StorageKey.Import(RandomNumberGenerator.GetBytes(StorageKey.SizeBytes));
    private readonly MlsCipherSuite _suite;
    private int _created;

    public RandomGroup(ulong seed)
    {
        _dice = new Dice(seed);
        _suite = _dice.Next(2) == 0 ? MlsCipherSuite.X25519Aes128Gcm : MlsCipherSuite.X25519ChaCha20Poly1305;
        _members.Add(NewClient());
        _members[0].Create();
        Log = "nothing";
        AddByValue();
    }

    /// <summary>What happened last.</summary>
    public string Log { get; private set; }

    public void Step()
    {
        (string Name, Action Act)[] operations =
        [
            ("add by value", AddByValue),
            ("add by reference", AddByReference),
            ("update by commit", () => Commit(Any(), new())),
            ("update by reference", UpdateByReference),
            ("remove by value", RemoveByValue),
            ("remove by reference", RemoveByReference),
            ("join externally", () => JoinExternally(NewClient(), null)),
            ("resync", Resync),
            ("external key", ExternalPsk),
            ("resumption key", ResumptionPsk),
            ("extensions", Extensions),
            ("a lost race", LoseRace),
            ("save and load", SaveAndLoad),
            ("new identity", ChangeIdentity),
            ("say something", () => TestGroups.AssertReads(_members, Any())),
        ];
        var (name, act) = operations[_dice.Next(operations.Length)];
        Log = $"{name} among {_members.Count} in epoch {_members[0].Group.Epoch}";
        _happened[name] = _happened.GetValueOrDefault(name) + 1;
        act();
        TestGroups.AssertAgree(_members);
        TestGroups.AssertReads(_members, Any());
    }

    public void AssertAllKindsHappened() => Assert.Equal(15, _happened.Count);

    public void Dispose()
    {
        _members.ForEach(static member => member.Dispose());
        _storageKey.Dispose();
    }

    private TestClient Any() => _members[_dice.Next(_members.Count)];

    private TestClient AnyBut(TestClient one)
    {
        var other = Any();
        return other == one ? _members[(_members.IndexOf(one) + 1) % _members.Count] : other;
    }

    private HandshakeFormat Format() => _dice.Next(2) == 0 ? HandshakeFormat.Public : HandshakeFormat.Private;

    private TestClient NewClient() => new(
        string.Create(CultureInfo.InvariantCulture, $"client {_created++}"),
        TestClient.NewServices() with
        {
            ExternalPsk = id => id is ExternalPskId external
                && _psks.TryGetValue(Convert.ToHexString(external.Id), out var psk) ? [.. psk] : null,
        },
        _suite);

    private void Commit(TestClient committer, MlsCommitRequest request)
    {
        var pending = committer.Commit(request with { Format = Format() });
        TestGroups.Deliver(pending.Message, _members, committer);
    }

    private void Propose(TestClient proposer, Func<TestClient, byte[]> propose)
    {
        var message = propose(proposer);
        foreach (var member in _members.Where(member => member != proposer))
        {
            member.Process<ProcessedProposal>(message);
        }
    }

    private void AddByValue()
    {
        var count = Math.Min(MembersMax - _members.Count, 1 + _dice.Next(6));
        var added = Enumerable.Range(0, count).Select(_ => NewClient()).ToList();
        TestGroups.Add(_members, added, Any(), withPath: _dice.Next(2) == 0);
        _members.AddRange(added);
    }

    private void AddByReference()
    {
        if (_members.Count == MembersMax)
        {
            return;
        }

        var added = NewClient();
        using var bundle = added.NewBundle(lastResort: _dice.Next(2) == 0);
        var committer = Any();
        if (_dice.Next(2) == 0)
        {
            var message = Group.ProposeJoin(committer.Group.GroupId, committer.Group.Epoch, bundle, added.Identity);
            _members.ForEach(member => member.Process<ProcessedProposal>(message));
        }
        else
        {
            Propose(Any(), proposer => proposer.Group.Propose(new AddProposal { KeyPackage = bundle.KeyPackage }, Format()));
        }

        var pending = committer.Commit(new MlsCommitRequest { Format = Format(), ForcePath = _dice.Next(2) == 0 });
        TestGroups.Deliver(pending.Message, _members, committer);
        added.Join(pending.Welcome, bundle);
        _members.Add(added);
    }

    private void UpdateByReference()
    {
        var updaters = _members.Where(_ => _dice.Next(3) == 0).Take(5).ToList();
        updaters.ForEach(updater => Propose(updater, one => one.Group.ProposeUpdate(format: Format())));
        Commit(Any(), new());
    }

    private void RemoveByValue()
    {
        var removed = _members.Where(_ => _dice.Next(4) == 0).Take(_members.Count - 2).ToList();
        if (removed.Count > 0)
        {
            var committer = _members.First(member => !removed.Contains(member));
            Remove(removed, committer, new MlsCommitRequest
            {
                Proposals = [.. removed.Select(static one => new RemoveProposal { Removed = one.Group.OwnLeaf })],
            });
        }
    }

    private void RemoveByReference()
    {
        if (_members.Count < 3)
        {
            return;
        }

        var removed = Any();
        var committer = AnyBut(removed);
        Propose(Any(), one => one.Group.Propose(new RemoveProposal { Removed = removed.Group.OwnLeaf }, Format()));
        Remove([removed], committer, new());
    }

    private void Remove(List<TestClient> removed, TestClient committer, MlsCommitRequest request)
    {
        Commit(committer, request);
        foreach (var one in removed)
        {
            Assert.Equal(GroupStatus.Removed, one.Group.Status);
            _members.Remove(one);
            one.Dispose();
        }
    }

    private void JoinExternally(TestClient joiner, TestClient? replaced)
    {
        if (_members.Count == MembersMax && replaced is null)
        {
            return;
        }

        var info = TestClient.ParseGroupInfo(Any().Group.GroupInfoMessage(withTree: true, withExternalPub: true));
        Assert.True(
            Group.TryJoinExternally(info, joiner.Identity, joiner.Services, null, out var pending, out var rejection),
            rejection.ToString());
        foreach (var member in _members.Where(member => member != replaced))
        {
            Assert.True(member.Process<ProcessedCommit>(pending.Message).IsExternal);
        }

        if (replaced is not null)
        {
            Assert.True(replaced.Process<ProcessedCommit>(pending.Message).SelfRemoved);
            _members.Remove(replaced);
        }

        joiner.Group = pending.Activate();
        _members.Add(joiner);
    }

    private void Resync()
    {
        var lost = Any();
        JoinExternally(lost, lost);
    }

    private void ExternalPsk()
    {
        var id = RandomNumberGenerator.GetBytes(8);
        _psks[Convert.ToHexString(id)] = RandomNumberGenerator.GetBytes(32);
        var psk = new ExternalPskId { Id = id, Nonce = RandomNumberGenerator.GetBytes(32) };
        var proposal = new PreSharedKeyProposal { Psk = psk };
        Propose(Any(), one => one.Group.Propose(proposal, Format()));
        Commit(Any(), new());
    }

    private void ResumptionPsk()
    {
        var group = _members[0].Group;
        var psk = new ResumptionPskId
        {
            Usage = ResumptionPskUsage.Application,
            GroupId = group.GroupId,
            Epoch = group.Epoch,
            Nonce = RandomNumberGenerator.GetBytes(32),
        };
        Commit(Any(), new() { Proposals = [new PreSharedKeyProposal { Psk = psk }], ForcePath = _dice.Next(2) == 0 });
    }

    private void Extensions() => Commit(Any(), new()
    {
        Proposals =
        [
            new GroupContextExtensionsProposal
            {
                Extensions =
                [
                    new RequiredCapabilities { Credentials = [1] }.ToExtension(),
                    new Extension { Type = ExtensionType.ApplicationId, Data = RandomNumberGenerator.GetBytes(5) },
                ],
            },
        ],
    });

    /// <summary>Two commit in the same epoch; one is accepted, and the other follows it.</summary>
    private void LoseRace()
    {
        var winner = Any();
        var loser = AnyBut(winner);
        using var lost = loser.Group.Commit(new() { Format = Format() });
        Commit(winner, new());
        Assert.Throws<InvalidOperationException>(() => loser.Group.Apply(lost));
    }

    private void SaveAndLoad()
    {
        var index = _dice.Next(_members.Count);
        var one = _members[index];
        var epoch = one.Group.SaveEpoch(_storageKey, RandomNumberGenerator.Fill);
        var ratchets = one.Group.SaveRatchets(_storageKey, RandomNumberGenerator.Fill);
        Assert.True(
            Group.TryLoad(epoch, ratchets, _storageKey, one.Identity, one.Services, out var loaded, out var rejection),
            rejection.ToString());
        one.Group = loaded;
    }

    private void ChangeIdentity()
    {
        var one = Any();
        var next = TestClient.NewIdentity(one.Name);
        if (_dice.Next(2) == 0)
        {
            Commit(one, new() { NextIdentity = next });
        }
        else
        {
            Propose(one, proposer => proposer.Group.ProposeUpdate(next, Format()));
            Commit(AnyBut(one), new());
        }

        one.Identity.Dispose();
        one.Identity = next;
    }
}
