using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cards;
using ChatPay.Core.Conversations;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Cards;

/// <summary>Posting cards and acting on them, and reading them.</summary>
internal sealed class CardService(
    CardStore store, KnownCards knownCards, GroupCommitter committer, AssetCatalogue assets, DebitCheck debits,
    IOptions<CardOptions> options)
{
    /// <summary>Of what is hashed of a request, without the body: enough for most.</summary>
    private const int PayloadBytes = 512;

    /// <summary>The hub's <c>CardAct</c>.</summary>
    public async Task<Result<CardActReply>> ActAsync(
        Caller caller, CardActRequest request, CancellationToken cancellationToken)
    {
        var result = await DecideAsync(caller, request, cancellationToken);
        CardMetrics.Acted(request.Action, result.Error?.Code);
        return result;
    }

    /// <summary>A card as a member of its conversation sees it.</summary>
    public Task<Result<CardView>> ReadAsync(Caller caller, CardId card, CancellationToken cancellationToken) =>
        store.ReadForMemberAsync(card, caller.Account, cancellationToken);

    /// <summary>Parts of a card as a member who may see them does.</summary>
    public async Task<Result<CardPartsPage>> ReadPartsAsync(
        Caller caller, CardId card, int? after, int limit, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > Limits.CardPartsPage || after < 0)
        {
            return new Error(ErrorCode.InvalidArgument, $"A page has 1 to {Limits.CardPartsPage} parts.");
        }

        var read = await store.ReadForMemberAsync(card, caller.Account, cancellationToken);
        if (read.Error is { } error)
        {
            return error;
        }

        var parts = read.Value.Hidden is true
            ? [] : await store.ReadPartsAsync(card, after ?? -1, limit, cancellationToken);
        return new CardPartsPage(parts, parts.Count == limit ? parts[^1].Place : null);
    }

    private async Task<Result<CardActReply>> DecideAsync(
        Caller caller, CardActRequest request, CancellationToken cancellationToken)
    {
        if (request.IdempotencyKey == Guid.Empty || request.Card.Value == Guid.Empty)
        {
            return new Error(ErrorCode.InvalidArgument, "An action needs a card id and an idempotency key.");
        }

        if ((request.Action == CardActionKind.Post) != (request.Post is not null))
        {
            return new Error(ErrorCode.InvalidArgument, "Terms come with the action post, and only with it.");
        }

        if (request.Post is { } post)
        {
            return await PostAsync(caller, request, post, cancellationToken);
        }

        var known = await FindAsync(request, cancellationToken);
        if (request.AmountMinor is not null != request.Action is CardActionKind.Refund or CardActionKind.Draw)
        {
            return new Error(ErrorCode.InvalidArgument, "An amount comes with a refund or a draw, and only with them.");
        }

        var signed = await SignedAsync(caller, known?.Terms, known?.DetailCommit, request, cancellationToken);
        return await committer.SubmitAsync(
            new ActOnCardCommand(caller, request, HashPayload(request, null), known, signed), cancellationToken);
    }

    /// <summary>The card that is acted on, null where there is none; what it says of its state may be old.</summary>
    private async ValueTask<Card?> FindAsync(CardActRequest request, CancellationToken cancellationToken)
    {
        // A refund is of the transfer that settled the card, which is not there from the beginning.
        if (request.Action != CardActionKind.Refund && knownCards.Find(request.Card) is { } known)
        {
            return known;
        }

        if (await store.FindAsync(request.Card, cancellationToken) is not { } read)
        {
            return null;
        }

        knownCards.Put(read);
        return read;
    }

    /// <summary>What the actor signed; null where the action takes nothing of the actor's, or there is no such card.</summary>
    private async ValueTask<Result<SignedDebit>?> SignedAsync(
        Caller caller, CardTerms? terms, byte[]? detailCommit, CardActRequest request, CancellationToken cancellationToken) =>
        terms is not null && detailCommit is not null
            && CardRules.SignedAmount(terms, caller.Account, request.Action, request.AmountMinor) is { } amount
                ? await debits.VerifyAsync(caller, terms, detailCommit, request, amount, cancellationToken)
                : default(Result<SignedDebit>?);

    private async Task<Result<CardActReply>> PostAsync(
        Caller caller, CardActRequest request, CardPost post, CancellationToken cancellationToken)
    {
        if (request.Version != 0)
        {
            return new Error(ErrorCode.InvalidArgument, "A card is posted at version 0.");
        }

        if (post.Body.Length > Limits.MessageBodyBytes)
        {
            return ConversationErrors.BodyTooLarge(Limits.MessageBodyBytes);
        }

        var asset = assets.Find(post.Asset);
        var terms = new CardTerms(
            post.Kind, request.Card, post.Conversation, post.Payer, post.Payee,
            Money.Of(post.AmountMinor, asset?.Code ?? default), post.LifetimeSeconds, post.Plan);
        if (CardRules.CheckTerms(terms, caller.Account, asset, post.DetailCommit) is { } wrong)
        {
            return wrong;
        }

        var seed = post.Plan?.Packet == PacketMode.Random ? RandomNumberGenerator.GetBytes(PacketShares.SeedSize) : null;
        var signed = await SignedAsync(caller, terms, post.DetailCommit, request, cancellationToken);
        return await committer.SubmitAsync(
            new PostCardCommand(
                caller, request, HashPayload(request, terms), terms, seed, options.Value, signed),
            cancellationToken);
    }

    /// <summary>
    /// SHA-256 over everything asked for, so that a key is bound to one action. The authorisation is not of it: a retry may
    /// have to be signed anew.
    /// </summary>
    private static PayloadHash HashPayload(CardActRequest request, CardTerms? terms)
    {
        var input = new ArrayBufferWriter<byte>(PayloadBytes + (request.Post?.Body.Length ?? 0));
        Append("chatpay card action v1"u8);
        Append(request.Card.Value.ToByteArray(bigEndian: true));
        AppendNumber(request.Version);
        Append(Encoding.ASCII.GetBytes(request.Action.ToString()));
        if (request.AmountMinor is { } amount)
        {
            AppendNumber(amount);
        }

        if (request.Post is { } post)
        {
            Append(terms!.Encode());
            Append(post.DetailCommit);
            Append(post.ClientId.Value.ToByteArray(bigEndian: true));
            AppendNumber(post.Epoch);
            Append(post.Body);
        }

        Span<byte> digest = stackalloc byte[PayloadHash.Bytes];
        SHA256.HashData(input.WrittenSpan, digest);
        return PayloadHash.From(digest);

        void AppendNumber(long number)
        {
            BinaryPrimitives.WriteInt64BigEndian(input.GetSpan(sizeof(long)), number);
            input.Advance(sizeof(long));
        }

        void Append(ReadOnlySpan<byte> part)
        {
            AppendNumber(part.Length);
            input.Write(part);
        }
    }
}
