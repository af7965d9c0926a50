using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Mls;

/// <summary>A member on this project's own library.</summary>
internal sealed class DotNetPeer : IPeer
{
    private readonly MlsCipherSuite _suite;
    private readonly MlsMember _member;
    private readonly MlsServices _services;
    private readonly StorageKey _storageKey = StorageKey.Import(RandomNumberGenerator.GetBytes(StorageKey.SizeBytes));
    private readonly List<KeyPackageBundle> _bundles = [];
    private readonly Dictionary<string, byte[]> _psks = new(StringComparer.Ordinal);
    private Group? _group;
    private PendingCommit? _pending;

    public DotNetPeer(string name, MlsCipherSuite suite, byte[] identity)
    {
        Name = name;
        _suite = suite;
        _member = new MlsMember
        {
            SignatureKey = TestMls.NewSignatureKey(),
            Credential = new BasicCredential { Identity = identity },
        };
        _services = new MlsServices
        {
            Random = RandomNumberGenerator.Fill,
            Credentials = new AnyCredential(),
            Time = TimeProvider.System,
            ExternalPsk = id => id is ExternalPskId external
                && _psks.TryGetValue(Convert.ToHexString(external.Id), out var secret) ? secret.ToArray() : null,
        };
    }

    public string Name { get; }

    /// <summary>For tests that look inside.</summary>
    public Group Group => _group ?? throw new PeerException($"{Name} is in no group.");

    public Task<byte[]> KeyPackageAsync()
    {
        var now = TimeProvider.System.GetUtcNow();
        var bundle = KeyPackageBundle.Create(
            _suite, _member, now.AddHours(-1), now.AddDays(30), lastResort: false, _services.Random);
        _bundles.Add(bundle);
        return Task.FromResult(bundle.Message);
    }

    public Task AddPskAsync(byte[] id, byte[] secret)
    {
        _psks[Convert.ToHexString(id)] = secret;
        return Task.CompletedTask;
    }

    public Task CreateAsync(byte[] groupId)
    {
        Enter(Group.Create(_suite, groupId, _member, _services));
        return Task.CompletedTask;
    }

    public Task JoinAsync(byte[] welcome)
    {
        var message = Decode(welcome).Welcome ?? throw new PeerException("Not a Welcome.");
        var bundle = _bundles.Find(own => message.Secrets.Any(secret => secret.NewMember.AsSpan().SequenceEqual(own.Ref)))
            ?? throw new PeerException("The Welcome is for none of the key packages.");
        Enter(Group.TryJoin(message, bundle, _member, _services, out var group, out var rejection)
            ? group : throw new PeerException($"{Name} cannot join: {rejection}."));
        _bundles.Remove(bundle);
        bundle.Dispose();
        return Task.CompletedTask;
    }

    public Task<byte[]> JoinExternallyAsync(byte[] groupInfo, byte[] authenticatedData)
    {
        var info = Decode(groupInfo).GroupInfo ?? throw new PeerException("Not a GroupInfo.");
        var options = new ExternalJoin { AuthenticatedData = authenticatedData };
        _pending = Group.TryJoinExternally(info, _member, _services, options, out var pending, out var rejection)
            ? pending : throw new PeerException($"{Name} cannot join from outside: {rejection}.");
        return Task.FromResult(pending.Message);
    }

    public Task<byte[]> ProposeAsync(Change change, HandshakeFormat format, byte[] authenticatedData) => Task.FromResult(
        change is UpdateChange
            ? Group.ProposeUpdate(null, format, authenticatedData)
            : Group.Propose(ProposalOf(change), format, authenticatedData));

    public Task<MadeCommit> CommitAsync(
        IReadOnlyList<Change> changes, HandshakeFormat format, byte[] authenticatedData)
    {
        _pending = Group.Commit(new MlsCommitRequest
        {
            Proposals = [.. changes.Select(ProposalOf)],
            Format = format,
            AuthenticatedData = authenticatedData,
        });
        return Task.FromResult(new MadeCommit(_pending.Message, _pending.Welcome));
    }

    public Task AcceptAsync()
    {
        var pending = _pending ?? throw new PeerException("No commit is pending.");
        _pending = null;
        if (pending.IsJoining)
        {
            Enter(pending.Activate());
        }
        else
        {
            Group.Apply(pending);
        }

        return Task.CompletedTask;
    }

    public Task DropAsync()
    {
        _pending?.Dispose();
        _pending = null;
        return Task.CompletedTask;
    }

    public Task<byte[]> EncryptAsync(byte[] data, byte[] authenticatedData) =>
        Task.FromResult(Group.Encrypt(data, authenticatedData));

    public Task<Received> ProcessAsync(byte[] message)
    {
        if (!Group.TryProcess(message, out var processed, out var rejection))
        {
            throw new PeerException($"{Name} refuses the message: {rejection}.");
        }

        return Task.FromResult(processed switch
        {
            ProcessedApplication application => new Received(
                ContentType.Application, application.AuthenticatedData, application.SenderLeaf, application.Data),
            ProcessedProposal => new Received(ContentType.Proposal, processed.AuthenticatedData),
            _ => new Received(ContentType.Commit, processed.AuthenticatedData),
        });
    }

    public Task<byte[]> GroupInfoAsync() =>
        Task.FromResult(Group.GroupInfoMessage(withTree: true, withExternalPub: true));

    public Task<PeerView> DescribeAsync()
    {
        var isMember = Group.Status != GroupStatus.Removed;
        return Task.FromResult(new PeerView(
            Group.Epoch,
            isMember ? Convert.ToHexString(Group.EpochAuthenticator) : "",
            isMember ? Convert.ToHexString(Group.Export(PeerView.Label, PeerView.Context, PeerView.LengthBytes)) : "",
            Group.OwnLeaf,
            Group.Status == GroupStatus.Active,
            [.. Group.Members.Select(static member => (member.LeafIndex, Convert.ToHexString(member.SignatureKey)))]));
    }

    /// <summary>Puts group and pending commit away and takes them out again, as a restart would.</summary>
    public void Restart()
    {
        var epoch = Group.SaveEpoch(_storageKey, _services.Random);
        var ratchets = Group.SaveRatchets(_storageKey, _services.Random);
        Enter(Group.TryLoad(epoch, ratchets, _storageKey, _member, _services, out var group, out var rejection)
            ? group : throw new PeerException($"{Name} cannot be loaded: {rejection}."));
        if (_pending is { } made)
        {
            var blob = made.Save(_storageKey, _services.Random);
            made.Dispose();
            _pending = PendingCommit.TryLoad(blob, _storageKey, _member, _services, out var pending, out rejection)
                ? pending : throw new PeerException($"{Name}'s commit cannot be loaded: {rejection}.");
        }
    }

    public ValueTask DisposeAsync()
    {
        _pending?.Dispose();
        _group?.Dispose();
        _bundles.ForEach(static bundle => bundle.Dispose());
        _storageKey.Dispose();
        _member.Dispose();
        return ValueTask.CompletedTask;
    }

    private static MlsMessage Decode(byte[] bytes) =>
        TlsCodec.TryDecode<MlsMessage>(bytes, out var message, out var rejection)
            ? message : throw new PeerException($"Not an MLSMessage: {rejection}.");

    private Proposal ProposalOf(Change change) => change switch
    {
        AddChange add => new AddProposal
        {
            KeyPackage = Decode(add.KeyPackage).KeyPackage ?? throw new PeerException("Not a key package."),
        },
        RemoveChange remove => new RemoveProposal { Removed = remove.Leaf },
        PskChange psk => new PreSharedKeyProposal { Psk = new ExternalPskId { Id = psk.Id, Nonce = NewNonce() } },
        ResumptionChange resumption => new PreSharedKeyProposal
        {
            Psk = new ResumptionPskId
            {
                Usage = ResumptionPskUsage.Application,
                GroupId = Group.GroupId,
                Epoch = resumption.Epoch,
                Nonce = NewNonce(),
            },
        },
        _ => throw new PeerException("An update is proposed, not committed by its own member."),
    };

    private byte[] NewNonce() => RandomNumberGenerator.GetBytes(_suite.HashSize);

    private void Enter(Group group)
    {
        _group?.Dispose();
        _group = group;
    }

    /// <summary>Whoever says so is believed; a leaf is only followed by one of the same identity.</summary>
    private sealed class AnyCredential : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) => credential is BasicCredential;

        public bool MayReplace(LeafNode current, LeafNode next) =>
            current.Credential is BasicCredential before && next.Credential is BasicCredential after
            && before.Identity.AsSpan().SequenceEqual(after.Identity);
    }
}
