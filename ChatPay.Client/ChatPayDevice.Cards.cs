using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text.Json;
using ChatPay.Client.Internal;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>
/// Cards, which <see cref="ChatConversation"/> posts. What they settle was checked against their authors' words; their
/// state is what the ledger says.
/// </content>
public sealed partial class ChatPayDevice
{
    /// <summary>A card as this device knows it; one that it does not know is asked for, and is unreadable or hidden.</summary>
    /// <exception cref="ChatPayException"><c>card_unknown</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>
    /// var card = await device.CardAsync(id, cancellationToken);
    /// Console.WriteLine($"{card.Money.ToDecimalText(2)} {card.Money.Asset}: {card.State}");
    /// </code>
    /// </example>
    public async Task<ChatCard> CardAsync(CardId card, CancellationToken cancellationToken)
    {
        var record = await KnownCardAsync(card, cancellationToken)
            ?? CardChecks.Unread(await Client.CardAsync(card, cancellationToken));
        return new(record.View, record.Memo, record.Trust);
    }

    /// <summary>
    /// A card as it is, and again whenever it changes, until it can change no more. A loop that is slow sees the latest
    /// of several changes, and the last one in any case.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// <c>card_unknown</c>; the server cannot be reached; the session is over.
    /// </exception>
    /// <exception cref="OperationCanceledException">The loop was cancelled.</exception>
    /// <example>
    /// <code>
    /// await foreach (var now in device.WatchCardAsync(card.Id, cancellationToken))
    /// {
    ///     Console.WriteLine(now.State);
    /// }
    /// </code>
    /// </example>
    public async IAsyncEnumerable<ChatCard> WatchCardAsync(
        CardId card, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var changes = _core.CardChanges.SubscribeToLatest(changed => changed.Id == card);
        var latest = await CardAsync(card, cancellationToken);
        yield return latest;
        if (!latest.IsOpen)
        {
            yield break;
        }

        await foreach (var changed in changes.ReadAllAsync(cancellationToken))
        {
            if (changed.View.Version > latest.View.Version || changed.Trust != latest.Trust)
            {
                latest = changed;
                yield return changed;
            }

            if (!latest.IsOpen)
            {
                yield break;
            }
        }
    }

    /// <summary>Takes the money of a transfer to this account.</summary>
    /// <inheritdoc cref="ActAsync(CardId, CardActionKind, CancellationToken)"/>
    /// <example>
    /// <code>await device.AcceptAsync(card.Id, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> AcceptAsync(CardId card, CancellationToken cancellationToken) =>
        ActAsync(card, CardActionKind.Accept, cancellationToken);

    /// <summary>Refuses a transfer to this account, whose money returns, or a request that it pay.</summary>
    /// <inheritdoc cref="ActAsync(CardId, CardActionKind, CancellationToken)"/>
    /// <example>
    /// <code>await device.DeclineAsync(card.Id, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> DeclineAsync(CardId card, CancellationToken cancellationToken) =>
        ActAsync(card, CardActionKind.Decline, cancellationToken);

    /// <summary>Takes back a card of this account's own that is still open.</summary>
    /// <inheritdoc cref="ActAsync(CardId, CardActionKind, CancellationToken)"/>
    /// <example>
    /// <code>await device.CancelAsync(card.Id, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> CancelAsync(CardId card, CancellationToken cancellationToken) =>
        ActAsync(card, CardActionKind.Cancel, cancellationToken);

    /// <summary>
    /// Pays a request at once. Only one whose terms this device has checked against its author's words.
    /// </summary>
    /// <inheritdoc cref="ActAsync(CardId, CardActionKind, CancellationToken)"/>
    /// <example>
    /// <code>await device.PayAsync(card.Id, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> PayAsync(CardId card, CancellationToken cancellationToken) =>
        ActAsync(card, CardActionKind.Pay, cancellationToken);

    /// <summary>
    /// Acts on a card. Completes when the ledger has decided, however many connections that takes: once, for a lost
    /// answer is asked for again.
    /// </summary>
    /// <param name="card">The card.</param>
    /// <param name="action">Any but posting.</param>
    /// <param name="cancellationToken">Ends the wait; what became of it is told by the card.</param>
    /// <returns>The card after it.</returns>
    /// <exception cref="ChatPayException">
    /// <c>authorisation_device</c>: this device is not in its account's chain, so it cannot pay;
    /// <c>card_terminal</c>, <c>card_expired</c>, <c>card_not_yours</c>, <c>card_version_stale</c>: it has changed
    /// meanwhile; <c>insufficient_funds</c>, among others: nothing has moved. <see cref="ClientErrors.CardMismatch"/>
    /// and <see cref="ClientErrors.CardUnreadable"/>: this device does not do it. <c>internal</c>,
    /// <c>unauthenticated</c>, <c>device_revoked</c>, <see cref="ClientErrors.SessionEnded"/> and
    /// <see cref="ClientErrors.StoreFailed"/>: it may have been done; <see cref="CardAsync"/> tells.
    /// </exception>
    /// <example>
    /// <code>await device.ActAsync(card.Id, CardActionKind.Accept, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> ActAsync(CardId card, CardActionKind action, CancellationToken cancellationToken) =>
        ActAsync(card, action, null, cancellationToken);

    /// <summary>Takes a share of a packet.</summary>
    /// <inheritdoc cref="ActAsync(CardId, CardActionKind, CancellationToken)"/>
    /// <example>
    /// <code>await device.ClaimAsync(card.Id, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> ClaimAsync(CardId card, CancellationToken cancellationToken) =>
        ActAsync(card, CardActionKind.Claim, cancellationToken);

    /// <summary>Reminds the payer of a request of this account's, once.</summary>
    /// <inheritdoc cref="ActAsync(CardId, CardActionKind, CancellationToken)"/>
    /// <example>
    /// <code>await device.RemindAsync(card.Id, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> RemindAsync(CardId card, CancellationToken cancellationToken) =>
        ActAsync(card, CardActionKind.Remind, cancellationToken);

    /// <summary>Gives back some or all of what came by a transfer or request.</summary>
    /// <inheritdoc cref="ActAsync(CardId, CardActionKind, CancellationToken)"/>
    /// <param name="amountMinor">At most what is left of it, in minor units.</param>
    /// <example>
    /// <code>await device.RefundAsync(card.Id, card.View.AmountMinor, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> RefundAsync(CardId card, long amountMinor, CancellationToken cancellationToken) =>
        ActAsync(card, CardActionKind.Refund, amountMinor, cancellationToken);

    /// <summary>Takes money by a mandate to this account.</summary>
    /// <inheritdoc cref="ActAsync(CardId, CardActionKind, CancellationToken)"/>
    /// <param name="amountMinor">At most what the period has left: else <c>mandate_exceeded</c>.</param>
    /// <example>
    /// <code>await device.DrawAsync(card.Id, 999, cancellationToken);</code>
    /// </example>
    public Task<ChatCard> DrawAsync(CardId card, long amountMinor, CancellationToken cancellationToken) =>
        ActAsync(card, CardActionKind.Draw, amountMinor, cancellationToken);

    private async Task<ChatCard> ActAsync(
        CardId card, CardActionKind action, long? amountMinor, CancellationToken cancellationToken)
    {
        var known = await CardAsync(card, cancellationToken);
        if (known.Trust == CardTrust.Mismatch)
        {
            throw LocalErrors.CardMismatch();
        }

        if (action is CardActionKind.Pay or CardActionKind.Refund && known.Trust != CardTrust.Verified)
        {
            throw LocalErrors.CardUnreadable();
        }

        if (action is CardActionKind.Pay or CardActionKind.Accept or CardActionKind.Claim or CardActionKind.Refund
            or CardActionKind.Draw && _core.TryFind(known.View.Conversation, out var conversation))
        {
            await _core.Keys.RequireNoStrangerAsync(conversation, cancellationToken);
        }

        var request = new CardActRequest(card, known.View.Version, action, _core.NewId(), AmountMinor: amountMinor);
        try
        {
            var session = _core.RequireSession();
            Task<CardActReply> CallAsync(CardActRequest made) => session.CardActAsync(made, cancellationToken);
            var reply = CardChecks.TermsOf(known.View) is { } terms
                ? await _core.Debits.ActAsync(request, terms, known.View.DetailCommit, CallAsync)
                : await CallAsync(request);
            return await LearnAsync(known, reply.Card, cancellationToken);
        }
        catch (ChatPayException refused) when (CardIn(refused.Error) is { } now)
        {
            await LearnAsync(known, now, cancellationToken);
            throw;
        }
    }

    internal async Task<ChatCard> PostCardAsync(
        ConversationState state, CardKind kind, AccountId other, Money money, string memo, CardOptions options,
        CardPlan? plan, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(memo);
        ArgumentNullException.ThrowIfNull(options);
        var me = _core.Device.Account.Id;
        var seconds = (long)(options.Lifetime ?? TimeSpan.FromSeconds(
            kind == CardKind.Split ? Limits.SplitLifetimeDefaultSeconds : Limits.CardLifetimeDefaultSeconds)).TotalSeconds;
        var asks = kind is CardKind.Request or CardKind.Split;
        var terms = new CardTerms(
            kind, options.Id ?? new(_core.NewId()), state.Id, asks ? other : me, asks ? me : other, money,
            (int)Math.Clamp(seconds, 0, int.MaxValue), plan);
        Check(state, terms, memo);
        if (plan?.Delivery == CardDelivery.AtOnce && !(await PersonKeysAsync(other, cancellationToken)).IsVerified)
        {
            throw LocalErrors.NotVerified();
        }

        var salt = RandomNumberGenerator.GetBytes(Limits.CardSaltBytes);
        var card = new OutboxCard(
            terms.Card, kind, terms.Payer, terms.Payee, money.Amount.Value, money.Asset.Value, terms.LifetimeSeconds,
            DetailCommitment.Of(terms, salt, memo), _core.NewId(), plan);
        var content = new MessageContent.CardDetails(terms.Card, salt, memo);
        try
        {
            return await PostAsync(state, content, card, terms, cancellationToken);
        }
        catch (ChatPayException open) when (
            !Transport.IsVerdict(open) && open.Name is not (ClientErrors.NotReady or ClientErrors.GroupBroken))
        {
            throw new ChatPayException(open.Error, open) { Card = terms.Card };
        }
    }

    private async Task<ChatCard> PostAsync(
        ConversationState state, MessageContent content, OutboxCard card, CardTerms terms,
        CancellationToken cancellationToken)
    {
        try
        {
            // Whoever asks again with the card's id joins the message that waits.
            await _outbox.SendAsync(state, content, new(terms.Card.Value), card, cancellationToken);
        }
        catch (ChatPayException taken) when (taken.Code == ErrorCode.CardExists)
        {
            // Perhaps by this program, before it died; what there is tells.
        }

        var posted = await CardAsync(terms.Card, cancellationToken);
        return CardChecks.TermsOf(posted.View) == terms
            ? posted
            : throw LocalErrors.Refused(ErrorCode.CardExists, "There is another card with this id.");
    }

    private static CardView? CardIn(ErrorBody error) =>
        error.Details?.GetValueOrDefault("card") is JsonElement element
            ? element.Deserialize<CardView>(WireFormat.Json) : null;

    /// <summary>What the server would refuse, or could not see, is refused before anything is stored or sent.</summary>
    private void Check(ConversationState state, CardTerms terms, string memo)
    {
        var assets = _core.Device.Assets;
        var asset = assets.FirstOrDefault(one => one.Code == terms.Money.Asset.Value) is { } known
            ? new Asset(terms.Money.Asset, known.Exponent, AssetKind.Currency)
            : null;
        Span<byte> commitment = stackalloc byte[Limits.DetailCommitBytes];
        if (CardRules.CheckTerms(terms, _core.Device.Account.Id, asset, commitment) is { } flaw)
        {
            throw new ChatPayException(ErrorBody.From(flaw));
        }

        if (!terms.Others.All(other => state.Record.Members.Any(member => member.Account == other)))
        {
            throw LocalErrors.Refused(ErrorCode.CardPartyNotMember, "Somebody whom the card names is not in the conversation.");
        }

        if (memo.Length > Limits.CardMemoMaxChars)
        {
            throw LocalErrors.Refused(
                ErrorCode.InvalidArgument, $"A memo has at most {Limits.CardMemoMaxChars} characters.");
        }
    }

    private async Task<CardRecord?> KnownCardAsync(CardId card, CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            return await _core.CardAsync(card, cancellationToken);
        }
    }

    private async Task<ChatCard> LearnAsync(ChatCard known, CardView news, CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            var before = await _core.CardAsync(known.Id, cancellationToken) ?? new(known.View, known.Memo, known.Trust);
            var after = CardChecks.Advance(before, news);
            if (!ReferenceEquals(before, after))
            {
                var batch = new Batch(_core);
                batch.Put(after);
                await batch.WriteAsync(cancellationToken);
            }

            return new(after.View, after.Memo, after.Trust);
        }
    }
}
