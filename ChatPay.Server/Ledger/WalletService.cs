using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Ledger;

/// <summary>Wallets: one ledger account per person and asset.</summary>
internal sealed partial class WalletService(
    WalletStore store, GroupCommitter committer, AssetCatalogue assets, ILogger<WalletService> logger)
    : IAccountLifecycle
{
    public async Task AccountOpenedAsync(AccountId account, CancellationToken cancellationToken)
    {
        var opened = await OpenAsync(account, cancellationToken);
        if (opened.Error is { } error)
        {
            // The accounts feature tries again until it succeeds, and reading the wallet opens it too.
            throw new InvalidOperationException($"The wallets could not be opened: {error.Code}.");
        }
    }

    public async Task<Result<WalletReply>> ReadAsync(AccountId account, CancellationToken cancellationToken)
    {
        var wallets = await store.ReadAsync(account, cancellationToken);
        if (assets.All.Any(asset => IsMissing(wallets, asset)))
        {
            Log.Repairing(logger);
            var opened = await OpenAsync(account, cancellationToken);
            if (opened.Error is { } error)
            {
                return error;
            }

            wallets = await store.ReadAsync(account, cancellationToken);
        }

        // An asset that left the configuration keeps its accounts, but nobody can spend from them; it is not shown.
        return new WalletReply(
            [
                .. from asset in assets.All
                   let wallet = wallets[asset.Code.Value]
                   select new WalletBalance(asset.Code.Value, asset.Exponent, wallet.BalanceMinor, wallet.HeldMinor),
            ],
            assets.SandboxEnabled);
    }

    /// <summary>The wallets of accounts that the configuration shows, with their versions.</summary>
    public async Task<IReadOnlyList<WalletState>> StatesAsync(
        IReadOnlyCollection<AccountId> accounts, CancellationToken cancellationToken) =>
    [
        .. from wallet in await store.StatesAsync(accounts, cancellationToken)
           from asset in assets.All
           where asset.Code.Value == wallet.Balance.Asset
           select wallet with { Balance = wallet.Balance with { Exponent = asset.Exponent } },
    ];

    private async Task<Result<Unit>> OpenAsync(AccountId account, CancellationToken cancellationToken)
    {
        var opened = await committer.SubmitAsync(new OpenWalletsCommand(account, assets), cancellationToken);
        if (opened.IsOk)
        {
            LedgerMetrics.WalletsOpened();
        }

        return opened;
    }

    private bool IsMissing(IReadOnlyDictionary<string, Wallet> wallets, Asset asset) =>
        !wallets.TryGetValue(asset.Code.Value, out var wallet)
        || (wallet.Version == 0 && assets.SandboxAmount(asset.Code).IsPositive);

    private static partial class Log
    {
        [LoggerMessage(5000, LogLevel.Information, "An account lacked wallets and gets them now")]
        public static partial void Repairing(ILogger logger);
    }
}
