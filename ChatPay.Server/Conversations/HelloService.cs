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
        var changed = registry.EndHello(connection, arrival.Memberships);

        // Cursors into another history say nothing about this one.
        var cursors = (request.Lineage == lineage.Id ? request.Cursors : [])
            .ToDictionary(cursor => cursor.Conversation, cursor => cursor.Seq);
        foreach (var membership in arrival.Memberships)
        {
            if (!cursors.Remove(membership.Conversation, out var seq) || seq != membership.Head)
            {
                changed.Add(membership.Conversation);
            }
        }

        return new HelloReply(
            lineage.Id, time.GetUtcNow(), account, await views.ViewsAsync(account, [.. changed], cancellationToken),
            [.. cursors.Keys], arrival.DeviceMessagesWaiting, arrival.KeyPackagesLeft,
            arrival.ReadElsewhere is [] ? null : arrival.ReadElsewhere);
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

        return request.Cursors.Count <= Limits.CursorsPerHello && ConversationService.AreDistinct(request.Cursors)
            ? null
            : new Error(
                ErrorCode.InvalidArgument,
                $"At most {Limits.CursorsPerHello} cursors, each conversation once, with a seq from 0.");
    }
}
