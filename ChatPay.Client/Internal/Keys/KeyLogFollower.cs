using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// Follows the key log: takes nothing of a chain that is not proved to be in it, and no checkpoint that the one before does
/// not lead to. What contradicts itself raises an alarm with both sides of it.
/// </summary>
internal sealed class KeyLogFollower(DeviceCore core, KeyAlarms alarms) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);
    private volatile KeyLogRecord? _newest;

    /// <summary>The newest checkpoint that was checked; null before the first.</summary>
    public KeyLogRecord? Newest => _newest;

    public async Task LoadAsync(CancellationToken cancellationToken) =>
        _newest = await core.ReadAsync<KeyLogRecord>(StoreKeys.KeyLog, cancellationToken);

    /// <summary>Brings somebody's chain up to date.</summary>
    /// <param name="known">The entries that were checked before.</param>
    /// <returns>The chain, and its entries from the first one on; null where the server shows what cannot be true.</returns>
    /// <exception cref="ChatPayException">The server cannot be reached, or does not show this chain.</exception>
    public async Task<(KeyChain Chain, IReadOnlyList<byte[]> Entries)?> FollowAsync(
        AccountId account, IReadOnlyList<byte[]> known, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var chain = Restore(account, known);
            var entries = known.ToList();
            var isBroughtBack = false;
            while (true)
            {
                var log = _newest ?? await BeginAsync(cancellationToken);
                KeyChainReply reply;
                try
                {
                    reply = await core.Client.KeyChainAsync(account, chain.Length, log.Size, cancellationToken);
                }
                catch (ChatPayException shrunk) when (shrunk.Code == ErrorCode.LogSizeUnknown)
                {
                    if (await IsReplacedAsync(log, cancellationToken))
                    {
                        continue;
                    }

                    await alarms.RaiseAsync(KeyAlarmKind.LogShrunk, null, [log.Note], cancellationToken);
                    return null;
                }

                if (Open(reply.Checkpoint, log) is not { } checkpoint)
                {
                    if (await IsReplacedAsync(log, cancellationToken))
                    {
                        continue;
                    }

                    await alarms.RaiseAsync(
                        KeyAlarmKind.LogForked, null, [log.Note, reply.Checkpoint], cancellationToken);
                    return null;
                }

                if (!await TakeCheckpointAsync(log, checkpoint, reply, cancellationToken))
                {
                    return null;
                }

                if (log.Replaced && reply.Length < chain.Length && reply.Entries.Count == 0)
                {
                    // What is known here was checked and signed; the database has forgotten it. Once is enough to try.
                    if (account != core.Device.Account.Id || isBroughtBack)
                    {
                        return (chain, entries);
                    }

                    isBroughtBack = true;
                    if (await BringBackAsync(entries, reply.Length, cancellationToken))
                    {
                        continue;
                    }

                    await alarms.RaiseOnceAsync(KeyAlarmKind.ChainInvalid, account, [reply.Checkpoint], cancellationToken);
                    return null;
                }

                if (!TakeEntries(reply, checkpoint, chain, entries))
                {
                    await alarms.RaiseAsync(
                        KeyAlarmKind.ChainInvalid, account,
                        [reply.Checkpoint, .. reply.Entries.Select(entry => Convert.ToBase64String(entry.Entry))],
                        cancellationToken);
                    return null;
                }

                if (chain.Length >= reply.Length)
                {
                    return (chain, entries);
                }
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Whether what somebody else was shown of the log goes with what this device was shown. What the log's key did not sign
    /// proves nothing, so of each person it raises one alarm at most.
    /// </summary>
    /// <returns>False where the log has signed it, and the server does not show now whether the two go together.</returns>
    /// <exception cref="ChatPayException">This device has not seen the log yet, and the server cannot be reached.</exception>
    public async Task<bool> TryCompareAsync(AccountId from, string note, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var log = _newest ?? await BeginAsync(cancellationToken);
            if (Open(note, log) is not { } checkpoint)
            {
                await alarms.RaiseOnceAsync(KeyAlarmKind.LogOther, from, [log.VerifierKey, note], cancellationToken);
            }
            else if (log.Size > 0 && checkpoint.Size > 0
                && !await LogFit.IsOneAsync(
                    log, checkpoint.Size, checkpoint.Root.ToArray(), core.Client.KeyLogConsistencyAsync, cancellationToken))
            {
                await alarms.RaiseAsync(KeyAlarmKind.LogForked, null, [log.Note, note], cancellationToken);
            }

            return true;
        }
        catch (ChatPayException unanswered) when (
            _newest is not null && !unanswered.EndsDevice && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        finally
        {
            _gate.Release();
        }
    }

    public static KeyChain Restore(AccountId account, IReadOnlyList<byte[]> entries) =>
        KeyChain.Check(account, [.. entries.Select(entry => new ReadOnlyMemory<byte>(entry))], out var chain, out _)
            == LogRejection.None
            ? chain! : throw LocalErrors.StoreUnreadable("A chain of keys in the store is broken.");

    public void Dispose() => _gate.Dispose();

    private static Checkpoint? Open(string note, KeyLogRecord log) =>
        NoteVerifier.TryParse(log.VerifierKey, out var verifier)
        && Checkpoint.Open(Encoding.UTF8.GetBytes(note), log.Origin, verifier, out var checkpoint) == LogRejection.None
            ? checkpoint : null;

    /// <summary>Keeps the first log that the server names.</summary>
    private async Task<KeyLogRecord> BeginAsync(CancellationToken cancellationToken)
    {
        var view = await core.Client.KeyLogAsync(cancellationToken);
        var log = new KeyLogRecord(view.Origin, view.VerifierKey, 0, [], "");
        await KeepAsync(log, cancellationToken);
        return log;
    }

    /// <summary>The server names another log: that is said, and the other one is followed from here on.</summary>
    private async Task<bool> IsReplacedAsync(KeyLogRecord log, CancellationToken cancellationToken)
    {
        var view = await core.Client.KeyLogAsync(cancellationToken);
        if (view.Origin == log.Origin && view.VerifierKey == log.VerifierKey)
        {
            return false;
        }

        await alarms.RaiseAsync(
            KeyAlarmKind.LogReplaced, null, [log.VerifierKey, log.Note, view.VerifierKey], cancellationToken);
        await KeepAsync(
            new KeyLogRecord(view.Origin, view.VerifierKey, 0, [], "", Replaced: true), cancellationToken);
        return true;
    }

    /// <summary>Entries for one request each. An identity that begins anew goes with the device that it begins with.</summary>
    private static IEnumerable<IReadOnlyList<byte[]>> Requests(IReadOnlyList<byte[]> entries)
    {
        for (var at = 0; at < entries.Count;)
        {
            var count = Math.Min(Limits.KeyEntriesPerRequest, entries.Count - at);
            while (count > 1 && at + count < entries.Count
                && KeyLogEntry.TryRead(entries[at + count - 1], out var last, out _)
                && last.Type == KeyLogEntryType.IdentityReset)
            {
                count--;
            }

            yield return [.. entries.Skip(at).Take(count)];
            at += count;
        }
    }

    /// <summary>Gives the server back what it has lost of the own chain.</summary>
    /// <returns>
    /// False where the chain has gone on otherwise meanwhile: what this device knows has no place in it any more.
    /// </returns>
    private async Task<bool> BringBackAsync(List<byte[]> entries, long from, CancellationToken cancellationToken)
    {
        foreach (var lost in Requests([.. entries.Skip((int)from)]))
        {
            try
            {
                await core.Client.AppendKeysAsync(lost, cancellationToken);
            }
            catch (ChatPayException stale) when (stale.Code == ErrorCode.KeyChainStale)
            {
                // Another device was quicker; what it has added is looked at as any other entry.
                return true;
            }
            catch (ChatPayException forked) when (forked.Code == ErrorCode.KeyEntryInvalid)
            {
                return false;
            }
        }

        return true;
    }

    private async Task<bool> TakeCheckpointAsync(
        KeyLogRecord log, Checkpoint checkpoint, KeyChainReply reply, CancellationToken cancellationToken)
    {
        if (log.Size > 0
            && (checkpoint.Size < log.Size
                || ConsistencyProof.Verify(log.Size, checkpoint.Size, log.Root, checkpoint.Root, reply.Consistency)
                    != LogRejection.None))
        {
            await alarms.RaiseAsync(
                checkpoint.Size < log.Size ? KeyAlarmKind.LogShrunk : KeyAlarmKind.LogForked, null,
                [log.Note, reply.Checkpoint], cancellationToken);
            return false;
        }

        if (checkpoint.Size != log.Size)
        {
            await KeepAsync(
                log with { Size = checkpoint.Size, Root = checkpoint.Root.ToArray(), Note = reply.Checkpoint },
                cancellationToken);
        }

        return true;
    }

    private static bool TakeEntries(KeyChainReply reply, Checkpoint checkpoint, KeyChain chain, List<byte[]> entries)
    {
        // A chain never shrinks, and a page that brings nothing new where there is more would be asked for for ever.
        if (reply.Length < chain.Length || (reply.Entries.Count == 0 && reply.Length > chain.Length))
        {
            return false;
        }

        foreach (var logged in reply.Entries)
        {
            if (logged.Salt.Length != KeyLogEntry.SaltSize
                || !KeyLogEntry.TryRead(logged.Entry, out var entry, out _)
                || InclusionProof.Verify(
                    logged.Index, checkpoint.Size, MerkleHash.Leaf(entry.Leaf(logged.Salt)), logged.Proof,
                    checkpoint.Root) != LogRejection.None
                || chain.Append(entry) != LogRejection.None)
            {
                return false;
            }

            entries.Add(logged.Entry);
        }

        return true;
    }

    private async Task KeepAsync(KeyLogRecord log, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            await core.WriteAsync([new(StoreKeys.KeyLog, DeviceCore.Encode(log))], cancellationToken);
            _newest = log;
        }
    }
}
