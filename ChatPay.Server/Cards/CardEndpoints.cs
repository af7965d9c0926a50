using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Cards;

/// <summary>Cards over HTTP: what is asked for, and codes that are scanned. Acting on cards is the hub's.</summary>
internal static class CardEndpoints
{
    public static void MapCards(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var reads = v1.MapGroup("").RequireAuthorization().RequireRateLimiting(RateLimitPolicies.Reads);
        reads.MapGet("/cards/{id:guid}", CardAsync)
            .WithName("ReadCard").WithTags("Cards").WithSummary("A card, for members of its conversation.");
        reads.MapGet("/cards/{id:guid}/parts", PartsAsync)
            .WithName("ReadCardParts").WithTags("Cards")
            .WithSummary("The parts of a split, or the taken shares of a packet, by place.");
        reads.MapGet("/wallet/holds", HoldsAsync)
            .WithName("ReadHolds").WithTags("Wallet").WithSummary("What of the caller's waits in cards, and when it returns.");
        reads.MapGet("/wallet/limits", LimitsAsync)
            .WithName("ReadLimits").WithTags("Wallet").WithSummary("What the server lets the caller do with money.");
        reads.MapGet("/pay-codes/{code}", CodeAsync)
            .WithName("ReadPayCode").WithTags("Cards").WithSummary("One's own code, and who has scanned it.");
        var writes = v1.MapGroup("").WithTags("Cards").RequireAuthorization().RequireRateLimiting(RateLimitPolicies.Writes);
        writes.MapPost("/pay-codes", CreateCodeAsync)
            .WithName("CreatePayCode").WithSummary("A code to be shown: to be paid an amount, or to be asked for one.");
        writes.MapPost("/pay-codes/{code}/scan", ScanCodeAsync)
            .WithName("ScanPayCode").WithSummary("Takes somebody's code: it serves the first who does.");
        writes.MapDelete("/pay-codes/{code}", RemoveCodeAsync)
            .WithName("RemovePayCode").WithSummary("Puts one's own code out of use.");
    }

    private static async Task<Results<Ok<CardView>, ErrorResult>> CardAsync(
        Guid id, ClaimsPrincipal user, CardService cards, CancellationToken cancellationToken) =>
        (await cards.ReadAsync(user.Caller(), new(id), cancellationToken)).ToOk();

    private static async Task<Results<Ok<CardPartsPage>, ErrorResult>> PartsAsync(
        Guid id, int? after, int? limit, ClaimsPrincipal user, CardService cards, CancellationToken cancellationToken) =>
        (await cards.ReadPartsAsync(user.Caller(), new(id), after, limit ?? Limits.CardPartsPage, cancellationToken)).ToOk();

    private static async Task<Results<Ok<IReadOnlyList<WalletHold>>, ErrorResult>> HoldsAsync(
        ClaimsPrincipal user, WalletHolds holds, CancellationToken cancellationToken) =>
        (await holds.ReadAsync(user.Caller(), cancellationToken)).ToOk();

    private static async Task<Results<Ok<WalletLimits>, ErrorResult>> LimitsAsync(
        ClaimsPrincipal user, WalletHolds holds, CancellationToken cancellationToken) =>
        (await holds.ReadLimitsAsync(user.Caller(), cancellationToken)).ToOk();

    private static async Task<Results<Ok<PayCodeView>, ErrorResult>> CodeAsync(
        string code, ClaimsPrincipal user, PayCodeService codes, CancellationToken cancellationToken) =>
        (await codes.ReadAsync(user.Caller(), code, cancellationToken)).ToOk();

    private static async Task<Results<Ok<PayCodeView>, ErrorResult>> CreateCodeAsync(
        NewPayCode wanted, ClaimsPrincipal user, PayCodeService codes, CancellationToken cancellationToken) =>
        (await codes.CreateAsync(user.Caller(), wanted, cancellationToken)).ToOk();

    private static async Task<Results<Ok<PayCodeView>, ErrorResult>> ScanCodeAsync(
        string code, ClaimsPrincipal user, PayCodeService codes, CancellationToken cancellationToken) =>
        (await codes.ScanAsync(user.Caller(), code, cancellationToken)).ToOk();

    private static async Task<Results<NoContent, ErrorResult>> RemoveCodeAsync(
        string code, ClaimsPrincipal user, PayCodeService codes, CancellationToken cancellationToken) =>
        (await codes.RemoveAsync(user.Caller(), code, cancellationToken)).ToNoContent();
}
