using ChatPay.Core.Mls;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Signs and seals what no honest member would: content of any kind, with keys that the group accepts, so that a mutation
/// gets past the signatures to what lies behind them.
/// </summary>
internal sealed class Insider(FuzzGroup group)
{
    /// <summary>The content as the insider's message; null where it cannot be written at all.</summary>
    public byte[]? Send(FramedContent content, byte[] confirmationTag, HandshakeFormat format)
    {
        var own = group.InsiderGroup;
        var (proposal, commit) = (content.Proposal, content.Commit);
        var framed = new FramedContent
        {
            GroupId = own.GroupId,
            Epoch = own.Epoch,
            Sender = new Sender { Type = SenderType.Member, Index = own.OwnLeaf },
            AuthenticatedData = content.AuthenticatedData,
            ContentType = content.ContentType,
            Proposal = proposal is null ? null : Resign(proposal),
            Commit = commit is null ? null : Resign(commit),
        };
        if (framed is { Proposal: null, Commit: null })
        {
            return null;
        }

        var wireFormat = format == HandshakeFormat.Public ? WireFormat.PublicMessage : WireFormat.PrivateMessage;
        var state = own.State;
        var protection = new MessageProtection(
            own.Suite, state.Context, state.Secrets, state.Ratchets, own.OwnLeaf, group.Insider.Services.PaddingBytes);
        var signed = protection.Sign(wireFormat, framed, group.Insider.Member.SignatureKey);
        signed = framed.Commit is null ? signed : signed.WithConfirmationTag(confirmationTag);
        return format == HandshakeFormat.Public
            ? TlsCodec.Encode(new MlsMessage(protection.ToPublic(signed)))
            : protection.ToPrivate(signed, group.Insider.Services.Random);
    }

    /// <summary>A GroupInfo with the tree hash of the tree that it carries, signed by the insider.</summary>
    public GroupInfo Sign(GroupInfo info, byte[]? confirmationTag = null)
    {
        var context = info.Context;
        var tree = info.Extensions.FirstOrDefault(static extension => extension.Type == ExtensionType.RatchetTree);
        var hash = tree is not null && TlsCodec.TryDecode<RatchetTree>(tree.Data, out var wire, out _)
            && PublicTree.TryCreate(FuzzGroup.Suite, wire, out var read, out _)
            ? read.TreeHash.ToArray() : context.TreeHash;
        var fitting = new GroupContext
        {
            Version = context.Version,
            CipherSuite = context.CipherSuite,
            GroupId = context.GroupId,
            Epoch = context.Epoch,
            TreeHash = hash,
            ConfirmedTranscriptHash = context.ConfirmedTranscriptHash,
            Extensions = context.Extensions,
        };
        return Build(GroupInfoValidation.Sign(Build([]), FuzzGroup.Suite, group.Insider.Member.SignatureKey));

        GroupInfo Build(byte[] signature) => new()
        {
            Context = fitting,
            Extensions = info.Extensions,
            ConfirmationTag = confirmationTag ?? info.ConfirmationTag,
            Signer = group.InsiderGroup.OwnLeaf,
            Signature = signature,
        };
    }

    /// <summary>A Welcome for the outsider, sealed by somebody who chose its joiner secret.</summary>
    public Welcome Welcome(GroupInfo info, GroupSecrets secrets)
    {
        var suite = FuzzGroup.Suite;
        var noPsk = new byte[suite.HashSize];
        using var epoch = EpochSecrets.FromJoiner(suite, secrets.JoinerSecret, noPsk, TlsCodec.Encode(info.Context));
        var signed = Sign(info, epoch.ConfirmationTag(info.Context.ConfirmedTranscriptHash));
        var encryptedInfo = WelcomeSecrets.SealGroupInfo(suite, secrets.JoinerSecret, noPsk, signed);
        return new Welcome
        {
            CipherSuite = suite.Id,
            Secrets =
            [
                WelcomeSecrets.TrySealGroupSecrets(
                    suite, group.Outsider.Bundle.KeyPackage, encryptedInfo, secrets, group.Insider.Services.Random,
                    out var sealedSecrets)
                    ? sealedSecrets : throw new InvalidOperationException("The outsider's own key was refused."),
            ],
            EncryptedGroupInfo = encryptedInfo,
        };
    }

    private Commit Resign(Commit commit) => new()
    {
        Proposals =
        [
            .. commit.Proposals.Select(item =>
                item.Proposal is { } proposal ? new ProposalOrRef(Resign(proposal)) : item),
        ],
        Path = commit.Path is { } path
            ? new UpdatePath { LeafNode = Resign(path.LeafNode, group.Insider), Nodes = path.Nodes } : null,
    };

    private Proposal Resign(Proposal proposal) => proposal switch
    {
        AddProposal add => new AddProposal { KeyPackage = Resign(add.KeyPackage) },
        UpdateProposal update => new UpdateProposal { LeafNode = Resign(update.LeafNode, group.Insider) },
        _ => proposal,
    };

    private KeyPackage Resign(KeyPackage keyPackage)
    {
        var leaf = Resign(keyPackage.LeafNode, group.Outsider);
        return Build(KeyPackageValidation.Sign(Build([]), FuzzGroup.Suite, group.Outsider.Member.SignatureKey));

        KeyPackage Build(byte[] signature) => new()
        {
            Version = keyPackage.Version,
            CipherSuite = keyPackage.CipherSuite,
            InitKey = keyPackage.InitKey,
            LeafNode = leaf,
            Extensions = keyPackage.Extensions,
            Signature = signature,
        };
    }

    private LeafNode Resign(LeafNode leaf, FuzzPerson signer)
    {
        var own = group.InsiderGroup;
        return Build(LeafNodeValidation.Sign(
            Build([]), FuzzGroup.Suite, signer.Member.SignatureKey, own.GroupId, own.OwnLeaf));

        LeafNode Build(byte[] signature) => new()
        {
            EncryptionKey = leaf.EncryptionKey,
            SignatureKey = signer.Member.PublicSignatureKey,
            Credential = leaf.Credential,
            Capabilities = leaf.Capabilities,
            Source = leaf.Source,
            Lifetime = leaf.Lifetime,
            ParentHash = leaf.ParentHash,
            Extensions = leaf.Extensions,
            Signature = signature,
        };
    }
}
