using System.Threading.RateLimiting;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Cards;

/// <summary>
/// How often an account may ask others for money. Per node: what it keeps from happening is a nuisance, not a loss.
/// </summary>
internal sealed class RequestLimiter(IOptions<CardOptions> options) : IDisposable
{
    private readonly PartitionedRateLimiter<AccountId> _limiter = PartitionedRateLimiter.Create<AccountId, AccountId>(
        account => RateLimitPartition.GetTokenBucketLimiter(account, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = options.Value.RequestBurst,
            TokensPerPeriod = 1,
            ReplenishmentPeriod = TimeSpan.FromMinutes(1) / options.Value.RequestsPerMinute,
            QueueLimit = 0,
        }));

    /// <summary>Null when the account may ask.</summary>
    public Error? Check(AccountId account)
    {
        using var lease = _limiter.AttemptAcquire(account);
        return lease.IsAcquired
            ? null
            : TooMany.Requests("You have asked for payments too often. Wait a little.", lease);
    }

    public void Dispose() => _limiter.Dispose();
}
