using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Cluster;

/// <summary>
/// Finds wallets of connected accounts that have changed without this node having been told. While hints come, a part of the
/// accounts is looked at in each round; while they do not, all of them.
/// </summary>
internal sealed class WalletWatch(WalletService wallets, ClusterNode node, ConnectionRegistry registry)
{
    /// <summary>In how many rounds every account has its turn while hints come.</summary>
    public const int Parts = 8;

    private const int AccountsPerQuery = 5000;

    private int _part;

    /// <summary>In which round it is an account's turn; every other hash is negative.</summary>
    public static int TurnOf(AccountId account) => (int)(unchecked((uint)account.GetHashCode()) % Parts);

    public async Task CheckAsync(bool all, CancellationToken cancellationToken)
    {
        _part = (_part + 1) % Parts;
        var accounts = registry.Accounts.Where(account =>
            all || !node.IsRedisUp || TurnOf(account) == _part);
        foreach (var chunk in accounts.Chunk(AccountsPerQuery))
        {
            foreach (var wallet in await wallets.StatesAsync(chunk, cancellationToken))
            {
                Compare(wallet);
            }
        }
    }

    private void Compare(WalletState wallet)
    {
        var asset = wallet.Balance.Asset;
        var isNews = registry.IsWalletNews(wallet.Account, asset, wallet.Version);
        if (isNews ?? wallet.ChangedLately)
        {
            registry.OfferWallet(wallet.Account, asset, wallet.Version, Push.Of(wallet.Balance));
        }
        else if (isNews is null)
        {
            // It rests since before the account came: what its client has read is this.
            registry.KnowWallet(wallet.Account, asset, wallet.Version);
        }
    }
}
