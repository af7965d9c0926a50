using System.Collections.Concurrent;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Ledger;

/// <summary>
/// Bounds how many exports this node writes at once: one per account, and a number altogether. A reader may be slow, so each
/// has an end as well.
/// </summary>
internal sealed class ExportGate(IOptions<LedgerOptions> options)
{
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<AccountId, bool> _writing = [];
    private int _count;

    public TimeSpan Timeout { get; } = TimeSpan.FromSeconds(options.Value.ExportTimeoutSeconds);

    /// <summary>A place, given back by disposing of it.</summary>
    public Result<IDisposable> Enter(AccountId account)
    {
        if (!_writing.TryAdd(account, true))
        {
            return TooMany.Requests("Another export of this account is being written. Wait until it is done.", s_wait);
        }

        if (Interlocked.Increment(ref _count) > options.Value.ExportsAtOnce)
        {
            Leave(account);
            return new Error(ErrorCode.Overloaded, "Many exports are being written. Try again in a while.");
        }

        return new Place(this, account);
    }

    private void Leave(AccountId account)
    {
        Interlocked.Decrement(ref _count);
        _writing.TryRemove(account, out _);
    }

    private sealed class Place(ExportGate gate, AccountId account) : IDisposable
    {
        private int _left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _left, 1) == 0)
            {
                gate.Leave(account);
            }
        }
    }
}
