using System.Collections.Concurrent;
using ChatPay.Core.Protocol;
using static ChatPay.Client.Internal.Keys.ChainLeaves;

namespace ChatPay.Client.Internal.Keys;

/// <content>Looking at people's chains, and what comes of a chain that is not shown.</content>
/// <remarks>
/// An empty chain behind a key that was seen raises an alarm at once. So a server that vouches for a device of its own at first
/// contact has something to win by showing none at all, with which the key could be compared: it is asked again, and that
/// raises an alarm in the end. Nothing stops for it, as a server that is overloaded shows none for a while either.
/// </remarks>
internal sealed partial class PeopleKeys
{
    /// <summary>Chains of people are looked at once a day, and when something about them changed.</summary>
    private static readonly TimeSpan s_checkAgain = TimeSpan.FromDays(1);

    /// <summary>
    /// A device may stay connected for days: a chain that was not shown is asked for again this much later.
    /// </summary>
    private static readonly TimeSpan s_askAgain = TimeSpan.FromHours(1);

    /// <summary>
    /// Whoever has shown a certificate is in the log: a server with nothing to hide shows the chain within less.
    /// </summary>
    private static readonly TimeSpan s_shown = TimeSpan.FromDays(1);

    private readonly ConcurrentDictionary<AccountId, bool> _due = new();
    private int _checking;
    private int _isLookDue;

    /// <summary>Brings somebody's chain up to date with the log.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached, or does not show that person's keys.</exception>
    public async Task CheckAsync(AccountId account, CancellationToken cancellationToken)
    {
        var person = await FindAsync(account, cancellationToken);
        if (await log.FollowAsync(account, person.Entries, cancellationToken) is not { } followed)
        {
            return;
        }

        var shown = person.SeenKey;
        await PutAsync(followed.Chain, followed.Entries, cancellationToken);

        // One that a reset has taken the place of is no lie; one that was never in the chain is.
        if (shown is not null && !followed.Chain.HasHad(shown))
        {
            await alarms.RaiseAsync(
                KeyAlarmKind.IdentityUnlogged, account, [Convert.ToBase64String(shown)], cancellationToken);
        }

        await AlarmAsync(account, cancellationToken);
    }

    /// <summary>Everybody who is due is looked at, one after the other, in the background.</summary>
    public void CheckDue()
    {
        var now = core.Time.GetUtcNow();
        foreach (var person in _people.Values)
        {
            if ((now - person.CheckedAt > s_checkAgain || person.Unlogged is not null || IsUnseen(person))
                && person.Account != core.Device.Account.Id)
            {
                _due[person.Account] = true;
            }
        }

        if (!_due.IsEmpty && Interlocked.Exchange(ref _checking, 1) == 0)
        {
            core.Background(CheckDueAsync);
        }
    }

    private async Task CheckDueAsync(CancellationToken cancellationToken)
    {
        try
        {
            var isRefused = false;
            foreach (var account in _due.Keys)
            {
                if (isRefused && !IsUnseen(await FindAsync(account, cancellationToken)))
                {
                    // With the next look. Who is not shown at all is asked for in any case, or others could be refused for it.
                    continue;
                }

                _due.TryRemove(account, out _);
                try
                {
                    await CheckAsync(account, cancellationToken);
                }
                catch (ChatPayException failed) when (IsRefusal(failed) && !core.Stopping.IsCancellationRequested)
                {
                    // Where no conversation is shared any more, a chain is shown to nobody.
                    isRefused |= failed.Code != ErrorCode.AccountUnknown;
                    await NoteUnseenAsync(account, cancellationToken);
                }
            }
        }
        finally
        {
            Volatile.Write(ref _checking, 0);
        }
    }

    /// <summary>Devices that the chain has not, under a key that it has: for another key there is an alarm already.</summary>
    private async Task AlarmAsync(AccountId account, CancellationToken cancellationToken)
    {
        var person = await FindAsync(account, cancellationToken);
        if (ChainOf(account) is not { } chain)
        {
            return;
        }

        foreach (var leaf in (person.Unlogged ?? []).Where(leaf => HasKey(chain, leaf.IdentityKey)))
        {
            await alarms.RaiseAsync(KeyAlarmKind.IdentityUnlogged, account, Evidence(leaf), cancellationToken);
        }
    }

    /// <summary>Whether somebody has shown a key, and the server nothing that it could be compared with.</summary>
    private static bool IsUnseen(PersonKeysRecord person) => person is { SeenKey: not null, Entries.Count: 0 };

    /// <summary>An answer that is none; without a connection nothing was asked.</summary>
    private bool IsRefusal(ChatPayException failed) => !failed.EndsDevice
        && (failed.Error.Code != ClientErrors.Code || core.Session is { State: ChatSessionState.Online });

    /// <summary>
    /// Counts a look in vain, and tells of it when that has gone on for a day. Told once it begins again, for whoever dismisses
    /// the alarm.
    /// </summary>
    private async Task NoteUnseenAsync(AccountId account, CancellationToken cancellationToken)
    {
        var isOverdue = false;
        var seen = Array.Empty<byte>();
        using (await core.EnterAsync(cancellationToken))
        {
            var person = await FindAsync(account, cancellationToken);
            if (IsUnseen(person))
            {
                LookLater();
            }

            var isWithheld = IsUnseen(person) && core.Conversations.Any(
                state => state.Record.Active && state.Record.Members.Any(member => member.Account == account));
            if (!isWithheld && person.Withheld is null)
            {
                return;
            }

            var now = core.Time.GetUtcNow();
            var known = person.Withheld ?? new WithheldChain(now, 0);
            var next = known with { Tries = known.Tries + 1 };
            isOverdue = isWithheld && next.Tries >= LogGossip.TriesInVain && now - next.Since >= s_shown;
            seen = person.SeenKey ?? seen;
            await WriteAsync(person with { Withheld = isWithheld && !isOverdue ? next : null }, cancellationToken);
        }

        if (isOverdue)
        {
            await alarms.RaiseOnceAsync(
                KeyAlarmKind.ChainWithheld, account, [Convert.ToBase64String(seen)], cancellationToken);
        }
    }

    private void LookLater()
    {
        if (Interlocked.Exchange(ref _isLookDue, 1) == 0)
        {
            core.Background(async cancellationToken =>
            {
                await Task.Delay(s_askAgain, core.Time, cancellationToken);
                Volatile.Write(ref _isLookDue, 0);
                CheckDue();
            });
        }
    }
}
