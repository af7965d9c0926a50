using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// Messages on their way. The ciphertext and the ratchet that made it are written together before anything is sent;
/// retries send the same bytes under the same id, so that nothing is lost, doubled, or encrypted twice under one key.
/// </summary>
internal sealed class Outbox(DeviceCore core, Commits commits)
{
    /// <summary>So many are encrypted in one write; they are sent one after the other.</summary>
    private const int PerWrite = 32;

    private const int StaleAttempts = 8;

    /// <summary>For so long the server knows a repeated message again, less what clocks may differ.</summary>
    private static readonly TimeSpan s_knownAgain = TimeSpan.FromHours((24 * Limits.RetentionMinDays) - 1);

    /// <summary>
    /// A card of an earlier run is not posted any more after this long: the log shows whether it got through.
    /// </summary>
    private static readonly TimeSpan s_cardPatience = TimeSpan.FromHours(1);

    private readonly ItemBuilder _items = new(core);
    private readonly Doubts _doubts = new(core);
    private long _order;

    /// <summary>
    /// Sends content as a message, after everything that was given before; completes after the commit.
    /// </summary>
    /// <param name="id">Null to choose one.</param>
    public async Task<SentMessage> SendAsync(
        ConversationState state, MessageContent content, ClientMessageId? id, OutboxCard? card,
        CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        core.RequireSession();
        core.RequireLive(state);
        core.Keys.RequireAccepted(state);
        while (id is { } named && state.Lane.Find(named) is { } earlier)
        {
            try
            {
                return await earlier.Outcome.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Its owner has withdrawn it before anything of it was stored.
            }
        }

        var record = new OutboxRecord(
            state.Id, id ?? new(core.NewId()), 0, core.Time.GetUtcNow(), content.Encode(core.Keys.Gossip.Next(state.Id)), 0, null,
            card);
        var sending = new Sending(record, isResumed: false, isNamed: id is not null);
        state.Lane.Add(sending);
        Kick(state);
        try
        {
            return await sending.Outcome.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // Where nothing of it is stored yet, nothing will be; the lane looks at this only then.
            sending.IsWithdrawn = true;
            throw;
        }
    }

    /// <summary>Sends what waits in a conversation, in the background.</summary>
    public void Kick(ConversationState state)
    {
        if (state.Lane.TryBeginDraining())
        {
            core.Background(cancellationToken => DrainAsync(state, cancellationToken));
        }
    }

    /// <summary>
    /// The server removed a part of the log before this device read it. A message that is too old to be known again may
    /// have been in there: it is not sent another time.
    /// </summary>
    public void GiveUp(Batch batch, ConversationState state)
    {
        var known = core.Time.GetUtcNow() - s_knownAgain;
        foreach (var sending in state.Lane.Waiting.Where(one => one.Record.Body is not null && one.Record.At < known))
        {
            Refuse(batch, sending, LocalErrors.OutcomeUnknown());
            batch.After(() => state.Lane.Remove(sending));
        }
    }

    private async Task DrainAsync(ConversationState state, CancellationToken cancellationToken)
    {
        try
        {
            while (!state.Lane.TryEndDraining(out var next, PerWrite))
            {
                using (await state.Lane.TurnAsync(cancellationToken))
                {
                    await DeliverAsync(state, next, cancellationToken);
                }
            }
        }
        catch (Exception exception)
        {
            await GiveBackAsync(state, exception);
            state.Lane.StopDraining();
            if (state.Lane.Waiting.Any(static sending => !sending.IsResumed))
            {
                // It came meanwhile.
                Kick(state);
            }

            throw;
        }
    }

    /// <summary>
    /// Whoever waits is told. Where the device itself ends, what was stored stays in the store and goes on when the
    /// device does; else it is not sent any more.
    /// </summary>
    private async Task GiveBackAsync(ConversationState state, Exception cause)
    {
        var failure = Ended(cause);
        var refused = failure.Name is ClientErrors.SessionEnded or ClientErrors.StoreFailed || !core.IsLive(state)
            ? null : failure;
        foreach (var sending in state.Lane.Waiting)
        {
            if (sending.IsResumed && (refused is null || refused.Retryable))
            {
                continue;
            }

            try
            {
                if (refused is not null && sending.Record.Order > 0)
                {
                    await RefuseAsync(state, sending, refused, isOpen: sending.Record.Body is not null);
                }
            }
            catch (Exception over) when (over is ChatPayException or OperationCanceledException)
            {
                // The device has ended as well: the store has it still.
            }
            finally
            {
                state.Lane.Remove(sending);
                sending.Fail(failure);
                if (refused is null && sending.Record.Order > 0)
                {
                    state.Lane.Resume(sending.Record);
                }
            }
        }
    }

    private ChatPayException Ended(Exception cause) =>
        core.StoreFault ?? cause as ChatPayException ?? LocalErrors.SessionEnded(null, cause);

    private async Task DeliverAsync(
        ConversationState state, IReadOnlyList<Sending> sendings, CancellationToken cancellationToken)
    {
        for (var attempt = 0; attempt < StaleAttempts; attempt++)
        {
            await commits.ReadyAsync(state, cancellationToken);
            await commits.RemovePendingAsync(state, cancellationToken);
            if (!await TryEncryptAsync(state, sendings, cancellationToken))
            {
                continue;
            }

            if (await SendAllAsync(state, sendings, cancellationToken) is not { } stale)
            {
                return;
            }

            await ForgetBodiesAsync(state, sendings, cancellationToken);
            await commits.CatchUpAsync(state, stale, cancellationToken);
        }

        throw LocalErrors.Refused(
            ErrorCode.StaleEpoch, "Others changed the group faster than this device could send to it.");
    }

    /// <summary>The new ratchet, the ciphertexts and what they are made of, in one write.</summary>
    private async Task<bool> TryEncryptAsync(
        ConversationState state, IReadOnlyList<Sending> sendings, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var group = state.Facts is null || state.Pending is not null
                ? null : await core.Groups.GroupAsync(state, cancellationToken);
            if (group is null)
            {
                return false;
            }

            var batch = new Batch(core);
            var made = new List<(Sending Sending, OutboxRecord Record)>();
            foreach (var sending in sendings.Where(
                static one => one.Record.Body is null && !one.IsWithdrawn && !one.IsOver))
            {
                if (core.Keys.Refusal(state, group) is { } refusal)
                {
                    // Somebody's key has changed, or a stranger has come, since it was given.
                    Refuse(batch, sending, refusal);
                    batch.After(() => state.Lane.Remove(sending));
                    continue;
                }

                if (await _doubts.TakeAgainAsync(batch, sending, cancellationToken) is { } doubt)
                {
                    doubt = doubt with { Order = NextOrder() };
                    made.Add((sending, doubt));
                    batch.Put(doubt);
                    continue;
                }

                var record = sending.Record;
                var binding = record.Card is { } card ? new CardBinding(card.Id, card.DetailCommit) : null;
                record = record with
                {
                    Order = record.Order > 0 ? record.Order : NextOrder(),
                    Epoch = (long)group.Epoch,
                    Body = group.Encrypt(record.Content, new AuthenticatedData(record.ClientId, binding).Encode()),
                };
                made.Add((sending, record));
                batch.Put(record);
                batch.Of(state).RatchetsMoved();
            }

            await batch.WriteAsync(cancellationToken);
            made.ForEach(static one => one.Sending.Record = one.Record);
            return true;
        }
    }

    /// <summary>One after the other, for that is the order they are read in.</summary>
    /// <returns>What the server said where another commit was faster; null where all have been answered.</returns>
    private async Task<ErrorBody?> SendAllAsync(
        ConversationState state, IReadOnlyList<Sending> sendings, CancellationToken cancellationToken)
    {
        var settling = Task.CompletedTask;
        try
        {
            foreach (var sending in sendings)
            {
                if (sending.IsOver || sending.Record.Body is null)
                {
                    continue;
                }

                if (sending.IsResumed && await IsTooLateAsync(state, sending, cancellationToken))
                {
                    continue;
                }

                try
                {
                    var (seq, at, card) = await Transport.InsistAsync(
                        core, () => SendAsync(sending.Record, cancellationToken), cancellationToken);
                    await settling;
                    settling = SettleAsync(state, sending, seq, at, card, cancellationToken);
                }
                catch (ChatPayException stale) when (stale.Code == ErrorCode.StaleEpoch)
                {
                    return stale.Error;
                }
                catch (ChatPayException reused) when (reused.Code == ErrorCode.ClientIdReused && sending.IsNamed)
                {
                    // The program has sent it before, and did not live to see the answer.
                    await ForgetAsync(state, sending, cancellationToken);
                    sending.Succeed(new(sending.Record.ClientId, 0, default));
                }
                catch (ChatPayException unknown) when (!Transport.IsFinal(unknown))
                {
                    // It may be in the log: it is kept, and sent again under its id when the device goes on.
                    throw unknown.Error.Code == ClientErrors.Code
                        ? unknown : LocalErrors.SessionEnded(null, unknown);
                }
                catch (ChatPayException refused) when (!(sending.IsResumed && refused.Retryable))
                {
                    await RefuseAsync(state, sending, refused, isOpen: !Transport.IsVerdict(refused));
                }
            }
        }
        finally
        {
            await settling;
        }

        return null;
    }

    /// <summary>
    /// What is from long ago is only sent, and a card from a while ago only given up, when the log has been read, which
    /// may tell of it, or of its loss.
    /// </summary>
    private async Task<bool> IsTooLateAsync(
        ConversationState state, Sending sending, CancellationToken cancellationToken)
    {
        var age = core.Time.GetUtcNow() - sending.Record.At;
        var isOldCard = sending.Record.Card is not null && age > s_cardPatience;
        if (isOldCard || age > s_knownAgain)
        {
            using var hurry = core.Arrivals.Hurry();
            await core.CaughtUp.WaitAsync(cancellationToken);
        }

        if (isOldCard && !sending.IsOver)
        {
            await RefuseAsync(state, sending, LocalErrors.OutcomeUnknown(), isOpen: false);
        }

        return sending.IsOver;
    }

    private async Task<(long Seq, DateTimeOffset At, CardView? Card)> SendAsync(
        OutboxRecord record, CancellationToken cancellationToken)
    {
        var session = core.RequireSession();
        if (record.Card is not { } card)
        {
            var reply = await session.SendAsync(
                new(record.Conversation, record.ClientId, record.Epoch, record.Body!), cancellationToken);
            return (reply.Seq, reply.At, null);
        }

        var post = new CardPost(
            card.Kind, record.Conversation, card.Payer, card.Payee, card.AmountMinor, card.Asset, card.LifetimeSeconds,
            card.DetailCommit, record.ClientId, record.Epoch, record.Body!, card.Plan);
        var request = new CardActRequest(card.Id, 0, CardActionKind.Post, card.IdempotencyKey, post);
        var answer = await core.Debits.ActAsync(
            request, card.TermsIn(record.Conversation), card.DetailCommit,
            made => session.CardActAsync(made, cancellationToken));
        return (answer.Seq, answer.At, answer.Card);
    }

    private async Task SettleAsync(
        ConversationState state, Sending sending, long seq, DateTimeOffset at, CardView? card,
        CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (!sending.IsOver)
            {
                var batch = new Batch(core);
                await _items.SettleAsync(batch, batch.Of(state), sending.Record, seq, at, card, cancellationToken);
                await batch.WriteAsync(cancellationToken);
                state.Lane.Settled(sending, seq, at, card);
            }
        }
    }

    /// <summary>
    /// <c>stale_epoch</c> proves that these bytes were not accepted, and nothing that was encrypted with them will be:
    /// all of it is encrypted anew under the same ids.
    /// </summary>
    private async Task ForgetBodiesAsync(
        ConversationState state, IReadOnlyList<Sending> sendings, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var batch = new Batch(core);
            foreach (var sending in sendings.Where(static one => !one.IsOver && one.Record.Body is not null))
            {
                // Other bytes are another request, so the ledger gets another key with them.
                var card = sending.Record.Card is { } known ? known with { IdempotencyKey = core.NewId() } : null;
                sending.Record = sending.Record with { Body = null, Epoch = 0, Card = card };
                batch.Put(sending.Record);
            }

            await batch.WriteAsync(cancellationToken);
        }
    }

    private async Task ForgetAsync(ConversationState state, Sending sending, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var batch = new Batch(core);
            batch.Remove(sending.Record);
            await batch.WriteAsync(cancellationToken);
            state.Lane.Remove(sending);
        }
    }

    /// <param name="isOpen">Whether the log may yet tell of it.</param>
    private async Task RefuseAsync(
        ConversationState state, Sending sending, ChatPayException refused, bool isOpen)
    {
        using (await core.EnterAsync(core.Stopping))
        {
            var batch = new Batch(core);
            Refuse(batch, sending, refused);
            if (isOpen)
            {
                await _doubts.KeepAsync(batch, sending.Record, core.Stopping);
            }

            await batch.WriteAsync(core.Stopping);
            state.Lane.Remove(sending);
        }
    }

    /// <summary>
    /// Whoever waits is told once it is written; of an earlier run, the program is told as of anything that happens.
    /// </summary>
    private void Refuse(Batch batch, Sending sending, ChatPayException refused)
    {
        batch.Remove(sending.Record);
        batch.After(() => sending.Fail(refused));
        if (sending.IsResumed)
        {
            batch.Arrive(new NotSent
            {
                Conversation = sending.Record.Conversation,
                Seq = 0,
                At = core.Time.GetUtcNow(),
                By = core.Device.Account,
                IsOwn = true,
                Id = sending.Record.ClientId,
                Card = sending.Record.Card?.Id,
                Error = refused.Error with { Details = null },
            });
        }
    }

    private long NextOrder() =>
        _order = Math.Max(_order + 1, core.Time.GetUtcNow().ToUnixTimeMilliseconds() * 1000);
}
