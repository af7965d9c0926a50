using System.Collections.Concurrent;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// People tell each other, inside their encrypted messages, what they have seen of the key log: a server that shows two
/// histories is found out as soon as somebody who sees the one writes to somebody who sees the other.
/// </summary>
internal sealed class LogGossip(DeviceCore core, KeyLogFollower log)
{
    private const int Remembered = 10_000;

    /// <summary>What a conversation was told is told again this much later.</summary>
    private static readonly TimeSpan s_again = TimeSpan.FromHours(1);

    private readonly ConcurrentDictionary<ConversationId, DateTimeOffset> _told = new();
    private readonly ConcurrentDictionary<string, bool> _compared = new(StringComparer.Ordinal);

    /// <summary>What the next message in a conversation says; null for most of them.</summary>
    public string? Next(ConversationId conversation)
    {
        var now = core.Time.GetUtcNow();
        if (log.Newest is not { Size: > 0 } newest
            || (_told.TryGetValue(conversation, out var told) && now - told < s_again))
        {
            return null;
        }

        Bound(_told);
        _told[conversation] = now;
        return newest.Note;
    }

    /// <summary>Compares what somebody else has seen with what this device has, in the background and once.</summary>
    /// <param name="note">A signed checkpoint, or whatever the sender took for one.</param>
    public void Take(AccountId sender, string note)
    {
        if (log.Newest?.Note == note)
        {
            return;
        }

        Bound(_compared);
        if (!_compared.TryAdd(note, true))
        {
            return;
        }

        core.Background(async cancellationToken =>
        {
            try
            {
                await log.CompareAsync(sender, note, cancellationToken);
            }
            catch
            {
                // It is looked at when the next message says so.
                _compared.TryRemove(note, out _);
                throw;
            }
        });
    }

    private static void Bound<TKey, TValue>(ConcurrentDictionary<TKey, TValue> some)
        where TKey : notnull
    {
        if (some.Count >= Remembered)
        {
            some.Clear();
        }
    }
}
