using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Commits as the server sees them: key packages and signatures are real, leaves and epochs are right, and what only members
/// could read is noise.
/// </summary>
internal static class SealedCommits
{
    private const int KeyBytes = 32;
    private const int SignatureBytes = 64;
    private const int SealedSecretBytes = 48;
    private const int GroupInfoBytes = 200;
    private static readonly MlsCipherSuite s_suite = MlsCipherSuite.X25519Aes128Gcm;
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(84);
    private static readonly IdFactory s_ids = new(TimeProvider.System);

    /// <param name="epoch">The one that it ends.</param>
    /// <param name="leaf">Where the committer sits.</param>
    public static CommitRequest Create(
        ConversationId conversation, long epoch, Participant by, int leaf, IReadOnlyList<Participant> adds,
        IReadOnlyList<int> removes)
    {
        var packages = adds.Select(KeyPackageOf).ToArray();
        var commit = Encode(new PublicMessage
        {
            Content = new FramedContent
            {
                GroupId = GroupIds.From(conversation),
                Epoch = (ulong)epoch,
                Sender = new Sender { Type = SenderType.Member, Index = (uint)leaf },
                AuthenticatedData = [],
                ContentType = ContentType.Commit,
                Commit = new Commit
                {
                    Proposals =
                    [
                        .. removes.Select(index => new ProposalOrRef(new RemoveProposal { Removed = (uint)index })),
                        .. packages.Select(package => new ProposalOrRef(new AddProposal { KeyPackage = package })),
                    ],
                    Path = Path(conversation, by, leaf),
                },
            },
            Signature = Noise(SignatureBytes),
            ConfirmationTag = Noise(KeyBytes),
            MembershipTag = Noise(KeyBytes),
        });
        return new(
            conversation, new(s_ids.NewUuid()), epoch, commit, packages.Length > 0 ? Welcome(packages) : null,
            GroupInfo(conversation, epoch + 1, by, leaf));
    }

    private static KeyPackage KeyPackageOf(Participant device)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var bundle = KeyPackageBundle.Create(
            s_suite, device.Member, now.AddHours(-1), now + s_lifetime, lastResort: false, RandomNumberGenerator.Fill);
        return bundle.KeyPackage;
    }

    private static UpdatePath Path(ConversationId conversation, Participant by, int leaf)
    {
        var encryptionKey = NewEncryptionKey();
        var signature = LeafNodeValidation.Sign(
            Leaf([]), s_suite, by.Member.SignatureKey, GroupIds.From(conversation), (uint)leaf);
        return new UpdatePath
        {
            LeafNode = Leaf(signature),
            Nodes = [new UpdatePathNode { EncryptionKey = NewEncryptionKey(), EncryptedPathSecret = [Ciphertext()] }],
        };

        LeafNode Leaf(byte[] signed) => new()
        {
            EncryptionKey = encryptionKey,
            SignatureKey = by.Member.PublicSignatureKey,
            Credential = by.Member.Credential,
            Capabilities = by.Member.Capabilities,
            Source = LeafNodeSource.Commit,
            ParentHash = [],
            Extensions = [],
            Signature = signed,
        };
    }

    private static byte[] Welcome(IReadOnlyList<KeyPackage> packages) => TlsCodec.Encode(new MlsMessage(new Welcome
    {
        CipherSuite = s_suite.Id,
        Secrets =
        [
            .. packages.Select(package => new EncryptedGroupSecrets
            {
                NewMember = s_suite.KeyPackageRef(package),
                Secrets = Ciphertext(),
            }),
        ],
        EncryptedGroupInfo = Noise(GroupInfoBytes),
    }));

    private static byte[] GroupInfo(ConversationId conversation, long epoch, Participant by, int leaf)
    {
        var context = new GroupContext
        {
            Version = ProtocolVersion.Mls10,
            CipherSuite = s_suite.Id,
            GroupId = GroupIds.From(conversation),
            Epoch = (ulong)epoch,
            TreeHash = Noise(KeyBytes),
            ConfirmedTranscriptHash = Noise(KeyBytes),
            Extensions = [],
        };
        Extension[] extensions =
        [
            // A vector of 32 bytes.
            new Extension { Type = ExtensionType.ExternalPub, Data = [KeyBytes, .. NewEncryptionKey()] },
            new Extension { Type = ExtensionType.RatchetTree, Data = [0] },
        ];
        var tag = Noise(KeyBytes);
        return TlsCodec.Encode(new MlsMessage(
            Info(GroupInfoValidation.Sign(Info([]), s_suite, by.Member.SignatureKey))));

        GroupInfo Info(byte[] signature) => new()
        {
            Context = context,
            Extensions = extensions,
            ConfirmationTag = tag,
            Signer = (uint)leaf,
            Signature = signature,
        };
    }

    private static HpkeCiphertext Ciphertext() =>
        new() { KemOutput = NewEncryptionKey(), Ciphertext = Noise(SealedSecretBytes) };

    private static byte[] NewEncryptionKey()
    {
        using var key = Key.Import(
            KeyAgreementAlgorithm.X25519, RandomNumberGenerator.GetBytes(KeyBytes), KeyBlobFormat.RawPrivateKey);
        return key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    private static byte[] Encode(PublicMessage message) => TlsCodec.Encode(new MlsMessage(message));

    private static byte[] Noise(int count) => RandomNumberGenerator.GetBytes(count);
}
