using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using static ChatPay.LoadTest.Faults.SealedMessages;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Commits as the server sees them: key packages and signatures are real, leaves and epochs are right, and what only members
/// could read is noise.
/// </summary>
internal static class SealedCommits
{
    private const int KeyBytes = 32;
    private const int SignatureBytes = 64;
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
            GroupInfo(conversation, epoch + 1, by.Member.SignatureKey, leaf));
    }

    private static KeyPackage KeyPackageOf(Participant device)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var bundle = KeyPackageBundle.Create(
            Suite, device.Member, now.AddHours(-1), now + s_lifetime, lastResort: false, RandomNumberGenerator.Fill);
        return bundle.KeyPackage;
    }

    private static UpdatePath Path(ConversationId conversation, Participant by, int leaf)
    {
        var encryptionKey = NewEncryptionKey();
        var signature = LeafNodeValidation.Sign(
            Leaf([]), Suite, by.Member.SignatureKey, GroupIds.From(conversation), (uint)leaf);
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

    private static byte[] Encode(PublicMessage message) => TlsCodec.Encode(new MlsMessage(message));
}
