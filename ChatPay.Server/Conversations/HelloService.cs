using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Conversations;

/// <summary>
/// The first call on a connection: from here on it hears its conversations, and it learns which of them have moved on
/// while it was away.
/// </summary>
internal sealed class HelloService(
    ConnectionRegistry registry, ConversationStore conversations, ConversationViews views,
    Lineage lineage, TimeProvider time)
{
    public async Task<Result<HelloReply>> HelloAsync(
        ClientConnection connection, HelloRequest request, CancellationToken cancellationToken)
    {
        if (Refusal(connection, request) is { } refusal)
        {
            return refusal;
        }

        // Read, then heard: what was pushed to others in between the registry knows of, and what this node had not heard of
        // by then the watch over heads finds.
        var account = connection.Caller.Account;
        registry.BeginHello(connection);
        var arrival = await conversations.ArriveAsync(connection.Caller, cancellationToken);
        var ahead = registry.EndHello(connection, arrival.Memberships);

        // Cursors into another history say nothing of how far one is in this one, and still where one believes to be.
        var isThis = request.Lineage == lineage.Id;
        var cursors = request.Cursors.ToDictionary(cursor => cursor.Conversation, cursor => cursor.Seq);
        var differing = new List<Cursor>();
        foreach (var membership in arrival.Memberships)
        {
            var isSame = cursors.Remove(membership.Conversation, out var seq) && isThis && seq == membership.Head;
            if (!isSame && !ahead.Contains(membership.Conversation))
            {
                differing.Add(new(membership.Conversation, membership.Head));
            }
        }

        // What this node is ahead of is always shown whole, for the head that was read is not its head any more.
        var heads = TakeHeads(differing, request, ahead.Count);
        ConversationId[] changed = [.. ahead, .. differing.Select(one => one.Conversation)];
        return new HelloReply(
            lineage.Id, time.GetUtcNow(), account, await views.ViewsAsync(account, changed, cancellationToken),
            [.. cursors.Keys], arrival.DeviceMessagesWaiting, arrival.KeyPackagesLeft,
            arrival.ReadElsewhere is [] ? null : arrival.ReadElsewhere, heads);
    }

    /// <summary>
    /// Takes out what is too much to be shown whole. What stays is what the client has had last, and then what was created
    /// last, for that is what people look at first.
    /// </summary>
    /// <returns>Null where everything can stay.</returns>
    private static List<Cursor>? TakeHeads(List<Cursor> differing, HelloRequest request, int shown)
    {
        if (request.Views is not { } most || shown + differing.Count <= most)
        {
            return null;
        }

        var places = request.Cursors.Index().ToDictionary(cursor => cursor.Item.Conversation, cursor => cursor.Index);
        differing.Sort((one, other) =>
        {
            var order = PlaceOf(one).CompareTo(PlaceOf(other));
            return order != 0 ? order : other.Conversation.Value.CompareTo(one.Conversation.Value);
        });
        var room = Math.Max(0, most - shown);
        var heads = differing[room..];
        differing.RemoveRange(room, heads.Count);
        return heads;

        int PlaceOf(Cursor cursor) => places.GetValueOrDefault(cursor.Conversation, int.MaxValue);
    }

    private static Error? Refusal(ClientConnection connection, HelloRequest request)
    {
        if (request.Device != connection.Caller.Device)
        {
            return new Error(ErrorCode.WrongDevice, "This session belongs to another device.");
        }

        if (request.Protocol != Limits.ProtocolVersion)
        {
            return new Error(ErrorCode.UpgradeRequired, "This client and this server speak different versions.");
        }

        if (request.Views is < 1 or > Limits.ViewsPerHello)
        {
            return new Error(ErrorCode.InvalidArgument, $"Views are 1 to {Limits.ViewsPerHello}, or left out.");
        }

        return request.Cursors.Count <= Limits.CursorsPerHello && ConversationService.AreDistinct(request.Cursors)
            ? null
            : new Error(
                ErrorCode.InvalidArgument,
                $"At most {Limits.CursorsPerHello} cursors, each conversation once, with a seq from 0.");
    }
}
