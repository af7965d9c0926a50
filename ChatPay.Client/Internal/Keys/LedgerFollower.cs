using System.Text;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// Follows the ledger log by the checkpoints of receipts: the first log that the server names is kept, and no checkpoint is
/// taken that does not go with the newest one. What contradicts itself raises an alarm with both signed notes.
/// </summary>
internal sealed class LedgerFollower(DeviceCore core, KeyAlarms alarms) : IDisposable
{
    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>The key of the log that receipts have to be signed by.</summary>
    /// <param name="named">
    /// What a receipt names; where that is another one, the server is asked whether it began another log.
    /// </param>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task<NoteVerifier?> VerifierAsync(string named, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var log = await FindAsync(cancellationToken);
            if (log is null || log.VerifierKey != named)
            {
                var view = await core.Client.LedgerLogAsync(cancellationToken);
                if (log is not null && view.VerifierKey != log.VerifierKey)
                {
                    await alarms.RaiseAsync(
                        KeyAlarmKind.LedgerLogReplaced, null, [log.VerifierKey, log.Note, view.VerifierKey], cancellationToken);
                }

                if (log is null || view.VerifierKey != log.VerifierKey)
                {
                    log = new KeyLogRecord(view.Origin, view.VerifierKey, 0, [], "", Replaced: log is not null);
                    await KeepAsync(log, cancellationToken);
                }
            }

            return NoteVerifier.TryParse(log.VerifierKey, out var verifier) && verifier.Name == log.Origin ? verifier : null;
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Whether a checkpoint that the log's key signed goes with the newest one, which it may become.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task<bool> TakeAsync(string note, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (await FindAsync(cancellationToken) is not { } log
                || !NoteVerifier.TryParse(log.VerifierKey, out var verifier)
                || Checkpoint.Open(Encoding.UTF8.GetBytes(note), log.Origin, verifier, out var checkpoint) != LogRejection.None)
            {
                return false;
            }

            var (size, root) = (checkpoint!.Size, checkpoint.Root.ToArray());
            if (log.Size > 0
                && !await LogFit.IsOneAsync(log, size, root, core.Client.LedgerLogConsistencyAsync, cancellationToken))
            {
                await alarms.RaiseAsync(KeyAlarmKind.LedgerLogForked, null, [log.Note, note], cancellationToken);
                return false;
            }

            if (size > log.Size)
            {
                await KeepAsync(log with { Size = size, Root = root, Note = note }, cancellationToken);
            }

            return true;
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async Task<KeyLogRecord?> FindAsync(CancellationToken cancellationToken) =>
        await core.ReadAsync<KeyLogRecord>(StoreKeys.LedgerLog, cancellationToken);

    private async Task KeepAsync(KeyLogRecord log, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            await core.WriteAsync([new(StoreKeys.LedgerLog, DeviceCore.Encode(log))], cancellationToken);
        }
    }
}
