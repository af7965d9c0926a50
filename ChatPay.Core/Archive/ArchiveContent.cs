using ChatPay.Core.Protocol;

namespace ChatPay.Core.Archive;

/// <summary>What a chunk of an archive says.</summary>
/// <param name="People">The senders of the items, so that they have names where nobody knows them any more.</param>
/// <param name="PassedOver">
/// Items and people that were read over: of types to come, out of the protocol's bounds, or in a chunk of a version to come.
/// </param>
public sealed record ArchiveContent(
    IReadOnlyList<AccountView> People, IReadOnlyList<ArchivedItem> Items, int PassedOver = 0);

/// <summary>One message, as the device that archived it opened or sent it.</summary>
/// <param name="At">The server's time.</param>
/// <param name="Account">Who sent it.</param>
/// <param name="Device">With which device.</param>
/// <param name="Id">What the sender called it; with <paramref name="Device"/> it is the same on all devices.</param>
public sealed record ArchivedItem(
    ConversationId Conversation, long Seq, DateTimeOffset At, AccountId Account, DeviceId Device, ClientMessageId Id,
    ArchivedContent Content);

/// <summary>What an archived message says.</summary>
public abstract record ArchivedContent
{
    private ArchivedContent()
    {
    }

    /// <summary>What somebody said.</summary>
    public sealed record Text(string Value) : ArchivedContent;

    /// <summary>What the group was called from there on.</summary>
    public sealed record GroupName(string Value) : ArchivedContent;

    /// <summary>A card's terms as the archiving device saw them, and what it made of them.</summary>
    /// <param name="Memo">Null where it could not read it.</param>
    /// <param name="IsSound">Whether the details were what the author had committed to.</param>
    public sealed record Card(
        CardId Id, string? Memo, bool IsSound, CardKind Kind, AccountId Payer, AccountId Payee, long AmountMinor,
        string Asset) : ArchivedContent;
}
