using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace ChatPay.Server.Ledger;

/// <summary>The ledger: assets, wallets, statements, and money in the write path.</summary>
internal static class LedgerFeature
{
    private const int DefaultPageEntries = 50;

    public static void AddLedger(this IServiceCollection services)
    {
        services.AddValidatedOptions<LedgerOptions>(LedgerOptions.Section);
        services.AddSingleton<AssetCatalogue>();
        services.AddSingleton<LedgerAccountCache>();
        services.AddHostedService<AssetStore>();
        services.AddSingleton<IWriteRowsFactory, LedgerRowsFactory>();
        services.AddSingleton<WalletStore>();
        services.AddSingleton<WalletService>();
        services.AddSingleton<LedgerAccountStore>();
        services.AddSingleton<StatementStore>();
        services.AddSingleton<StatementService>();
        services.AddSingleton<ActivityStore>();
        services.AddSingleton<ActivityService>();
        services.AddSingleton<ExportGate>();
        services.AddSingleton<ExportService>();
        services.AddSingleton<IAccountLifecycle>(provider => provider.GetRequiredService<WalletService>());
    }

    public static void MapLedger(this RouteGroupBuilder v1)
    {
        var wallet = v1.MapGroup("/wallet").RequireAuthorization().RequireRateLimiting(RateLimitPolicies.Reads)
            .WithTags("Wallet");
        wallet.MapGet("", async (HttpContext context, WalletService wallets) =>
                (await wallets.ReadAsync(context.User.Caller().Account, context.RequestAborted)).ToOk())
            .WithName("ReadWallet").WithSummary("Balances of the caller, one per asset.");
        wallet.MapGet("/{asset}/balance", async (
                    string asset, string? at, HttpContext context, StatementService statements) =>
                (await statements.ReadBalanceAsync(
                    context.User.Caller().Account, asset, at, context.RequestAborted)).ToOk())
            .WithName("ReadBalance").WithSummary("One wallet's balance, now or at any instant of the past.");
        wallet.MapGet("/{asset}/statement", StatementAsync)
            .WithName("ReadStatement")
            .WithSummary("Entries of one wallet, newest first, by cursor; all, or those of a period.");
        wallet.MapGet("/{asset}/activity", ActivityAsync)
            .WithName("ReadActivity").WithSummary("What came and went, by person and by month; all, or of a period.");
        wallet.MapGet("/{asset}/export", ExportAsync)
            .RequireRateLimiting(RateLimitPolicies.Exports)
            .WithName("ExportStatement")
            .WithSummary("The statement of one wallet as a file: csv, json, ofx or camt053; all, or a period.");
    }

    private static async Task<Results<Ok<StatementPage>, ErrorResult>> StatementAsync(
        string asset, long? before, int? limit, string? from, string? to, [FromQuery(Name = "with")] Guid? person,
        string? side, HttpContext context, StatementService statements)
    {
        if (StatementFilter.Read(person, side, out var filter) is { } wrong)
        {
            return new ErrorResult(wrong);
        }

        return (await statements.ReadPageAsync(
            context.User.Caller().Account, asset, before, limit ?? DefaultPageEntries, from, to, filter,
            context.RequestAborted)).ToOk();
    }

    private static async Task<Results<Ok<WalletActivity>, ErrorResult>> ActivityAsync(
        string asset, string? from, string? to, HttpContext context, ActivityService activity) =>
        (await activity.ReadAsync(context.User.Caller().Account, asset, from, to, context.RequestAborted)).ToOk();

    private static async Task<Results<ExportResult, ErrorResult>> ExportAsync(
        string asset, string? format, string? from, string? to, HttpContext context, ExportService exports,
        ExportGate gate)
    {
        var account = context.User.Caller().Account;
        var place = gate.Enter(account);
        if (place.Error is { } full)
        {
            return new ErrorResult(full);
        }

        Result<Export>? export = null;
        try
        {
            export = await exports.PrepareAsync(
                account, asset, format, from, to, Limits.ExportEntries, context.RequestAborted);
        }
        finally
        {
            if (export is not { IsOk: true })
            {
                place.Value.Dispose();
            }
        }

        return export.Value.Error is { } error
            ? new ErrorResult(error)
            : new ExportResult(export.Value.Value, place.Value, gate.Timeout);
    }
}
