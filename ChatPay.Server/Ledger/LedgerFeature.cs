using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Ledger;

/// <summary>The ledger: assets, wallets, statements, and money in the write path.</summary>
internal static class LedgerFeature
{
    private const int DefaultPageEntries = 50;

    public static void AddLedger(this IServiceCollection services)
    {
        services.AddValidatedOptions<LedgerOptions>(LedgerOptions.Section);
        services.AddSingleton<AssetCatalogue>();
        services.AddHostedService<AssetStore>();
        services.AddSingleton<IWriteRowsFactory, LedgerRowsFactory>();
        services.AddSingleton<WalletStore>();
        services.AddSingleton<WalletService>();
        services.AddSingleton<StatementStore>();
        services.AddSingleton<StatementService>();
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
        wallet.MapGet("/{asset}/statement", async (
                    string asset, long? before, int? limit, string? from, string? to, HttpContext context,
                    StatementService statements) =>
                (await statements.ReadPageAsync(
                    context.User.Caller().Account, asset, before, limit ?? DefaultPageEntries, from, to,
                    context.RequestAborted)).ToOk())
            .WithName("ReadStatement")
            .WithSummary("Entries of one wallet, newest first, by cursor; all, or those of a period.");
    }
}
