using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Archive;

/// <summary>
/// Sends what waits, a chunk at a time and in order, for as long as the server takes it. Where it does not, it rests until
/// somebody looks whether the archive is on.
/// </summary>
/// <param name="lookAgain">Has somebody do that.</param>
internal sealed class ArchiveUploader(DeviceCore core, ArchiveQueue queue, Action lookAgain)
{
    /// <summary>What waits still when the device stops is in the store and goes the next time, so nobody waits long.</summary>
    private static readonly TimeSpan s_flush = TimeSpan.FromSeconds(2);

    private int _running;
    private int _kicks;
    private bool _hasBegunAgain;
    private bool _hasLooked;
    private volatile TaskCompletionSource? _flushing;

    /// <summary>Whether the archive is as large as an account's may be.</summary>
    public bool IsFull { get; private set; }

    public void Kick()
    {
        Interlocked.Increment(ref _kicks);
        if (queue.Record is not null && Interlocked.Exchange(ref _running, 1) == 0)
        {
            core.Background(RunAsync);
        }
        else
        {
            queue.Announce();
        }
    }

    /// <summary>The device is about to stop: what waits goes now, as far as it goes at once.</summary>
    public async Task FlushAsync()
    {
        if (Volatile.Read(ref _running) == 1 && (queue.Waiting.Count > 0 || queue.HasChunk))
        {
            var flushing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _flushing = flushing;
            queue.Announce();
            await Task.WhenAny(flushing.Task, Task.Delay(s_flush, core.Time, core.Stopping));
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        var kicks = Volatile.Read(ref _kicks);
        try
        {
            while (queue.Record is { } record && await StepAsync(record, queue.Changed, cancellationToken))
            {
                // The next one.
            }
        }
        finally
        {
            _flushing?.TrySetResult();
            Volatile.Write(ref _running, 0);
            if (kicks != Volatile.Read(ref _kicks) && !cancellationToken.IsCancellationRequested)
            {
                // It came while this one was about to rest.
                Kick();
            }
        }
    }

    /// <returns>False to rest.</returns>
    private async Task<bool> StepAsync(ArchiveRecord record, Task changed, CancellationToken cancellationToken)
    {
        if (record.Next < 0)
        {
            return await LocateAsync(record, cancellationToken);
        }

        if (queue.HasChunk)
        {
            return await SendAsync(record, cancellationToken);
        }

        var (count, bytes, since) = queue.Waiting;
        if (queue.LooksBack && count < ArchiveQueue.ItemsPerChunk)
        {
            await queue.LookBackAsync(cancellationToken);
            return true;
        }

        var due = since + core.Options.Timing.Archive - core.Time.GetUtcNow();
        if (count > 0 && (count >= ArchiveQueue.ItemsPerChunk || bytes >= ArchiveQueue.BytesPerChunk
            || due <= TimeSpan.Zero || _flushing is not null))
        {
            using var cipher = await CipherAsync(record, cancellationToken);
            if (cipher is null)
            {
                LookAgain();
                return false;
            }

            await queue.SealAsync(cipher, await AskRetentionAsync(cancellationToken), cancellationToken);
            return true;
        }

        if (count == 0)
        {
            _flushing?.TrySetResult();
        }

        try
        {
            await changed.WaitAsync(count == 0 ? Timeout.InfiniteTimeSpan : due, core.Time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // What waits has waited long enough.
        }

        return true;
    }

    /// <summary>Asks how long conversations are kept of which the log says only that it is as long as is usual here.</summary>
    /// <returns>Of which the server does not tell.</returns>
    private async Task<IReadOnlyCollection<ConversationId>> AskRetentionAsync(CancellationToken cancellationToken)
    {
        var refused = new HashSet<ConversationId>();
        foreach (var conversation in queue.Untold)
        {
            try
            {
                var view = await Transport.RetryAsync(
                    core, token => core.Client.ConversationAsync(conversation, token), cancellationToken, mayFail: false);
                await queue.ToldAsync(view, cancellationToken);
            }
            catch (ChatPayException foreign) when (foreign.Code is ErrorCode.ConversationUnknown or ErrorCode.NotMember)
            {
                refused.Add(conversation);
            }
        }

        return refused;
    }

    private async Task<bool> SendAsync(ArchiveRecord record, CancellationToken cancellationToken)
    {
        if (await queue.ChunkAsync(cancellationToken) is not { } chunk)
        {
            return false;
        }

        try
        {
            await Transport.RetryAsync(
                core,
                async token =>
                {
                    await core.Client.StoreArchiveChunkAsync(record.Id, chunk.Number, chunk.Sealed, token);
                    return default(Unit);
                },
                cancellationToken);
            (IsFull, _hasLooked) = (false, false);
            await queue.SentAsync(record, chunk, cancellationToken);
            return true;
        }
        catch (ChatPayException conflict) when (conflict.Code == ErrorCode.ArchiveChunkConflict)
        {
            return await LocateAsync(record, cancellationToken);
        }
        catch (ChatPayException unknown) when (unknown.Code == ErrorCode.ArchiveUnknown)
        {
            LookAgain();
            return false;
        }
        catch (ChatPayException refused) when (refused.Error.Code != ClientErrors.Code)
        {
            IsFull = refused.Code == ErrorCode.ArchiveFull;
            return false;
        }
    }

    /// <summary>Once until something was sent: a server that contradicts itself would have this go on for ever.</summary>
    private void LookAgain()
    {
        if (!_hasLooked)
        {
            _hasLooked = true;
            lookAgain();
        }
    }

    /// <summary>Finds where the server is in this device's stream.</summary>
    /// <returns>Whether that helps.</returns>
    private async Task<bool> LocateAsync(ArchiveRecord record, CancellationToken cancellationToken)
    {
        using var cipher = await CipherAsync(record, cancellationToken);
        var view = await Transport.RetryAsync(core, core.Client.ArchiveAsync, cancellationToken);
        if (cipher is null || view.Archive != record.Id)
        {
            LookAgain();
            return false;
        }

        var device = core.Device.Device;
        var next = view.Streams.FirstOrDefault(stream => stream.Device == device)?.Chunks ?? 0;
        var previous = new byte[ArchiveCipher.DigestSize];
        if (next > 0)
        {
            var page = await Transport.RetryAsync(
                core, token => core.Client.ArchivePageAsync(record.Id, device, next - 1, token), cancellationToken);
            if (page.Chunks is not [var last, ..])
            {
                return false;
            }

            previous = ArchiveCipher.DigestOf(last);
        }

        // Once: a server that loses chunks all the time would have this go on for ever.
        var isLess = next < record.Next && !_hasBegunAgain;
        _hasBegunAgain |= isLess;
        return await queue.MoveAsync(cipher, next, previous, isLess, cancellationToken);
    }

    /// <returns>Null where this device's keys are not the archive's any more.</returns>
    private async Task<ArchiveCipher?> CipherAsync(ArchiveRecord record, CancellationToken cancellationToken) =>
        ArchiveKeeper.CipherOf(
            (await core.Keys.Own.ReadAsync(cancellationToken)).ArchiveKey, core.Device.Account.Id, record.Id);
}
