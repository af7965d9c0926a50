namespace ChatPay.Core.Mls;

/// <summary>What a client that joins by a Welcome may know besides it.</summary>
public sealed record JoinOptions
{
    /// <summary>The ratchet tree, where the Welcome does not carry it.</summary>
    public RatchetTree? Tree { get; init; }

    /// <summary>
    /// The group that this one was made from by reinitialisation or branching, RFC 9420 sections 11.2 and 11.3; without
    /// it such a Welcome is refused.
    /// </summary>
    public Group? Origin { get; init; }

    /// <summary>
    /// Whether this client is in a group of that id already, which makes the Welcome invalid (section 12.4.3.1); null
    /// where the caller sees to that itself.
    /// </summary>
    public Func<byte[], bool>? IsJoined { get; init; }
}

/// <summary>How a client joins by an external commit, RFC 9420 section 12.4.3.2.</summary>
public sealed record ExternalJoin
{
    /// <summary>The ratchet tree, where the GroupInfo does not carry it.</summary>
    public RatchetTree? Tree { get; init; }

    /// <summary>
    /// Whether a leaf with this client's signature key is replaced (a resync); the join is refused if it is not and
    /// there is one.
    /// </summary>
    public bool Resync { get; init; } = true;

    /// <summary>
    /// A leaf to replace that has another signature key, if the members let this client succeed to it.
    /// </summary>
    public uint? Replaces { get; init; }

    /// <summary>Pre-shared keys that the commit names, found with <see cref="MlsServices.ExternalPsk"/>.</summary>
    public IReadOnlyList<PreSharedKeyId> Psks { get; init; } = [];

    /// <summary>Sent along, signed and not encrypted.</summary>
    public ReadOnlyMemory<byte> AuthenticatedData { get; init; }
}
