using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// A commit in the making, RFC 9420 section 12.4.1: of a member, or of somebody who joins by it. It reads the epoch
/// that it ends and changes nothing of it.
/// </summary>
internal sealed class CommitDraft
{
    private static readonly HashSet<uint> s_noLeaves = [];

    /// <summary>The epoch that the commit ends.</summary>
    public required PublicState Before { get; init; }

    public required ProposalApplication Application { get; init; }

    /// <summary>As the commit names them.</summary>
    public required IReadOnlyList<ProposalOrRef> Proposals { get; init; }

    public required Sender Sender { get; init; }

    /// <summary>The committer's leaf; a joiner's is in the application's tree already.</summary>
    public required uint Leaf { get; init; }

    public required bool HasPath { get; init; }

    /// <summary>Signs the commit.</summary>
    public required MlsMember Signer { get; init; }

    /// <summary>
    /// What the committer's leaf says from now on; the same as <see cref="Signer"/> but where it changes.
    /// </summary>
    public required MlsMember Identity { get; init; }

    public required MlsServices Services { get; init; }

    public required ReadOnlyMemory<byte> AuthenticatedData { get; init; }

    public required WireFormat WireFormat { get; init; }

    private MlsCipherSuite Suite => Before.Suite;

    /// <summary>Makes the commit and the epoch that it begins.</summary>
    /// <param name="initSecret">Of the epoch that ends, or an external commit's own.</param>
    /// <param name="currentKeys">The committer's private keys; null for a joiner, whose commit has a path.</param>
    /// <param name="treeInWelcome">Whether a Welcome carries the ratchet tree.</param>
    /// <param name="rejection">What of section 12.2 the group would break by it.</param>
    public bool TryBuild(
        Secret initSecret, Secret pskSecret, PrivateTree? currentKeys, bool treeInWelcome,
        [NotNullWhen(true)] out BuiltCommit? built, out MlsRejection rejection)
    {
        built = null;
        using var path = HasPath ? BuildPath() : null;
        var tree = path?.Builder.Tree ?? Application.Tree;
        rejection = Application.Check(tree);
        if (rejection != MlsRejection.None)
        {
            path?.Keys.Dispose();
            return false;
        }

        var commit = new Commit { Proposals = Proposals, Path = path is null ? null : Encrypt(path.Builder) };
        var content = AuthenticatedContent.Sign(
            Suite, WireFormat, Frame(commit), Before.ContextBytes, Signer.SignatureKey);
        var confirmed = TranscriptHashes.Confirmed(Suite, Before.InterimTranscriptHash, content);
        var context = Before.NextContext(tree, Application.Extensions, confirmed);
        var contextBytes = TlsCodec.Encode(context);
        using var noSecret = new Secret(Suite.HashSize);
        using var joiner = EpochSecrets.DeriveJoiner(
            Suite, initSecret.Span, (path?.CommitSecret ?? noSecret).Span, contextBytes);
        var secrets = EpochSecrets.FromJoiner(Suite, joiner.Span, pskSecret.Span, contextBytes);
        var tag = secrets.ConfirmationTag(confirmed);
        var next = GroupState.Begin(
            PublicState.Of(context, Application.Extensions, tree, Application.Tally, tag),
            path?.Keys ?? currentKeys!.Pruned(tree), secrets, Application.List.ReInits.FirstOrDefault());
        built = new BuiltCommit(
            next, content.WithConfirmationTag(tag), Welcome(next, path?.Builder, joiner, pskSecret, treeInWelcome));
        return true;
    }

    private FreshPath BuildPath()
    {
        var builder = PathBuilder.Create(
            Application.Tree, Leaf, Identity.Template(), Identity.SignatureKey, Before.Context.GroupId, Services.Random,
            out var keys, out var commitSecret);
        Application.CountPathLeaf(
            Sender.Type == SenderType.Member ? Application.Tree.Leaf(Leaf) : null, builder.Tree.Leaf(Leaf)!);
        return new FreshPath(builder, keys, commitSecret);
    }

    private UpdatePath Encrypt(PathBuilder builder)
    {
        var provisional = TlsCodec.Encode(Before.NextContext(
            builder.Tree, Application.Extensions, Before.Context.ConfirmedTranscriptHash));
        var newLeaves = Application.Added.Count == 0
            ? s_noLeaves : [.. Application.Added.Select(static added => added.Leaf)];
        return builder.Encrypt(provisional, newLeaves, Services.Random);
    }

    private FramedContent Frame(Commit commit) => new()
    {
        GroupId = Before.Context.GroupId,
        Epoch = Before.Context.Epoch,
        Sender = Sender,
        AuthenticatedData = AuthenticatedData.ToArray(),
        ContentType = ContentType.Commit,
        Commit = commit,
    };

    /// <summary>One Welcome for all whom the commit adds, section 12.4.3.1.</summary>
    private Welcome? Welcome(
        GroupState next, PathBuilder? path, Secret joiner, Secret pskSecret, bool withTree)
    {
        if (Application.Added.Count == 0)
        {
            return null;
        }

        var info = next.SignInfo(Identity.SignatureKey, withTree, withExternalPub: false);
        var encryptedInfo = WelcomeSecrets.SealGroupInfo(Suite, joiner.Span, pskSecret.Span, info);
        var secrets = new List<EncryptedGroupSecrets>(Application.Added.Count);
        foreach (var (leaf, package) in Application.Added)
        {
            using var groupSecrets = new GroupSecrets
            {
                JoinerSecret = joiner.Span.ToArray(),
                PathSecret = path?.PathSecretFor(leaf).ToArray(),
                PreSharedKeys = Application.List.Psks,
            };
            secrets.Add(
                WelcomeSecrets.TrySealGroupSecrets(
                    Suite, package, encryptedInfo, groupSecrets, Services.Random, out var encrypted)
                ? encrypted
                : throw new InvalidOperationException("A validated key package has an init key that is none."));
        }

        return new Welcome { CipherSuite = Suite.Id, Secrets = secrets, EncryptedGroupInfo = encryptedInfo };
    }

    private sealed class FreshPath(PathBuilder builder, PrivateTree keys, Secret commitSecret) : IDisposable
    {
        public PathBuilder Builder { get; } = builder;

        public PrivateTree Keys { get; } = keys;

        public Secret CommitSecret { get; } = commitSecret;

        /// <summary>Zeroes what was needed to make the commit; the keys go on.</summary>
        public void Dispose()
        {
            Builder.Dispose();
            CommitSecret.Dispose();
        }
    }
}

/// <summary>A commit, signed and confirmed, and the epoch that it begins.</summary>
internal sealed class BuiltCommit(GroupState next, AuthenticatedContent content, Welcome? welcome)
{
    /// <summary>Whoever takes it disposes it.</summary>
    public GroupState Next { get; } = next;

    public AuthenticatedContent Content { get; } = content;

    public Welcome? Welcome { get; } = welcome;
}
