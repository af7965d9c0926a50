using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Client.Internal.Vault;

/// <summary>
/// The device's side of the PIN vault: Core's steps, with the realms asked over HTTP where each of them is, all at once. A
/// realm that cannot be reached has not answered, and the others go on without it.
/// </summary>
/// <param name="client">Signed in.</param>
internal sealed partial class PinVault(ChatPayClient client, FillRandom random)
{
    /// <summary>A registration that turned out not to be the one with this digest, which cost a guess.</summary>
    private (RegistrationVersion Version, byte[] Digest)? _mismatch;

    /// <summary>The realms as they were asked last.</summary>
    private VaultView? _view;

    private AccountId User => client.Account?.Id ?? throw new InvalidOperationException("Sign in first.");

    /// <summary>Registers a PIN in place of the one there is, at all realms that can be reached.</summary>
    /// <param name="rootSecret">32 bytes; the caller zeroes them.</param>
    /// <param name="identityKey">The account identity key that may change the registration from now on.</param>
    /// <param name="signer">The key that may change the present one.</param>
    /// <param name="keep">
    /// Is given the registration's version and digest, and the versions that it takes the place of, to be kept before a realm
    /// hears of it.
    /// </param>
    /// <param name="only">The realms that it may go to; null for whichever the server names.</param>
    /// <returns>
    /// Passed where a threshold of realms has stored it. Else the faults say who did not, and the device registers anew. The
    /// digest is for the key log; empty where nothing was registered.
    /// </returns>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.VaultRealmsOther"/>, before anything has gone out; the server cannot be reached.
    /// </exception>
    public async Task<(VaultStep Step, byte[] Digest)> RegisterAsync(
        Pin pin, ReadOnlyMemory<byte> rootSecret, Key identityKey, Key signer, PinHashParameters parameters,
        CancellationToken cancellationToken, Func<RegistrationVersion, byte[], IReadOnlyList<Guid>, Task>? keep = null,
        PinPlace? only = null)
    {
        using var door = await OpenAsync(cancellationToken);
        var configuration = ConfigurationOf(door, only);
        var present = new RegistrationVersion[configuration.Realms.Count];
        var reached = new List<int>();
        foreach (var answer in await AskAsync(
            door, configuration, Indices(configuration), _ => new Register1Request(NextId()), cancellationToken))
        {
            if (VaultMessage.TryRead<Register1Response>(answer.Response.Span, out var response, out _))
            {
                present[answer.Index - 1] = response.Version;
                reached.Add(answer.Index);
                response.Dispose();
            }
        }

        if (reached.Count < configuration.Threshold)
        {
            // Begun all the same, some realms would have another version than the others, and with bad luck all of them.
            return (new VaultStep(VaultRejection.SharesTooFew, [], null), []);
        }

        using var registration = VaultRegistration.Create(
            new VaultRegistrationPlan(User, configuration, parameters, present), pin, rootSecret.Span, identityKey, signer,
            random);
        if (keep is not null)
        {
            await keep(
                registration.Context.Version, [.. registration.Digest],
                [.. present.Select(static version => version.Value).Distinct()]);
        }

        var answers = await AskAsync(
            door, configuration, reached, index => registration.Requests[index - 1], cancellationToken);
        return (Judge<Register2Response>(configuration, answers), [.. registration.Digest]);
    }

    /// <summary>What has become of a registration that was begun; nothing is counted.</summary>
    /// <param name="replaces">The versions that it takes the place of.</param>
    /// <param name="isOver">Whether no request of it can be on its way any more.</param>
    /// <param name="only">The realms that it went to: no others are asked. Null where they are not known.</param>
    /// <returns>
    /// Whether a threshold of realms has it; null where it may still come to stand, by requests that are on their way or because
    /// silent realms have it.
    /// </returns>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.VaultRealmsOther"/>, before anything has gone out; the server cannot be reached.
    /// </exception>
    public async Task<bool?> StandsAsync(
        RegistrationVersion version, IReadOnlyList<Guid> replaces, bool isOver, CancellationToken cancellationToken,
        PinPlace? only = null)
    {
        using var door = await OpenAsync(cancellationToken);
        var configuration = ConfigurationOf(door, only);
        RecoveryStart.Choose(
            User, configuration,
            await AskAsync(
                door, configuration, Indices(configuration), _ => new Recover1Request(NextId()), cancellationToken),
            out var start);
        if (start?.Context.Version == version)
        {
            return true;
        }

        // A realm that has another one now may have none again, when the PIN is removed; never what it once had.
        var mayFollow = replaces.Contains(RegistrationVersion.None.Value);
        var lost = 0;
        foreach (var answer in await AskAsync(
            door, configuration, Indices(configuration), _ => new Register1Request(NextId()), cancellationToken))
        {
            if (VaultMessage.TryRead<Register1Response>(answer.Response.Span, out var response, out _))
            {
                var mayArrive = !isOver && (mayFollow || replaces.Contains(response.Version.Value));
                lost += response.Version != version && !mayArrive ? 1 : 0;
                response.Dispose();
            }
        }

        return configuration.Realms.Count - lost < configuration.Threshold ? false : null;
    }

    /// <summary>
    /// Guesses the PIN; a right one costs nothing, a wrong one a guess at each realm. That a registration is not the one that
    /// the key log names shows after the guess was counted, so it is remembered, and such a one is not tried again.
    /// </summary>
    /// <param name="rootSecret">32 bytes, zeros unless the step is passed; the caller zeroes them.</param>
    /// <param name="digest">Of the registration, by the key log; empty where it is not known.</param>
    /// <param name="found">Is given what a guess of it costs, and the realms, before it is guessed.</param>
    /// <param name="only">The realms that have it; null where they are not known.</param>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.VaultRealmsOther"/>, before anything that is made of the PIN has gone out; the server cannot be
    /// reached.
    /// </exception>
    public async Task<VaultStep> RecoverAsync(
        Pin pin, Memory<byte> rootSecret, byte[] digest, CancellationToken cancellationToken,
        Action<PinHashParameters, PinPlace>? found = null, PinPlace? only = null)
    {
        rootSecret.Span.Clear();
        using var door = await OpenAsync(cancellationToken);
        var configuration = ConfigurationOf(door, only);
        var begun = RecoveryStart.Choose(
            User, configuration,
            await AskAsync(
                door, configuration, Indices(configuration), _ => new Recover1Request(NextId()), cancellationToken),
            out var start);
        if (start is null)
        {
            return AreOther(begun, configuration) ? throw VaultFailures.RealmsOther(door.View) : begun;
        }

        if (_mismatch is (var version, var other) && version == start.Context.Version && digest.AsSpan().SequenceEqual(other))
        {
            return new VaultStep(VaultRejection.RealmsDisagree, begun.Faults, null);
        }

        found?.Invoke(start.Context.Parameters, PinPlace.Of(door.View));
        using var recovery = VaultRecovery.Begin(start.Context, configuration, pin, digest, random);
        var evaluated = recovery.TakeEvaluations(await AskAsync(
            door, configuration, start.Realms, _ => recovery.EvaluationRequest(), cancellationToken));
        if (digest.Length > 0 && evaluated.Faults.Count(static fault => fault.Reason == VaultRejection.RealmsDisagree)
            >= configuration.Threshold)
        {
            _mismatch = (start.Context.Version, digest);
        }

        var last = evaluated.IsOk
            ? recovery.TakeShares(
                await AskAsync(door, configuration, recovery.Unlocked, recovery.ReleaseRequest, cancellationToken),
                rootSecret.Span)
            : evaluated;

        // A realm that failed in an earlier step, and that the others did without, is named as well.
        int[] usedUp = [.. begun.UsedUp.Union(evaluated.UsedUp)];
        return last with
        {
            UsedUp = usedUp,
            GuessesLeft = configuration.Realms.Count - usedUp.Length < configuration.Threshold ? 0 : last.GuessesLeft,
            Faults = [.. begun.Faults.Concat(evaluated.Faults).Concat(last.Faults).DistinctBy(fault => fault.Index)
                .OrderBy(fault => fault.Index)],
        };
    }

    /// <summary>Has the realms forget the registration, whichever each has.</summary>
    /// <returns>
    /// Passed where so few still have it that nobody can recover; also where they had none, as after a removal that was cut off,
    /// or have destroyed it. And whether any has forgotten one now.
    /// </returns>
    /// <param name="only">The realms that it may be forgotten at; null for whichever the server names.</param>
    public async Task<(VaultStep Step, bool HadAny)> DeleteAsync(
        Key identityKey, CancellationToken cancellationToken, PinPlace? only = null)
    {
        var hadAny = false;
        var step = await ChangeAsync<DeleteResponse>(
            (realm, state) => new DeleteRequest(NextId(), User, realm, state.Version, identityKey), cancellationToken,
            _ => hadAny = true, isDone: IsGone, only: only);
        return (step, hadAny);
    }

    /// <summary>As the other one, of one registration alone: a realm that has another keeps it.</summary>
    public Task<VaultStep> DeleteAsync(
        RegistrationVersion version, Key identityKey, CancellationToken cancellationToken, PinPlace? only = null) =>
        ChangeAsync<DeleteResponse>(
            (realm, _) => new DeleteRequest(NextId(), User, realm, version, identityKey), cancellationToken,
            isDone: IsGone, only: only);

    /// <summary>
    /// As <see cref="DeleteAsync(Key, CancellationToken, PinPlace?)"/>, without a key: after the wait has passed.
    /// </summary>
    public Task<VaultStep> DeleteAsync(CancellationToken cancellationToken) =>
        ChangeAsync<DeleteResponse>((_, state) => new DeleteRequest(NextId(), state.Version), cancellationToken);

    /// <summary>
    /// Begins the wait after which the registration may be overwritten or deleted without its identity key, or asks how long it
    /// still takes. All devices of the account hear of it, and may cancel it.
    /// </summary>
    /// <returns>The longest wait of any realm that answered; null where the step did not pass.</returns>
    public async Task<(VaultStep Step, TimeSpan? Left)> BeginWaitAsync(CancellationToken cancellationToken)
    {
        var left = new List<uint>();
        var step = await ChangeAsync<WaitResponse>(
            (_, state) => new BeginWaitRequest(NextId(), state.Version), cancellationToken,
            response => left.Add(response.Wait.SecondsLeft));
        return (step, step.IsOk ? TimeSpan.FromSeconds(left.Max()) : null);
    }

    /// <summary>
    /// Cancels the waits that somebody has begun, at all realms that tell of one. Passed where each of them has, and a threshold
    /// of realms has told: what the others keep is too little to overwrite anything.
    /// </summary>
    /// <param name="identityKey">The one that the registration names, or the one in force by the key log.</param>
    /// <param name="only">
    /// The realms that have the PIN: others would say that nobody waits. Null where they are not known.
    /// </param>
    public async Task<VaultStep> CancelWaitAsync(
        Key identityKey, CancellationToken cancellationToken, PinPlace? only = null)
    {
        using var door = await OpenAsync(cancellationToken);
        var configuration = ConfigurationOf(door, only);
        var told = await ToldAsync(door, cancellationToken);
        if (told.Count < configuration.Threshold)
        {
            return new VaultStep(VaultRejection.SharesTooFew, [], null);
        }

        var waits = told.Where(static one => one.Told.Wait is { State: VaultWaitState.Begun })
            .ToDictionary(static one => new RealmId(one.Realm), static one => new WaitId(one.Told.Wait!.Id));
        return waits.Count == 0
            ? new VaultStep(VaultRejection.None, [], null)
            : await ChangeAsync<CancelWaitResponse>(
                (realm, state) => new CancelWaitRequest(NextId(), User, realm, state.Version, waits[realm], identityKey),
                cancellationToken, only: only,
                among: [.. Indices(configuration).Where(index => waits.ContainsKey(configuration.RealmOf(index)))]);
    }

    /// <summary>Has the realms give back the guesses that failed.</summary>
    /// <param name="only">The realms that have the PIN; null where they are not known.</param>
    public Task<VaultStep> ClearFailuresAsync(
        Key identityKey, CancellationToken cancellationToken, PinPlace? only = null) =>
        ChangeAsync<ClearFailuresResponse>(
            (realm, state) => new ClearFailuresRequest(
                NextId(), User, realm, state.Version, state.AttemptCount, identityKey),
            cancellationToken, only: only);

    /// <summary>Nobody can recover from a realm that has nothing, or that has destroyed what it had.</summary>
    private static bool IsGone(VaultRejection rejection) =>
        rejection is VaultRejection.NotRegistered or VaultRejection.GuessesExhausted;

    /// <param name="needed">So many realms have to do it; a threshold unless somebody says otherwise.</param>
    private static VaultStep Judge<T>(
        RealmConfiguration configuration, IReadOnlyList<RealmAnswer> answers, Action<T>? take = null,
        Func<VaultRejection, bool>? isDone = null, int? needed = null)
        where T : VaultMessage, IVaultMessage<T>
    {
        var done = 0;
        var faults = new List<RealmFault>();
        foreach (var answer in answers)
        {
            if (VaultMessage.TryRead<T>(answer.Response.Span, out var response, out var rejection))
            {
                using (response)
                {
                    rejection = response.RequestId == answer.Request.RequestId
                        ? VaultRejection.None : VaultRejection.ResponseReplayed;
                    if (rejection == VaultRejection.None)
                    {
                        take?.Invoke(response);
                    }
                }
            }
            else if (VaultMessage.TryRead<RealmRefusal>(answer.Response.Span, out var refusal, out _))
            {
                using (refusal)
                {
                    rejection = refusal.RequestId == answer.Request.RequestId
                        ? refusal.Reason : VaultRejection.ResponseReplayed;
                }
            }

            else if (VaultMessage.TryRead<WaitResponse>(answer.Response.Span, out var pending, out _))
            {
                using (pending)
                {
                    rejection = pending.RequestId == answer.Request.RequestId
                        ? VaultRejection.WaitPending : VaultRejection.ResponseReplayed;
                }
            }

            if (rejection == VaultRejection.None || isDone?.Invoke(rejection) == true)
            {
                done++;
            }
            else
            {
                faults.Add(new RealmFault(answer.Index, configuration.RealmOf(answer.Index), rejection));
            }
        }

        return new VaultStep(
            done >= (needed ?? configuration.Threshold) ? VaultRejection.None
                : faults.Count > 0 ? faults[0].Reason : VaultRejection.SharesTooFew,
            faults, null);
    }

    private static IReadOnlyList<int> Indices(RealmConfiguration configuration) =>
        [.. Enumerable.Range(1, configuration.Realms.Count)];

    /// <summary>Asks each realm what it has, and for a change of that.</summary>
    /// <param name="isDone">Refusals that are as good as the change.</param>
    /// <param name="among">Those that are asked, all of which have to do it; null for all, of which a threshold has to.</param>
    /// <param name="only">The realms that may be asked; null for whichever the server names.</param>
    private async Task<VaultStep> ChangeAsync<T>(
        Func<RealmId, Recover1Response, VaultMessage> requestOf, CancellationToken cancellationToken,
        Action<T>? take = null, Func<VaultRejection, bool>? isDone = null, IReadOnlyList<int>? among = null,
        PinPlace? only = null)
        where T : VaultMessage, IVaultMessage<T>
    {
        using var door = await OpenAsync(cancellationToken);
        var configuration = ConfigurationOf(door, only);
        var states = new Dictionary<int, Recover1Response>();
        var refused = new List<RealmAnswer>();
        foreach (var answer in await AskAsync(
            door, configuration, among ?? Indices(configuration), _ => new Recover1Request(NextId()), cancellationToken))
        {
            if (VaultMessage.TryRead<Recover1Response>(answer.Response.Span, out var response, out _))
            {
                states.Add(answer.Index, response);
            }
            else
            {
                refused.Add(answer);
            }
        }

        var answers = await AskAsync(
            door, configuration, [.. states.Keys], index => requestOf(configuration.RealmOf(index), states[index]),
            cancellationToken);
        foreach (var state in states.Values)
        {
            state.Dispose();
        }

        return Judge(configuration, [.. answers, .. refused], take, isDone, among?.Count);
    }

    private async Task<RealmDoor> OpenAsync(CancellationToken cancellationToken)
    {
        var view = await client.VaultAsync(cancellationToken);
        Volatile.Write(ref _view, view);
        return new(client, view);
    }

    /// <param name="only">What it has to be; null for anything.</param>
    private static RealmConfiguration ConfigurationOf(RealmDoor door, PinPlace? only = null)
    {
        var named = PinPlace.Of(door.View);
        return only?.IsSame(named) == false ? throw VaultFailures.RealmsOther(door.View) : named.Configuration;
    }

    /// <summary>Asks realms at once; those that cannot be reached have no answer.</summary>
    private static async Task<IReadOnlyList<RealmAnswer>> AskAsync(
        RealmDoor door, RealmConfiguration configuration, IReadOnlyList<int> indices, Func<int, VaultMessage> requestOf,
        CancellationToken cancellationToken)
    {
        var answers = await Task.WhenAll(indices.Select(async index =>
        {
            var request = requestOf(index);
            try
            {
                var response = await door.AskAsync(
                    configuration.RealmOf(index).Value, request.Encoding.ToArray(), cancellationToken);
                return new RealmAnswer(index, request, response);
            }
            catch (ChatPayException) when (!cancellationToken.IsCancellationRequested)
            {
                return (RealmAnswer?)null;
            }
        }));
        return [.. answers.OfType<RealmAnswer>()];
    }

    private Guid NextId()
    {
        Span<byte> id = stackalloc byte[16];
        random(id);
        return new Guid(id, bigEndian: true);
    }
}
