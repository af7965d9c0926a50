namespace ChatPay.Core.Mls;

/// <summary>What RFC 9420 section 12.1 asks of each proposal by itself, in the epoch that it is made in.</summary>
internal sealed class ProposalChecks(PublicState state, MlsServices services)
{
    /// <summary>Whether lifetimes are judged; always for what this client sends.</summary>
    public bool JudgesLifetimes { get; init; } = services.JudgesReceivedLifetimes;

    /// <summary>
    /// What a resumption key may be for besides the application; only a new group's first commit has such.
    /// </summary>
    public ResumptionPskUsage Founding { get; init; } = ResumptionPskUsage.Application;

    /// <summary>Section 12.1.8: what a sender of this kind may propose at all.</summary>
    public static bool MaySend(SenderType sender, Proposal proposal) => sender switch
    {
        SenderType.Member => proposal is not ExternalInitProposal,
        SenderType.External => proposal is AddProposal or RemoveProposal or PreSharedKeyProposal or ReInitProposal
            or GroupContextExtensionsProposal,
        SenderType.NewMemberProposal => proposal is AddProposal,
        SenderType.NewMemberCommit => proposal is RemoveProposal or PreSharedKeyProposal or ExternalInitProposal,
        _ => false,
    };

    public MlsRejection Check(SentProposal sent) => !MaySend(sent.Sender.Type, sent.Proposal)
        ? MlsRejection.SenderForbidden
        : sent.Proposal switch
        {
            AddProposal add => CheckKeyPackage(add.KeyPackage),
            UpdateProposal update => CheckUpdate(sent.Sender.Index, update.LeafNode),
            RemoveProposal remove => state.Tree.Leaf(remove.Removed) is null
                ? MlsRejection.LeafUnknown : MlsRejection.None,
            PreSharedKeyProposal psk => CheckPsk(psk.Psk),
            ReInitProposal reInit => CheckReInit(reInit),
            GroupContextExtensionsProposal extensions => CheckExtensions(extensions.Extensions),
            ExternalInitProposal externalInit => externalInit.KemOutput.Length == state.Suite.PublicKeySize
                ? MlsRejection.None : MlsRejection.ProposalInvalid,
            _ => MlsRejection.UnknownProposalType,
        };

    /// <summary>Section 10.1.</summary>
    public MlsRejection CheckKeyPackage(KeyPackage keyPackage)
    {
        if (keyPackage.CipherSuite != state.Suite.Id)
        {
            return MlsRejection.UnsupportedCipherSuite;
        }

        var rejection = KeyPackageValidation.Check(keyPackage);
        rejection = rejection == MlsRejection.None ? CheckLifetime(keyPackage.LeafNode) : rejection;
        return rejection == MlsRejection.None ? CheckCredential(keyPackage.LeafNode) : rejection;
    }

    /// <summary>
    /// Sections 7.2 and 7.3: a lifetime no longer than the application allows, and the present within it where that is
    /// judged. Only leaves of key packages have one.
    /// </summary>
    public MlsRejection CheckLifetime(LeafNode leaf)
    {
        if (leaf.Lifetime is not { } lifetime)
        {
            return MlsRejection.None;
        }

        var now = services.Time.GetUtcNow();
        var isValid = lifetime.NotAfter >= lifetime.NotBefore
            && (services.LongestLifetime is not { } longest
                || lifetime.NotAfter - lifetime.NotBefore <= (ulong)longest.TotalSeconds)
            && (!JudgesLifetimes
                || (lifetime.NotBefore <= (ulong)(now + services.ClockSkew).ToUnixTimeSeconds()
                    && lifetime.NotAfter >= (ulong)(now - services.ClockSkew).ToUnixTimeSeconds()));
        return isValid ? MlsRejection.None : MlsRejection.LifetimeInvalid;
    }

    /// <summary>
    /// Section 5.3.1: a leaf of the same member with another credential or signature key, if it has one.
    /// </summary>
    public MlsRejection CheckSuccession(LeafNode current, LeafNode next)
    {
        if (IsSameIdentity(current, next))
        {
            return MlsRejection.None;
        }

        var rejection = CheckCredential(next);
        return rejection == MlsRejection.None && !services.Credentials.MayReplace(current, next)
            ? MlsRejection.SuccessionRefused : rejection;
    }

    /// <summary>A leaf that an external commit brings, section 12.4.3.2.</summary>
    /// <param name="replaced">The joiner's former leaf, if it removes one.</param>
    public MlsRejection CheckJoiner(LeafNode? replaced, LeafNode leaf)
    {
        if (replaced is null)
        {
            return CheckCredential(leaf);
        }

        return leaf.EncryptionKey.AsSpan().SequenceEqual(replaced.EncryptionKey)
            ? MlsRejection.KeyReused : CheckSuccession(replaced, leaf);
    }

    public MlsRejection CheckCredential(LeafNode leaf) =>
        services.Credentials.IsValid(leaf.Credential, leaf.SignatureKey)
            ? MlsRejection.None : MlsRejection.CredentialRefused;

    /// <summary>
    /// Sections 12.1.7 and 5.3.1: extensions that can be read, and external senders that are what they say.
    /// </summary>
    public MlsRejection CheckExtensions(IReadOnlyList<Extension> extensions)
    {
        if (!ContextExtensions.TryRead(extensions, out var read, out var rejection))
        {
            return rejection;
        }

        return read.ExternalSenders.All(sender => services.Credentials.IsValid(sender.Credential, sender.SignatureKey))
            ? MlsRejection.None : MlsRejection.CredentialRefused;
    }


    /// <summary>Section 7.3.</summary>
    private MlsRejection CheckUpdate(uint sender, LeafNode leaf)
    {
        if (state.Tree.Leaf(sender) is not { } current)
        {
            return MlsRejection.LeafUnknown;
        }

        if (leaf.Source != LeafNodeSource.Update)
        {
            return MlsRejection.LeafNodeSourceWrong;
        }

        if (leaf.EncryptionKey.AsSpan().SequenceEqual(current.EncryptionKey))
        {
            return MlsRejection.KeyReused;
        }

        var rejection = LeafNodeValidation.Check(leaf, state.Suite, state.Context.GroupId, sender);
        return rejection == MlsRejection.None ? CheckSuccession(current, leaf) : rejection;
    }

    private MlsRejection CheckPsk(PreSharedKeyId id)
    {
        var isUsable = id is not ResumptionPskId resumption
            || resumption.Usage == ResumptionPskUsage.Application || resumption.Usage == Founding;
        return isUsable && id.Nonce.Length == state.Suite.HashSize ? MlsRejection.None : MlsRejection.PskInvalid;
    }

    private MlsRejection CheckReInit(ReInitProposal reInit)
    {
        if (reInit.Version < state.Context.Version)
        {
            return MlsRejection.ProposalInvalid;
        }

        return ContextExtensions.TryRead(reInit.Extensions, out _, out var rejection) ? MlsRejection.None : rejection;
    }

    private static bool IsSameIdentity(LeafNode current, LeafNode next) =>
        next.SignatureKey.AsSpan().SequenceEqual(current.SignatureKey)
        && TlsCodec.Encode(next.Credential).AsSpan().SequenceEqual(TlsCodec.Encode(current.Credential));
}
