using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>One account's place in a conversation, kept after it has left.</summary>
/// <param name="JoinedSeq">Its log starts here.</param>
/// <param name="LeftSeq">Its log ends here, with the event that removed it; null while it is a member.</param>
public sealed record Member(AccountId Account, MemberRole Role, long JoinedSeq, long? LeftSeq)
{
    public bool IsLive => LeftSeq is null;

    /// <summary>Whether this member may read the event at <paramref name="seq"/>.</summary>
    public bool MaySee(long seq) => seq >= JoinedSeq && (LeftSeq is null || seq <= LeftSeq);
}

/// <summary>One leaf of the conversation's ratchet tree, as the public commits have made it.</summary>
/// <param name="Pending">
/// Its device was revoked or its account has left: it receives nothing more and waits to be removed by a commit.
/// </param>
public sealed record GroupLeaf(int Index, DeviceId Device, AccountId Account, long AddedSeq, bool Pending);
