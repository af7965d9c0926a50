using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Receipts;

/// <summary>Receipts of what cards have settled, proved by the ledger log.</summary>
internal static class ReceiptsFeature
{
    /// <summary>When a receipt without its proof may be asked for again.</summary>
    private const string RetryAfterSeconds = "1";

    public static void AddReceipts(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddSingleton<PaymentReceiptStore>();
        services.AddSingleton<ReceiptService>();
    }

    public static void MapReceipts(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapGroup("").WithTags("Receipts").RequireAuthorization().RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapGet("/cards/{id:guid}/receipts", ListAsync)
            .WithName("ListReceipts").WithSummary("Receipts of what the caller paid or got by a card.");
        group.MapGet("/receipts/{transfer:guid}", ReadAsync)
            .WithName("ReadReceipt").WithSummary("A movement's receipt, for its payer and payee.");
    }

    private static async Task<Results<Ok<ReceiptsPage>, ErrorResult>> ListAsync(
        Guid id, Guid? after, int? limit, HttpContext context, ReceiptService receipts, CancellationToken cancellationToken)
    {
        var page = await receipts.ListAsync(
            context.User.Caller(), new CardId(id), after, limit ?? Limits.ReceiptsPerPage, cancellationToken);
        AskAgain(context, page.IsOk && page.Value.Receipts.Any(receipt => receipt.Seal is null));
        return page.ToOk();
    }

    private static async Task<Results<Ok<ReceiptView>, ErrorResult>> ReadAsync(
        Guid transfer, HttpContext context, ReceiptService receipts, CancellationToken cancellationToken)
    {
        var receipt = await receipts.ReadAsync(context.User.Caller(), new TransferId(transfer), cancellationToken);
        AskAgain(context, receipt is { IsOk: true, Value.Seal: null });
        return receipt.ToOk();
    }

    private static void AskAgain(HttpContext context, bool isOpen)
    {
        if (isOpen)
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
        }
    }
}
