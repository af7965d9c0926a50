using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Server.Conversations;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using Npgsql;

namespace ChatPay.Server.Cards;

/// <summary>
/// What one batch gives out of a packet is told in one event, whose card is as the last of them left it. It writes nothing of its
/// own.
/// </summary>
internal sealed class PacketClaimRows : WriteRows
{
    private readonly Dictionary<CardId, (Event Logged, List<CardPart> Parts)> _told = [];

    public override int LockOrder => 430;

    /// <summary>Tells of a claim, with those that the batch has taken before.</summary>
    /// <returns>The event.</returns>
    public Event Tell(WriteSet set, Caller caller, CardMove move)
    {
        var conversations = set.Rows<ConversationRows>();
        var card = move.Card.Terms.Card;
        if (_told.TryGetValue(card, out var told))
        {
            told.Parts.Add(move.Part!);
            var amended = conversations.Amend(told.Logged, move.Card.ToView([.. told.Parts]));
            _told[card] = (amended, told.Parts);
            return amended;
        }

        var logged = conversations.Append(
            move.Card.Terms.Conversation,
            new NewEvent(EventKind.CardChanged, caller.Account, caller.Device, Card: move.View));
        _told.Add(card, (logged, [move.Part!]));
        return logged;
    }

    public override void AddLoads(NpgsqlBatch batch)
    {
        // Cards load what it is about.
    }

    public override Task ReadLoadsAsync(LoadReader reader, CancellationToken cancellationToken) => Task.CompletedTask;

    public override void AddWrites(NpgsqlBatch batch)
    {
        // Conversations write the event.
    }
}

internal sealed class PacketClaimRowsFactory : IWriteRowsFactory
{
    public WriteRows Create(WriteSet set) => new PacketClaimRows();
}
