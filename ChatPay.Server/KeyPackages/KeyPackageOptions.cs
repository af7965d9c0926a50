using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.KeyPackages;

/// <summary>Configuration section <c>KeyPackages</c>. The claim limits are of one node and start anew with it.</summary>
internal sealed class KeyPackageOptions
{
    public const string Section = "KeyPackages";

    /// <summary>How far in the future a key package may expire, in days, 1 to 400. Default 366.</summary>
    [Range(1, 400)]
    public int LongestLifetimeDays { get; set; } = 366;

    /// <summary>How far ahead of the server a device's clock may be, in seconds, 0 to 86,400. Default 3,600.</summary>
    [Range(0, 86_400)]
    public int ClockSkewSeconds { get; set; } = 3600;

    /// <summary>
    /// Claims of one account on one other account's devices at once, 1 to 1,000,000: what keeps one stranger from emptying
    /// somebody's stock. Default 40.
    /// </summary>
    [Range(1, 1_000_000)]
    public int ClaimsPerPairBurst { get; set; } = 40;

    /// <summary>Such claims that become free again per hour, 1 to 1,000,000. Default 60.</summary>
    [Range(1, 1_000_000)]
    public int ClaimsPerPairPerHour { get; set; } = 60;

    /// <summary>Accounts that one account may claim from at once, all together, 1 to 10,000,000. Default 1,000.</summary>
    [Range(1, 10_000_000)]
    public int ClaimsBurst { get; set; } = 1000;

    /// <summary>Such claims that become free again per hour, 1 to 10,000,000. Default 2,000.</summary>
    [Range(1, 10_000_000)]
    public int ClaimsPerHour { get; set; } = 2000;

    /// <summary>How often expired key packages are deleted, in minutes, 1 to 1,440. Default 60.</summary>
    [Range(1, 1440)]
    public int SweepMinutes { get; set; } = 60;
}
