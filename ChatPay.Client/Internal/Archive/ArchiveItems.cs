using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Archive;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <summary>What of a conversation goes into an archive: messages that were opened or sent, and nothing around them.</summary>
internal static class ArchiveItems
{
    /// <summary>A message as it comes, or as this device's own is committed.</summary>
    /// <param name="card">The card, as far as it is one.</param>
    public static ArchivedContent? Of(MessageContent? content, ChatCard? card) => content switch
    {
        { Expires: true } => null,
        MessageContent.Text text => new ArchivedContent.Text(text.Value),
        MessageContent.GroupName name => new ArchivedContent.GroupName(name.Value),
        MessageContent.CardDetails when card is not null => Of(card),
        _ => null,
    };

    /// <summary>A message out of this device's history.</summary>
    public static bool TryRead(ChatItem item, [NotNullWhen(true)] out ArchivedItem? archived)
    {
        var content = item switch
        {
            { Expires: true } => null,
            TextMessage text => new ArchivedContent.Text(text.Text),
            GroupRenamed name => new ArchivedContent.GroupName(name.Name),

            // One without a memo was not opened here.
            CardPosted { Card: { Memo: not null } card } => Of(card),
            _ => (ArchivedContent?)null,
        };
        var id = item is TextMessage message ? message.Id : item.ClientId;
        archived = content is not null && item is { By: { } by, Device: { } device } && id is { } known && known != default
            ? new ArchivedItem(item.Conversation, item.Seq, item.At, by.Id, device, known, content) : null;
        return archived is not null;
    }

    /// <summary>Null for terms that no card can have, whatever the server says: nobody would read them.</summary>
    private static ArchivedContent.Card? Of(ChatCard card)
    {
        var view = card.View;
        return AssetCode.TryParse(view.Asset, out _) && Enum.IsDefined(view.Kind)
            && view.AmountMinor is > 0 and <= Limits.AmountMaxMinor
                ? new ArchivedContent.Card(
                    view.Id, card.Memo, card.Trust == CardTrust.Verified, view.Kind, view.Payer, view.Payee, view.AmountMinor,
                    view.Asset)
                : null;
    }
}
