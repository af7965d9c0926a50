using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Faults;
using static ChatPay.LoadTest.Faults.SealedMessages;

namespace ChatPay.Tests.Support;

/// <summary>
/// Makes MLS messages that a delivery service accepts: key packages are real and signed; commits, GroupInfos, Welcomes and
/// PrivateMessages say the right things in public, and what only members could read is noise.
/// </summary>
internal static class TestMls
{
    public static readonly MlsCipherSuite Suite = SealedMessages.Suite;

    private const int KeyBytes = 32;
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(90);

    /// <summary>A new device signature key, kept exportable.</summary>
    public static Key NewSignatureKey() => Key.Import(
        SignatureAlgorithm.Ed25519, RandomNumberGenerator.GetBytes(KeyBytes), KeyBlobFormat.RawPrivateKey,
        new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport });

    public static byte[] PublicKeyOf(Key key) => key.PublicKey.Export(KeyBlobFormat.RawPublicKey);

    /// <summary>A one-time or last-resort key package as an upload carries it.</summary>
    public static byte[] KeyPackage(
        AccountId account, DeviceId device, Key signatureKey, KeyPackageOptions? options = null) =>
        Encode(new(BuildKeyPackage(account, device, signatureKey, options)));

    public static IReadOnlyList<byte[]> KeyPackages(AccountId account, DeviceId device, Key signatureKey, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => KeyPackage(account, device, signatureKey))];

    public static KeyPackage BuildKeyPackage(
        AccountId account, DeviceId device, Key signatureKey, KeyPackageOptions? options = null)
    {
        options ??= new();
        var encryptionKey = NewEncryptionKey();
        var leaf = SignLeaf(
            new LeafNode
            {
                EncryptionKey = options.EncryptionKey ?? encryptionKey,
                SignatureKey = PublicKeyOf(signatureKey),
                Credential = options.Credential ?? new CredentialIdentity(account, device).ToCredential(),
                Capabilities = options.Capabilities ?? Capabilities(),
                Source = LeafNodeSource.KeyPackage,
                Lifetime = LifetimeFrom(options),
                Extensions = options.LeafExtensions,
                Signature = [],
            },
            signatureKey, [], 0);
        var unsigned = new KeyPackage
        {
            Version = ProtocolVersion.Mls10,
            CipherSuite = options.CipherSuite,
            InitKey = options.InitKey ?? NewEncryptionKey(),
            LeafNode = leaf,
            Extensions = options.Extensions,
            Signature = [],
        };
        return new KeyPackage
        {
            Version = unsigned.Version,
            CipherSuite = unsigned.CipherSuite,
            InitKey = unsigned.InitKey,
            LeafNode = leaf,
            Extensions = unsigned.Extensions,
            Signature = KeyPackageValidation.Sign(unsigned, Suite, signatureKey),
        };
    }

    /// <summary>A key package out of the bytes that a claim returned.</summary>
    public static KeyPackage ParseKeyPackage(byte[] message) =>
        TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out var rejection)
            ? decoded.KeyPackage ?? throw new InvalidOperationException("Not a key package.")
            : throw new InvalidOperationException($"Not an MLSMessage: {rejection}.");

    /// <summary>A member's commit with the given proposals by value, and a path unless told otherwise.</summary>
    public static byte[] Commit(CommitOptions options)
    {
        var sender = new Sender { Type = SenderType.Member, Index = (uint)options.SenderLeaf };
        List<Proposal> proposals =
        [
            .. options.Removes.Select(static leaf => new RemoveProposal { Removed = (uint)leaf }),
            .. options.Adds.Select(static package => new AddProposal { KeyPackage = ParseKeyPackage(package) }),
            .. options.Others,
        ];
        return Commit(options, sender, proposals, (uint)options.SenderLeaf);
    }

    /// <summary>An external commit: the sender joins, and with <see cref="CommitOptions.Removes"/> replaces itself.</summary>
    /// <param name="joinerLeaf">Where the joiner will sit, which its leaf signature names.</param>
    public static byte[] ExternalCommit(CommitOptions options, int joinerLeaf)
    {
        List<Proposal> proposals =
        [
            new ExternalInitProposal { KemOutput = Noise(KeyBytes) },
            .. options.Removes.Select(static leaf => new RemoveProposal { Removed = (uint)leaf }),
            .. options.Others,
        ];
        return Commit(options, new() { Type = SenderType.NewMemberCommit }, proposals, (uint)joinerLeaf);
    }

    /// <summary>A Welcome for the given key packages, as a claim returned them; its secrets are noise.</summary>
    public static byte[] Welcome(params IReadOnlyList<byte[]> keyPackages) =>
        SealedMessages.Welcome(keyPackages.Select(ParseKeyPackage));

    /// <summary>A signed GroupInfo of an epoch with external_pub and a ratchet tree, which holds nothing.</summary>
    public static byte[] GroupInfo(ConversationId conversation, long epoch, Key signatureKey, int signerLeaf = 0) =>
        SealedMessages.GroupInfo(conversation, epoch, signatureKey, signerLeaf);

    /// <summary>A PrivateMessage whose header is right and whose ciphertext is noise.</summary>
    public static byte[] PrivateMessage(
        ConversationId conversation, long epoch, AuthenticatedData authenticatedData, int ciphertextBytes = 300) =>
        Encode(new(new PrivateMessage
        {
            GroupId = GroupIds.From(conversation),
            Epoch = (ulong)epoch,
            ContentType = ContentType.Application,
            AuthenticatedData = authenticatedData.Encode(),
            EncryptedSenderData = Noise(28),
            Ciphertext = Noise(ciphertextBytes),
        }));

    public static byte[] PrivateMessage(
        ConversationId conversation, long epoch, ClientMessageId clientId, int ciphertextBytes = 300) =>
        PrivateMessage(conversation, epoch, new AuthenticatedData(clientId), ciphertextBytes);

    public static Capabilities Capabilities() => new()
    {
        Versions = [ProtocolVersion.Mls10],
        CipherSuites = [Suite.Id],
        Extensions = [ExtensionType.LastResort],
        Proposals = [],
        Credentials = [(ushort)CredentialType.Basic],
    };

    public static byte[] Encode(MlsMessage message) => TlsCodec.Encode(message);

    private static byte[] Commit(
        CommitOptions options, Sender sender, IReadOnlyList<Proposal> proposals, uint leafIndex)
    {
        var groupId = GroupIds.From(options.Conversation);
        var commit = new Commit
        {
            Proposals = [.. proposals.Select(static proposal => new ProposalOrRef(proposal))],
            Path = options.WithPath ? Path(options, groupId, leafIndex) : null,
        };
        return Encode(new(new PublicMessage
        {
            Content = new FramedContent
            {
                GroupId = groupId,
                Epoch = (ulong)options.Epoch,
                Sender = sender,
                AuthenticatedData = [],
                ContentType = ContentType.Commit,
                Commit = commit,
            },
            Signature = Noise(64),
            ConfirmationTag = Noise(KeyBytes),
            MembershipTag = sender.Type == SenderType.Member ? Noise(KeyBytes) : null,
        }));
    }

    private static UpdatePath Path(CommitOptions options, byte[] groupId, uint leafIndex) => new()
    {
        LeafNode = SignLeaf(
            new LeafNode
            {
                EncryptionKey = NewEncryptionKey(),
                SignatureKey = PublicKeyOf(options.SignatureKey),
                Credential = new CredentialIdentity(options.Account, options.Device).ToCredential(),
                Capabilities = Capabilities(),
                Source = LeafNodeSource.Commit,
                ParentHash = Noise(KeyBytes),
                Extensions = [],
                Signature = [],
            },
            options.SignatureKey, groupId, leafIndex),
        Nodes = [new UpdatePathNode { EncryptionKey = NewEncryptionKey(), EncryptedPathSecret = [Ciphertext()] }],
    };

    private static LeafNode SignLeaf(LeafNode leaf, Key key, byte[] groupId, uint leafIndex) => new()
    {
        EncryptionKey = leaf.EncryptionKey,
        SignatureKey = leaf.SignatureKey,
        Credential = leaf.Credential,
        Capabilities = leaf.Capabilities,
        Source = leaf.Source,
        Lifetime = leaf.Lifetime,
        ParentHash = leaf.ParentHash,
        Extensions = leaf.Extensions,
        Signature = LeafNodeValidation.Sign(leaf, Suite, key, groupId, leafIndex),
    };

    private static Lifetime LifetimeFrom(KeyPackageOptions options)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new Lifetime
        {
            NotBefore = (ulong)(options.NotBefore ?? now.AddMinutes(-1)).ToUnixTimeSeconds(),
            NotAfter = (ulong)(options.NotAfter ?? now + s_lifetime).ToUnixTimeSeconds(),
        };
    }
}

/// <summary>What a test's key package has other than a valid one's.</summary>
internal sealed record KeyPackageOptions
{
    public ushort CipherSuite { get; init; } = TestMls.Suite.Id;

    public Credential? Credential { get; init; }

    public Capabilities? Capabilities { get; init; }

    public byte[]? InitKey { get; init; }

    public byte[]? EncryptionKey { get; init; }

    public DateTimeOffset? NotBefore { get; init; }

    public DateTimeOffset? NotAfter { get; init; }

    public IReadOnlyList<Extension> Extensions { get; init; } = [];

    public IReadOnlyList<Extension> LeafExtensions { get; init; } = [];
}

/// <summary>A test's commit.</summary>
internal sealed record CommitOptions
{
    public required ConversationId Conversation { get; init; }

    /// <summary>The epoch that the commit ends.</summary>
    public required long Epoch { get; init; }

    public required AccountId Account { get; init; }

    public required DeviceId Device { get; init; }

    public required Key SignatureKey { get; init; }

    /// <summary>The committer's leaf; ignored for an external commit.</summary>
    public int SenderLeaf { get; init; }

    /// <summary>Key packages as a claim returned them.</summary>
    public IReadOnlyList<byte[]> Adds { get; init; } = [];

    /// <summary>Leaf indices.</summary>
    public IReadOnlyList<int> Removes { get; init; } = [];

    /// <summary>Proposals that a delivery service refuses, say.</summary>
    public IReadOnlyList<Proposal> Others { get; init; } = [];

    public bool WithPath { get; init; } = true;
}
