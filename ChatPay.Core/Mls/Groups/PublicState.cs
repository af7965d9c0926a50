using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>What everybody who has seen a GroupInfo with its tree knows of an epoch. It never changes.</summary>
internal sealed class PublicState
{
    private byte[]? _contextBytes;

    public required GroupContext Context { get; init; }

    /// <summary>The context's extensions, read.</summary>
    public required ContextExtensions Extensions { get; init; }

    public required PublicTree Tree { get; init; }

    public required CapabilityTally Tally { get; init; }

    /// <summary>Of the commit that began the epoch.</summary>
    public required byte[] ConfirmationTag { get; init; }

    public required byte[] InterimTranscriptHash { get; init; }

    public MlsCipherSuite Suite => Tree.Suite;

    public ReadOnlySpan<byte> ContextBytes => _contextBytes ??= TlsCodec.Encode(Context);

    /// <summary>The state out of its parts.</summary>
    public static PublicState Of(
        GroupContext context, ContextExtensions extensions, PublicTree tree, CapabilityTally tally,
        byte[] confirmationTag) => new()
        {
            Context = context,
            Extensions = extensions,
            Tree = tree,
            Tally = tally,
            ConfirmationTag = confirmationTag,
            InterimTranscriptHash = TranscriptHashes.Interim(
                tree.Suite, context.ConfirmedTranscriptHash, confirmationTag),
        };

    /// <summary>
    /// What a joiner checks of a GroupInfo and its tree before it trusts them, RFC 9420 section 12.4.3.1; the
    /// confirmation tag, which takes the group's secrets, and the joiner's own leaf are not looked at.
    /// </summary>
    /// <param name="outside">The tree, where the GroupInfo does not carry it.</param>
    public static bool TryOpen(
        GroupInfo info, RatchetTree? outside, MlsCipherSuite suite, MlsServices services,
        [NotNullWhen(true)] out PublicState? state, out MlsRejection rejection)
    {
        state = null;
        var context = info.Context;
        if (context.Epoch == ulong.MaxValue)
        {
            // No epoch could follow.
            rejection = MlsRejection.TooLarge;
            return false;
        }

        if (!TryReadTree(info, outside, suite, out var tree, out rejection)
            || !ContextExtensions.TryRead(context.Extensions, out var extensions, out rejection))
        {
            return false;
        }

        rejection = tree.Leaf(info.Signer) is { } signer
            ? GroupInfoValidation.CheckSigned(info, suite, signer.SignatureKey) : MlsRejection.LeafUnknown;
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        if (!tree.TreeHash.Span.SequenceEqual(context.TreeHash))
        {
            rejection = MlsRejection.TreeHashWrong;
            return false;
        }

        rejection = tree.Validate(context.GroupId);
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        var read = Of(
            context, extensions, tree, CapabilityTally.Of(tree.Members().Select(static member => member.Leaf)),
            info.ConfirmationTag);
        rejection = read.CheckMembers(services);
        state = rejection == MlsRejection.None ? read : null;
        return state is not null;
    }

    /// <summary>The context of the epoch after this one, with what is known of it so far.</summary>
    public GroupContext NextContext(
        PublicTree tree, ContextExtensions extensions, byte[] confirmedTranscriptHash) => new()
        {
            Version = Context.Version,
            CipherSuite = Context.CipherSuite,
            GroupId = Context.GroupId,
            Epoch = checked(Context.Epoch + 1),
            TreeHash = tree.TreeHash.ToArray(),
            ConfirmedTranscriptHash = confirmedTranscriptHash,
            Extensions = extensions.All,
        };

    private static bool TryReadTree(
        GroupInfo info, RatchetTree? outside, MlsCipherSuite suite, [NotNullWhen(true)] out PublicTree? tree,
        out MlsRejection rejection)
    {
        tree = null;
        var wire = outside;
        var carried = info.Extensions.FirstOrDefault(static extension => extension.Type == ExtensionType.RatchetTree);
        if (carried is not null && !TlsCodec.TryDecode(carried.Data, out wire, out rejection))
        {
            return false;
        }

        rejection = MlsRejection.TreeMissing;
        return wire is not null && PublicTree.TryCreate(suite, wire, out tree, out rejection);
    }

    /// <summary>Sections 5.3.1, 7.3 and 13.4, of every member and external sender.</summary>
    private MlsRejection CheckMembers(MlsServices services)
    {
        var rejection = Tally.Check(Extensions);
        var checks = new ProposalChecks(this, services);
        if (rejection == MlsRejection.None)
        {
            rejection = checks.CheckExtensions(Context.Extensions);
        }

        foreach (var (_, leaf) in Tree.Members())
        {
            if (rejection == MlsRejection.None)
            {
                rejection = checks.CheckLifetime(leaf);
            }

            if (rejection == MlsRejection.None)
            {
                rejection = checks.CheckCredential(leaf);
            }
        }

        return rejection;
    }
}
