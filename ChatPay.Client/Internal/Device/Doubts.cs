using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// Messages that were given up although the server may have accepted them. Nobody can decrypt what they have sent
/// themselves, so they are kept until the log tells of them, or the program sends them again.
/// </summary>
internal sealed class Doubts(DeviceCore core)
{
    /// <summary>So many of each conversation, the latest.</summary>
    private const int Kept = 100;

    public async ValueTask KeepAsync(Batch batch, OutboxRecord record, CancellationToken cancellationToken)
    {
        var kept = new List<(string Key, DateTimeOffset At)>();
        await foreach (var (key, value) in core.ListAsync(StoreKeys.DoubtsOf(record.Conversation), cancellationToken))
        {
            kept.Add((key, DeviceCore.Decode<OutboxRecord>(value).At));
        }

        foreach (var (key, _) in kept.OrderByDescending(static doubt => doubt.At).Skip(Kept - 1))
        {
            batch.Put(key, null);
        }

        batch.Put(StoreKeys.Doubt(record.Conversation, record.ClientId), DeviceCore.Encode(record));
    }

    /// <summary>It is none any more once the batch is written; null where there was none.</summary>
    public async ValueTask<OutboxRecord?> TakeAsync(
        Batch batch, ConversationId conversation, ClientMessageId message, CancellationToken cancellationToken)
    {
        var key = StoreKeys.Doubt(conversation, message);
        if (await core.ReadAsync<OutboxRecord>(key, cancellationToken) is not { } doubt)
        {
            return null;
        }

        batch.Put(key, null);
        return doubt;
    }

    /// <summary>
    /// What the program sends again under its id goes as it was, so that the server knows it again; null for what is
    /// new.
    /// </summary>
    public async ValueTask<OutboxRecord?> TakeAgainAsync(
        Batch batch, Sending sending, CancellationToken cancellationToken) =>
        sending is { IsNamed: true, Record: { Order: 0 } record }
            ? await TakeAsync(batch, record.Conversation, record.ClientId, cancellationToken) : null;
}
