using ChatPay.Core.Protocol;
using ChatPay.Server.KeyPackages;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Conversations;

/// <summary>
/// The first call on a connection: from here on it hears its conversations, and it learns which of them have moved on
/// while it was away.
/// </summary>
internal sealed class HelloService(
    ConnectionRegistry registry, ConversationStore conversations, ConversationViews views,
    DeviceMessageStore deviceMessages, KeyPackageStock keyPackages, Lineage lineage, TimeProvider time)
{
    public async Task<Result<HelloReply>> HelloAsync(
        ClientConnection connection, HelloRequest request, CancellationToken cancellationToken)
    {
        if (Refusal(connection, request) is { } refusal)
        {
            return refusal;
        }

        // First heard, then read: what is committed in between is pushed, and at worst seen twice.
        var (account, device) = connection.Caller;
        registry.BeginHello(connection);
        registry.EndHello(connection, await conversations.MembershipsAsync(account, cancellationToken));

        // Cursors into another history say nothing about this one.
        var cursors = request.Lineage == lineage.Id ? request.Cursors : [];
        var (changed, gone) = await conversations.CompareAsync(account, cursors, cancellationToken);
        return new HelloReply(
            lineage.Id, time.GetUtcNow(), account, await views.ViewsAsync(account, changed, cancellationToken), gone,
            await deviceMessages.CountAsync(device, cancellationToken),
            await keyPackages.LeftAsync(device, cancellationToken));
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
