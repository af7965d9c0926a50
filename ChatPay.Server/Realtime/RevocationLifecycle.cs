using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Cluster;
using ChatPay.Server.Conversations;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Realtime;

/// <summary>A revoked device is cut off at once, and its leaves wait to be removed.</summary>
internal sealed class RevocationLifecycle(
    ConnectionRegistry registry, ConversationService conversations, Sessions sessions, HintOutbox outbox)
    : IAccountLifecycle
{
    public async Task DeviceRevokedAsync(AccountId account, DeviceId device, CancellationToken cancellationToken)
    {
        foreach (var connection in registry.OfDevice(device))
        {
            connection.End();
        }

        outbox.SessionEnded(device);
        await conversations.RevokeDeviceAsync(account, device, cancellationToken);
    }

    public async Task SessionsEndedAsync(DeviceId device, CancellationToken cancellationToken)
    {
        outbox.SessionEnded(device);
        foreach (var connection in registry.OfDevice(device))
        {
            if (!await sessions.IsLiveAsync(connection.User, cancellationToken))
            {
                connection.End();
            }
        }
    }
}
