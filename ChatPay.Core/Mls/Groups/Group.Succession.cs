namespace ChatPay.Core.Mls;

/// <content>Groups made from this one, RFC 9420 sections 11.2 and 11.3.</content>
public sealed partial class Group
{
    /// <summary>
    /// Founds the group that takes this one's place after a ReInit was committed, section 11.2; any member may. All
    /// members are in it, and join it with <see cref="JoinOptions.Origin"/>.
    /// </summary>
    /// <param name="keyPackages">One of each other member, for the new group's suite.</param>
    /// <param name="self">This client in the new group; null for the same as here.</param>
    /// <returns>A commit to <see cref="PendingCommit.Activate"/>, whose Welcome goes to the members.</returns>
    /// <exception cref="InvalidOperationException">
    /// No ReInit was committed, or to a version or suite unknown here.
    /// </exception>
    /// <exception cref="ArgumentException">
    /// The key packages are not those of the members, or do not fit the new group; the message says why.
    /// </exception>
    public PendingCommit Reinitialise(IReadOnlyList<KeyPackage> keyPackages, MlsMember? self = null)
    {
        ArgumentNullException.ThrowIfNull(keyPackages);
        var state = Require();
        if (state.ReInit is not { } reInit)
        {
            throw new InvalidOperationException("Nobody gave this group up for another.");
        }

        if (reInit.Version != ProtocolVersion.Mls10 || !MlsCipherSuite.TryGet(reInit.CipherSuite, out var suite))
        {
            throw new InvalidOperationException($"Suite {reInit.CipherSuite} of version {reInit.Version} is unknown.");
        }

        return Found(
            suite, reInit.GroupId, reInit.Extensions, keyPackages, self ?? _self, ResumptionPskUsage.Reinit);
    }

    /// <summary>
    /// Founds a group of some of this one's members, section 11.3, with the same suite; they join it with
    /// <see cref="JoinOptions.Origin"/>.
    /// </summary>
    /// <param name="groupId">The new group's; no other group's.</param>
    /// <param name="keyPackages">One of each other member who shall be in it.</param>
    /// <param name="contextExtensions">Of the new group; null for none.</param>
    /// <param name="self">This client in the new group; null for the same as here.</param>
    /// <returns>A commit to <see cref="PendingCommit.Activate"/>, whose Welcome goes to the members.</returns>
    /// <exception cref="InvalidOperationException">This member was removed, or the group given up.</exception>
    /// <exception cref="ArgumentException">
    /// The key packages are not those of members, or do not fit the new group; the message says why.
    /// </exception>
    public PendingCommit Branch(
        byte[] groupId, IReadOnlyList<KeyPackage> keyPackages, IReadOnlyList<Extension>? contextExtensions = null,
        MlsMember? self = null)
    {
        ArgumentNullException.ThrowIfNull(groupId);
        ArgumentNullException.ThrowIfNull(keyPackages);
        RequireActive();
        return Found(Suite, groupId, contextExtensions ?? [], keyPackages, self ?? _self, ResumptionPskUsage.Branch);
    }

    private PendingCommit Found(
        MlsCipherSuite suite, byte[] groupId, IReadOnlyList<Extension> extensions,
        IReadOnlyList<KeyPackage> keyPackages, MlsMember self, ResumptionPskUsage usage)
    {
        var nonce = new byte[suite.HashSize];
        _services.Random(nonce);
        var psk = new ResumptionPskId { Usage = usage, GroupId = GroupId, Epoch = Epoch, Nonce = nonce };
        using var founded = new Group(CreateState(suite, groupId, self, _services, extensions), self, _services);
        var request = new MlsCommitRequest
        {
            Proposals =
            [
                .. keyPackages.Select(static keyPackage => new AddProposal { KeyPackage = keyPackage }),
                new PreSharedKeyProposal { Psk = psk },
            ],
            ForcePath = true,
        };
        if (!founded.TryCommit(request, usage, FindOwnResumptionKey, out var pending, out var rejection))
        {
            throw new ArgumentException($"The members would refuse the group: {rejection}.", nameof(keyPackages));
        }

        var origin = GroupOrigin.Of([psk], this, out rejection);
        rejection = origin?.Check(pending.Known, _services.Credentials) ?? rejection;
        if (rejection == MlsRejection.None)
        {
            return pending.ForNobody();
        }

        pending.Dispose();
        throw new ArgumentException("The key packages are not those of the members.", nameof(keyPackages));
    }
}
