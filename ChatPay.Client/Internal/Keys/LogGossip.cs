using System.Collections.Concurrent;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// People tell each other, inside their encrypted messages, what they have seen of the key log: a server that shows two
/// histories is found out as soon as somebody who sees the one writes to somebody who sees the other.
/// </summary>
/// <remarks>
/// Such a server has something to win by not answering when it is asked how the two go together. So what the log has signed and
/// the server does not answer for is kept, asked about again, and raises an alarm in the end.
/// </remarks>
internal sealed class LogGossip(DeviceCore core, KeyLogFollower log, KeyAlarms alarms)
{
    /// <summary>
    /// People of whom a note may be kept. Where there are more, their places are free again within about a day, by an answer or
    /// by the alarm.
    /// </summary>
    public const int NotesKept = 8;

    /// <summary>
    /// The least number of requests in vain for an alarm: a device that was away for a day has not asked for a day.
    /// </summary>
    public const int TriesInVain = 3;

    private const int Remembered = 10_000;

    /// <summary>What a conversation was told is told again this much later.</summary>
    private static readonly TimeSpan s_again = TimeSpan.FromHours(1);

    /// <summary>A server that is overloaded, or restored, answers within less.</summary>
    private static readonly TimeSpan s_answered = TimeSpan.FromDays(1);

    private readonly Turns _turns = new();
    private int _isLookDue;
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
            var isCompared = false;
            try
            {
                using var turn = await _turns.TakeAsync(cancellationToken);
                isCompared = await TryAsync(sender, note, cancellationToken);
            }
            finally
            {
                if (!isCompared)
                {
                    // It is looked at also when the next message says so.
                    _compared.TryRemove(note, out _);
                }
            }
        });
    }

    /// <summary>At each connection, and each hour while there is any: asks about what was asked about in vain.</summary>
    public async Task TryAgainAsync(CancellationToken cancellationToken)
    {
        if (core.DeviceOrNull is null)
        {
            return;
        }

        using var turn = await _turns.TakeAsync(cancellationToken);
        foreach (var kept in await KeptAsync(cancellationToken))
        {
            await TryAsync(kept.From, kept.Note, cancellationToken);
        }
    }

    /// <returns>Whether that is all there is to do about it.</returns>
    private async Task<bool> TryAsync(AccountId from, string note, CancellationToken cancellationToken)
    {
        var isCompared = await log.TryCompareAsync(from, note, cancellationToken);
        var kept = await KeptAsync(cancellationToken);
        if (isCompared)
        {
            // Another one of this person's may be from another device of theirs, which is shown something else.
            await KeepAsync(kept, [.. kept.Where(one => one.From != from || one.Note != note)], cancellationToken);
            return true;
        }

        var now = core.Time.GetUtcNow();
        var known = kept.FirstOrDefault(one => one.From == from) ?? new UnprovenNote(from, note, now, 0);

        // Without a connection nothing was asked.
        var asked = core.Session is { State: ChatSessionState.Online } ? 1 : 0;
        var next = known with { Note = note, Tries = known.Tries + asked };
        var others = kept.Where(one => one.From != from).ToList();
        if (next.Tries >= TriesInVain && now - next.Since >= s_answered)
        {
            await alarms.RaiseOnceAsync(KeyAlarmKind.LogUnproven, from, [log.Newest!.Note, note], cancellationToken);
            await KeepAsync(kept, others, cancellationToken);
        }
        else if (known.Tries > 0 || others.Count < NotesKept)
        {
            await KeepAsync(kept, [.. others, next], cancellationToken);
            LookLater();
        }

        return false;
    }

    /// <summary>What another log has signed, before the server named this one, cannot be asked about any more.</summary>
    private async Task<IReadOnlyList<UnprovenNote>> KeptAsync(CancellationToken cancellationToken) =>
        await core.ReadAsync<UnprovenNotesRecord>(StoreKeys.UnprovenNotes, cancellationToken) is { } record
        && record.VerifierKey == log.Newest?.VerifierKey ? record.Notes : [];

    private async Task KeepAsync(
        IReadOnlyList<UnprovenNote> kept, List<UnprovenNote> next, CancellationToken cancellationToken)
    {
        if (kept.Count + next.Count > 0)
        {
            using (await core.EnterAsync(cancellationToken))
            {
                await core.WriteAsync(
                    [new(StoreKeys.UnprovenNotes, next.Count == 0 ? null
                        : DeviceCore.Encode(new UnprovenNotesRecord(log.Newest!.VerifierKey, next)))],
                    cancellationToken);
            }
        }
    }

    /// <summary>A device may stay connected for days, and hear nothing from that person again.</summary>
    private void LookLater()
    {
        if (Interlocked.Exchange(ref _isLookDue, 1) == 0)
        {
            core.Background(async cancellationToken =>
            {
                await Task.Delay(s_again, core.Time, cancellationToken);
                Volatile.Write(ref _isLookDue, 0);
                await TryAgainAsync(cancellationToken);
            });
        }
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
