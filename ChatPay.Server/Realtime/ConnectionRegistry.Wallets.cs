using System.Runtime.InteropServices;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>Wallets of connected accounts: the newest state goes out once, and no older one after it.</summary>
internal sealed partial class ConnectionRegistry
{
    private readonly Dictionary<AccountId, Dictionary<string, long>> _wallets = [];

    /// <summary>Gives a wallet's state to the account's connections, unless they have had it or a later one.</summary>
    /// <param name="version">Of the ledger account, which every movement raises.</param>
    public void OfferWallet(AccountId account, string asset, long version, Push push)
    {
        lock (_lock)
        {
            if (_byAccount.TryGetValue(account, out var connections) && Raise(account, asset, version) is not null)
            {
                foreach (var connection in connections)
                {
                    connection.Enqueue(push);
                }
            }
        }
    }

    /// <summary>Takes note of a version that was read.</summary>
    /// <returns>
    /// Whether it is news to the account's connections; null where nothing was known, so that they may have read it
    /// themselves.
    /// </returns>
    public bool? IsWalletNews(AccountId account, string asset, long version)
    {
        lock (_lock)
        {
            return !_byAccount.ContainsKey(account) ? false
                : !_wallets.TryGetValue(account, out var known) || !known.TryGetValue(asset, out var before) ? null
                : version > before;
        }
    }

    /// <summary>Takes note of a version that nobody need be told of.</summary>
    public void KnowWallet(AccountId account, string asset, long version)
    {
        lock (_lock)
        {
            if (_byAccount.ContainsKey(account))
            {
                Raise(account, asset, version);
            }
        }
    }

    private long? Raise(AccountId account, string asset, long version)
    {
        if (!_wallets.TryGetValue(account, out var versions))
        {
            _wallets.Add(account, versions = new(StringComparer.Ordinal));
        }

        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(versions, asset, out var present);
        if (present && version <= known)
        {
            return null;
        }

        return known = version;
    }
}
