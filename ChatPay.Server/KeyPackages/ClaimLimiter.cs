using System.Threading.RateLimiting;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.KeyPackages;

/// <summary>
/// How often an account may claim: from each other account, so that nobody empties another's stock alone, and from all
/// together. Claims on one's own devices are not counted.
/// </summary>
internal sealed class ClaimLimiter(IOptions<KeyPackageOptions> options) : IDisposable
{
    private const string Sentence = "Too many key packages were claimed. Wait a while.";

    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(10);

    private readonly PartitionedRateLimiter<(AccountId Claimer, AccountId Owner)> _perPair =
        Limiter<(AccountId, AccountId)>(options.Value.ClaimsPerPairBurst, options.Value.ClaimsPerPairPerHour);

    private readonly PartitionedRateLimiter<AccountId> _perClaimer =
        Limiter<AccountId>(options.Value.ClaimsBurst, options.Value.ClaimsPerHour);

    /// <summary>Null when the claim may go ahead.</summary>
    public Error? Check(AccountId claimer, IReadOnlyCollection<AccountId> owners)
    {
        var others = owners.Where(owner => owner != claimer).ToList();
        if (others.Count == 0)
        {
            return null;
        }

        if (others.Count > options.Value.ClaimsBurst)
        {
            return TooMany.Requests(Sentence, TimeSpan.FromHours(1));
        }

        using var all = _perClaimer.AttemptAcquire(claimer, others.Count);
        if (!all.IsAcquired)
        {
            return TooMany.Requests(Sentence, all);
        }

        foreach (var owner in others)
        {
            using var one = _perPair.AttemptAcquire((claimer, owner));
            if (!one.IsAcquired)
            {
                return TooMany.Requests(Sentence, one);
            }
        }

        return null;
    }

    public void Dispose()
    {
        _perPair.Dispose();
        _perClaimer.Dispose();
    }

    /// <summary>
    /// A bucket that refills in whole tokens: with few per hour the period stretches until one token is due.
    /// </summary>
    private static PartitionedRateLimiter<TKey> Limiter<TKey>(int burst, int perHour)
        where TKey : notnull
    {
        var perPeriod = (int)(perHour * s_period.TotalSeconds / 3600);
        var period = perPeriod > 0 ? s_period : TimeSpan.FromHours(1) / perHour;
        return PartitionedRateLimiter.Create<TKey, TKey>(key => RateLimitPartition.GetTokenBucketLimiter(
            key,
            _ => new TokenBucketRateLimiterOptions
            {
                TokenLimit = burst,
                TokensPerPeriod = Math.Max(1, perPeriod),
                ReplenishmentPeriod = period,
                QueueLimit = 0,
                AutoReplenishment = true,
            }));
    }
}
