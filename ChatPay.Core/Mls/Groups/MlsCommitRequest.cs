namespace ChatPay.Core.Mls;

/// <summary>What a member's commit shall do.</summary>
public sealed record MlsCommitRequest
{
    /// <summary>Proposals that the commit holds in full, in this order.</summary>
    public IReadOnlyList<Proposal> Proposals { get; init; } = [];

    /// <summary>
    /// Whether to take up, by reference, the proposals that were received or sent in this epoch: all that go together,
    /// by RFC 9420 section 12.2's preferences. Those that contradict <see cref="Proposals"/> are left out.
    /// </summary>
    public bool IncludePending { get; init; } = true;

    /// <summary>
    /// Whether to refresh this member's keys even where the proposals do not ask for it. Without it a commit that only
    /// adds members is smaller and leaves them unmerged.
    /// </summary>
    public bool ForcePath { get; init; }

    /// <summary>Sent along, signed and not encrypted.</summary>
    public ReadOnlyMemory<byte> AuthenticatedData { get; init; }

    public HandshakeFormat Format { get; init; }

    /// <summary>Whether the Welcome carries the ratchet tree; without it new members need it from elsewhere.</summary>
    public bool TreeInWelcome { get; init; } = true;

    /// <summary>
    /// With what identity this member goes on: another signature key or credential from this commit on. It makes the
    /// commit have a path. Null to stay as it is.
    /// </summary>
    public MlsMember? NextIdentity { get; init; }
}
