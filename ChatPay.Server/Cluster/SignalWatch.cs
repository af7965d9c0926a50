using ChatPay.Server.Realtime;

namespace ChatPay.Server.Cluster;

/// <summary>Finds receipts and device messages that other nodes have written and this one was not told of.</summary>
internal sealed class SignalWatch(
    FoundStore store, ClusterNode node, ConnectionRegistry registry, PushedReceipts receipts, PushedMessages messages,
    TimeProvider time)
{
    private static readonly TimeSpan s_cleaning = TimeSpan.FromSeconds(15);

    private ulong? _since;
    private long _cleanedAt = time.GetTimestamp();

    /// <summary>The database may be another one than before: the next look begins anew.</summary>
    public void Distrust() => _since = null;

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var found = await store.SinceAsync(_since, node.Id, cancellationToken);
        if (found.Next < _since)
        {
            // Time went back, as after a fail-over that lost the newest transactions.
            found = await store.SinceAsync(null, node.Id, cancellationToken);
        }

        _since = found.Next;
        foreach (var receipt in found.Receipts)
        {
            if (registry.IsHeard(receipt.Conversation) && receipts.IsNew(receipt))
            {
                registry.ToConversation(receipt.Conversation, Push.Of(receipt));
            }
        }

        Guid[] missed =
        [
            .. found.Messages.Where(one => registry.IsConnected(one.Device) && !messages.IsKnown(one.Message))
                .Select(one => one.Message),
        ];
        if (missed.Length > 0)
        {
            foreach (var (device, message) in await store.MessagesAsync(missed, cancellationToken))
            {
                if (messages.IsNew(message.Id))
                {
                    registry.ToDevice(device, Push.Of(message));
                }
            }
        }

        if (time.GetElapsedTime(_cleanedAt) >= s_cleaning)
        {
            _cleanedAt = time.GetTimestamp();
            await store.DeleteOldRoundsAsync(cancellationToken);
        }
    }
}
