using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>
/// One realm: it opens the account's record with its key, has Core decide, and stores what was decided. Every message that
/// can be read is answered with a message, a refusal too.
/// </summary>
internal sealed class Realm(
    RealmStore store, RealmKeyFile keyFile, Guid database, TimeSpan wait, VaultNews news, TimeProvider time)
{
    /// <summary>A device that registers while another does starts over with what it finds; so does the realm.</summary>
    private const int Attempts = 3;

    /// <summary>Rows of guesses that were counted here, which their second half mostly follows at once, still sealed.</summary>
    private readonly GenerationCache<AttemptId, CountedRow> _counted = new(
        TimeSpan.FromMinutes(1), capacity: 8192, time);

    public RealmId Id => keyFile.Id;

    public RealmStore Store => store;

    public RealmKeyFile KeyFile => keyFile;

    /// <summary>Goes a beat on: see <see cref="RealmStore.BeatAsync"/>.</summary>
    /// <returns>Whether the database had been restored from a backup.</returns>
    public async Task<bool> BeatAsync(CancellationToken cancellationToken)
    {
        var (beat, isRestored) = await store.BeatAsync(
            keyFile.ReadBeat()?.Beat ?? 0, RandomId.Create(), cancellationToken);
        keyFile.WriteBeat(database, beat);
        return isRestored;
    }

    /// <summary>The answer's bytes.</summary>
    public async Task<Result<byte[]>> AnswerAsync(RealmCaller caller, byte[] message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        return (message.Length > 1 ? (VaultMessageType)message[1] : default) switch
        {
            VaultMessageType.Register1Request => await AnswerAsync<Register1Request>(Register1Async),
            VaultMessageType.Register2Request => await AnswerAsync<Register2Request>(Register2Async),
            VaultMessageType.Recover1Request => await AnswerAsync<Recover1Request>(Recover1Async),
            VaultMessageType.Recover2Request => await AnswerAsync<Recover2Request>(Recover2Async),
            VaultMessageType.Recover3Request => await AnswerAsync<Recover3Request>(Recover3Async),
            VaultMessageType.DeleteRequest => await AnswerAsync<DeleteRequest>(DeleteAsync),
            VaultMessageType.ClearFailuresRequest => await AnswerAsync<ClearFailuresRequest>(ClearAsync),
            VaultMessageType.BeginWaitRequest => await AnswerAsync<BeginWaitRequest>(BeginWaitAsync),
            VaultMessageType.CancelWaitRequest => await AnswerAsync<CancelWaitRequest>(CancelWaitAsync),
            _ => Invalid(VaultRejection.WrongMessage),
        };

        Task<Result<byte[]>> AnswerAsync<T>(Func<RealmCaller, T, CancellationToken, Task<VaultMessage>> answer)
            where T : VaultMessage, IVaultMessage<T> => ReadAndAnswerAsync(caller, message, answer, cancellationToken);
    }

    /// <summary>The account's guesses, newest first, and its wait.</summary>
    public async Task<VaultAttempts> AttemptsAsync(AccountId account, CancellationToken cancellationToken)
    {
        var attempts = await store.AttemptsAsync(account, Limits.VaultAttempts, cancellationToken);
        var stored = await store.FindAsync(account, cancellationToken);
        return new VaultAttempts(attempts, stored?.Wait?.View(Id, VaultWaitState.Begun));
    }

    private static async Task<Result<byte[]>> ReadAndAnswerAsync<T>(
        RealmCaller caller, byte[] bytes, Func<RealmCaller, T, CancellationToken, Task<VaultMessage>> answer,
        CancellationToken cancellationToken)
        where T : VaultMessage, IVaultMessage<T>
    {
        if (!VaultMessage.TryRead<T>(bytes, out var request, out var rejection))
        {
            return Invalid(rejection);
        }

        using (request)
        {
            using var response = await answer(caller, request, cancellationToken);
            return response.Encoding.ToArray();
        }
    }

    private static Error Invalid(VaultRejection rejection) => new(
        ErrorCode.VaultMessageInvalid,
        "This is not a message that a realm understands; the client may be too old or too new.",
        new Dictionary<string, object>(StringComparer.Ordinal) { ["rejection"] = (int)rejection });

    private async Task<VaultMessage> Register1Async(
        RealmCaller caller, Register1Request request, CancellationToken cancellationToken)
    {
        using var found = await FindAsync(caller.Account, cancellationToken);
        return found.Rejection == VaultRejection.RecordUnreadable
            ? new RealmRefusal(request.RequestId, found.Rejection)
            : RealmSteps.Register1(request, found.Record);
    }

    private async Task<VaultMessage> Register2Async(
        RealmCaller caller, Register2Request request, CancellationToken cancellationToken)
    {
        var inForce = await caller.InForceAsync(cancellationToken);
        for (var attempt = 1; ; attempt++)
        {
            using var found = await FindAsync(caller.Account, cancellationToken);
            if (found.Rejection == VaultRejection.RecordUnreadable)
            {
                return new RealmRefusal(request.RequestId, found.Rejection);
            }

            // The answer was lost, and the device asks again.
            if (found.Record is not null && RealmSteps.IsStored(request, found.Record))
            {
                return new Register2Response(request.RequestId, request.Version);
            }

            var answer = RealmSteps.Register2(
                Id, caller.Account, found.Record, request, found.Permit(inForce), out var next);
            if (next is null)
            {
                return answer;
            }

            using (next)
            {
                var row = keyFile.Key.Seal(next, RandomNumberGenerator.Fill);
                if (await store.ReplaceAsync(
                    caller.Account, found.Record?.Version ?? RegistrationVersion.None, next.Version, row, next.MaxGuesses,
                    found.PassedWait, cancellationToken))
                {
                    TellWaitEnded(caller.Account, found);
                    return answer;
                }
            }

            answer.Dispose();
            if (attempt == Attempts)
            {
                return new RealmRefusal(request.RequestId, VaultRejection.VersionOther);
            }
        }
    }

    private async Task<VaultMessage> Recover1Async(
        RealmCaller caller, Recover1Request request, CancellationToken cancellationToken)
    {
        using var found = await FindAsync(caller.Account, cancellationToken);
        if (found.Rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, found.Rejection);
        }

        var guesses = found.Stored?.Guesses ?? default;
        await DestroyUsedUpAsync(caller.Account, guesses.Rejection, cancellationToken);
        return RealmSteps.Recover1(request, found.Record, guesses, (uint)(found.Stored?.Attempts ?? 0));
    }

    private async Task<VaultMessage> Recover2Async(
        RealmCaller caller, Recover2Request request, CancellationToken cancellationToken)
    {
        // Committed when it returns: whatever happens after this, the guess is counted.
        var attempt = new AttemptId(RandomId.Create());
        CountedGuess? counted = null;
        for (var tries = 1; counted is null; tries++)
        {
            counted = await store.CountAsync(caller.Account, request.Version, caller.Device, attempt, cancellationToken);
            if (counted is null
                && await NotCountedAsync(caller.Account, request, isLast: tries == Attempts, cancellationToken) is { } refusal)
            {
                return refusal;
            }
        }

        var guess = counted.Value;

        if (!keyFile.Key.TryOpen(
            guess.Sealed, Id, caller.Account, request.Version, out var record, out var unreadable))
        {
            // Nothing was evaluated, so nobody has learnt anything for it.
            await store.WithdrawAsync(caller.Account, request.Version, attempt, CancellationToken.None);
            return new RealmRefusal(request.RequestId, unreadable);
        }

        using (record)
        {
            _counted.Set(attempt, new CountedRow(caller.Account, request.Version, guess));
            Tell(caller.Account, new EndedAttempt(caller.Device, guess.At), VaultAttemptOutcome.Open);
            return RealmSteps.Evaluate(
                request, record, AttemptGrant.Granted(attempt, guess.GuessesLeft), RandomNumberGenerator.Fill);
        }
    }

    /// <summary>Why a guess was not counted; null where it would be now, because one was given back meanwhile.</summary>
    private async Task<VaultMessage?> NotCountedAsync(
        AccountId account, Recover2Request request, bool isLast, CancellationToken cancellationToken)
    {
        using var found = await FindAsync(account, cancellationToken);
        var reason = found.Stored is { } stored && stored.Guesses.Rejection is var none and not VaultRejection.None ? none
            : found.Rejection != VaultRejection.None ? found.Rejection
            : RealmSteps.MayGuess(request, found.Record) is var refused and not VaultRejection.None ? refused
            : isLast ? VaultRejection.GuessesExhausted
            : VaultRejection.None;
        if (reason == VaultRejection.None)
        {
            return null;
        }

        await DestroyUsedUpAsync(account, reason, cancellationToken);
        return new RealmRefusal(request.RequestId, reason);
    }

    private async Task<VaultMessage> Recover3Async(
        RealmCaller caller, Recover3Request request, CancellationToken cancellationToken) =>
        await ReleaseCountedAsync(caller.Account, request, cancellationToken)
            ?? await ReleaseAsync(caller.Account, request, cancellationToken);

    /// <summary>The usual end of a recovery: the guess was counted here a moment ago, and is right.</summary>
    /// <returns>Null for every other; what it is, the database says.</returns>
    private async Task<VaultMessage?> ReleaseCountedAsync(
        AccountId account, Recover3Request request, CancellationToken cancellationToken)
    {
        if (!_counted.TryGet(request.Attempt, out var counted)
            || counted.Account != account || counted.Version != request.Version
            || !keyFile.Key.TryOpen(counted.Guess.Sealed, Id, account, request.Version, out var record, out _))
        {
            return null;
        }

        _counted.Remove(request.Attempt);
        using (record)
        {
            var answer = RealmSteps.Release(
                request, record, AttemptGrant.Granted(request.Attempt, counted.Guess.GuessesLeft));

            // Of two requests with one attempt, one gets the share.
            if (answer is not RealmRefusal
                && await store.SucceedAsync(account, request.Version, request.Attempt, cancellationToken) is { } ended)
            {
                Tell(account, ended, VaultAttemptOutcome.Succeeded);
                return answer;
            }

            answer.Dispose();
            return null;
        }
    }

    private async Task<VaultMessage> ReleaseAsync(
        AccountId account, Recover3Request request, CancellationToken cancellationToken)
    {
        using var found = await FindAsync(account, cancellationToken);
        if (found.Rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, found.Rejection);
        }

        var stored = found.Stored;
        var isCounted = stored is not null
            && await store.IsOpenAsync(account, request.Version, request.Attempt, cancellationToken);
        var left = stored is null ? 0 : stored.MaxGuesses - stored.Used;
        var isOpen = stored is { IsLocked: false } && isCounted;
        var grant = isOpen ? AttemptGrant.Granted(request.Attempt, left)
            : AttemptGrant.Refused(
                found.Stored is { IsLocked: true } ? VaultRejection.Locked : VaultRejection.AttemptUnknown);
        var answer = RealmSteps.Release(request, found.Record, grant);
        if (answer is not RealmRefusal refusal)
        {
            // Of two requests with one attempt, one gets the share.
            if (await store.SucceedAsync(account, request.Version, request.Attempt, cancellationToken) is { } ended)
            {
                Tell(account, ended, VaultAttemptOutcome.Succeeded);
                return answer;
            }

            answer.Dispose();
            return new RealmRefusal(request.RequestId, VaultRejection.AttemptUnknown);
        }

        if (refusal.Reason == VaultRejection.TagWrong)
        {
            if (await store.FailAsync(request.Attempt, cancellationToken) is { } failed)
            {
                Tell(account, failed, VaultAttemptOutcome.Failed);
            }

            await store.DestroyAsync(account, cancellationToken);
        }

        return answer;
    }

    private async Task<VaultMessage> DeleteAsync(
        RealmCaller caller, DeleteRequest request, CancellationToken cancellationToken)
    {
        using var found = await FindAsync(caller.Account, cancellationToken);
        if (found.Rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, found.Rejection);
        }

        var answer = RealmSteps.Delete(
            request, found.Record, found.Permit(await caller.InForceAsync(cancellationToken)));
        if (answer is not DeleteResponse)
        {
            return answer;
        }

        if (await store.DeleteAsync(caller.Account, request.Version, found.PassedWait, cancellationToken))
        {
            TellWaitEnded(caller.Account, found);
            return answer;
        }

        answer.Dispose();
        return new RealmRefusal(request.RequestId, VaultRejection.VersionOther);
    }

    private async Task<VaultMessage> ClearAsync(
        RealmCaller caller, ClearFailuresRequest request, CancellationToken cancellationToken)
    {
        using var found = await FindAsync(caller.Account, cancellationToken);
        if (found.Rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, found.Rejection);
        }

        var answer = RealmSteps.ClearFailures(
            request, found.Record, (uint)(found.Stored?.Attempts ?? 0),
            found.Permit(await caller.InForceAsync(cancellationToken)));
        if (answer is RealmRefusal
            || await store.ClearAsync(caller.Account, request.Version, request.AttemptCount, cancellationToken))
        {
            return answer;
        }

        answer.Dispose();
        return new RealmRefusal(request.RequestId, VaultRejection.CounterStale);
    }

    private async Task<VaultMessage> BeginWaitAsync(
        RealmCaller caller, BeginWaitRequest request, CancellationToken cancellationToken)
    {
        using var found = await FindAsync(caller.Account, cancellationToken);
        var rejection = found.Rejection != VaultRejection.None
            ? found.Rejection : RealmSteps.MayWait(request, found.Record);
        if (rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, rejection);
        }

        var begun = await store.BeginWaitAsync(
            caller.Account, request.Version, new WaitId(RandomId.Create()), caller.Device, wait, cancellationToken);
        var now = await store.FindAsync(caller.Account, cancellationToken);
        if (now?.Wait is not { } underWay || now.Version != request.Version)
        {
            // It was overwritten, destroyed or cancelled meanwhile.
            return new RealmRefusal(request.RequestId, VaultRejection.VersionOther);
        }

        if (begun)
        {
            news.Tell(caller.Account, underWay.View(Id, VaultWaitState.Begun));
        }

        return new WaitResponse(request.RequestId, request.Version, underWay.ToCore());
    }

    private async Task<VaultMessage> CancelWaitAsync(
        RealmCaller caller, CancelWaitRequest request, CancellationToken cancellationToken)
    {
        using var found = await FindAsync(caller.Account, cancellationToken);
        if (found.Rejection != VaultRejection.None)
        {
            return new RealmRefusal(request.RequestId, found.Rejection);
        }

        var answer = RealmSteps.CancelWait(
            request, found.Record, found.Permit(await caller.InForceAsync(cancellationToken)));
        if (answer is RealmRefusal)
        {
            return answer;
        }

        if (await store.CancelWaitAsync(caller.Account, request.Wait, cancellationToken))
        {
            news.Tell(caller.Account, found.Stored!.Wait!.View(Id, VaultWaitState.Cancelled));
            return answer;
        }

        answer.Dispose();
        return new RealmRefusal(request.RequestId, VaultRejection.WaitUnknown);
    }

    private void Tell(AccountId account, EndedAttempt attempt, VaultAttemptOutcome outcome) =>
        news.Tell(account, new VaultAttempt(attempt.At, attempt.Device, outcome, Id.Value));

    /// <summary>A record that was signed away took its wait with it; one whose wait had passed was the wait's.</summary>
    private void TellWaitEnded(AccountId account, Found found)
    {
        if (found.Stored?.Wait is { } ended)
        {
            news.Tell(
                account, ended.View(Id, ended.IsOver ? VaultWaitState.CarriedOut : VaultWaitState.Cancelled));
        }
    }

    private Task DestroyUsedUpAsync(AccountId account, VaultRejection reason, CancellationToken cancellationToken) =>
        reason == VaultRejection.GuessesExhausted ? store.DestroyAsync(account, cancellationToken) : Task.CompletedTask;

    private async Task<Found> FindAsync(AccountId account, CancellationToken cancellationToken) =>
        Open(account, await store.FindAsync(account, cancellationToken));

    private Found Open(AccountId account, StoredRecord? stored)
    {
        if (stored?.Sealed is null)
        {
            return new Found(stored, null, VaultRejection.None);
        }

        return keyFile.Key.TryOpen(stored.Sealed, Id, account, stored.Version, out var record, out var rejection)
            ? new Found(stored, record, VaultRejection.None)
            : new Found(stored, null, rejection);
    }

    /// <summary>A row and what was in it.</summary>
    private sealed record Found(StoredRecord? Stored, RealmRecord? Record, VaultRejection Rejection) : IDisposable
    {
        /// <summary>The wait without which a change must not go through, where it was decided after its end.</summary>
        public WaitId? PassedWait => Stored?.Wait is { IsOver: true } passed ? passed.Id : null;

        public RealmPermit Permit(byte[]? inForce) => new(Stored?.Wait?.ToCore(), inForce);

        public void Dispose() => Record?.Dispose();
    }

    private readonly record struct CountedRow(AccountId Account, RegistrationVersion Version, CountedGuess Guess);
}
