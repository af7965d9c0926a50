using ChatPay.Core.Ledger;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Ledger;

/// <summary>
/// The accounts this node has decided on lately, as it left them. It may be wrong: another node may have moved on, or a
/// batch may not have been committed. So whatever is decided on it is committed only if the account's row still has the
/// version and state it had here, and what proves wrong is forgotten.
/// </summary>
/// <remarks>Two generations stand in for an order of use: when the younger is full, the older is dropped.</remarks>
internal sealed class LedgerAccountCache(IOptions<LedgerOptions> options)
{
    private readonly Lock _lock = new();
    private Dictionary<LedgerAccountId, LedgerAccount> _young = [];
    private Dictionary<LedgerAccountId, LedgerAccount> _old = [];

    /// <summary>What is known of the wanted accounts.</summary>
    public List<LedgerAccount> Find(IEnumerable<LedgerAccountId> wanted)
    {
        var found = new List<LedgerAccount>();
        lock (_lock)
        {
            foreach (var id in wanted)
            {
                if (_young.TryGetValue(id, out var account) || _old.TryGetValue(id, out account))
                {
                    found.Add(account);
                }
            }
        }

        return found;
    }

    public void Put(IEnumerable<LedgerAccount> accounts)
    {
        lock (_lock)
        {
            foreach (var account in accounts)
            {
                _young[account.Id] = account;
            }

            if (_young.Count > options.Value.CachedAccounts / 2)
            {
                (_young, _old) = ([], _young);
            }
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            (_young, _old) = ([], []);
        }
    }

    public void Forget(IEnumerable<LedgerAccountId> accounts)
    {
        lock (_lock)
        {
            foreach (var id in accounts)
            {
                _young.Remove(id);
                _old.Remove(id);
            }
        }
    }
}
