using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// What a group needs from outside: this library has no randomness, clock, keys or judgement of its own.
/// </summary>
public sealed record MlsServices
{
    /// <summary>Cryptographically strong randomness.</summary>
    public required FillRandom Random { get; init; }

    public required ICredentialValidator Credentials { get; init; }

    /// <summary>Judges the lifetimes of key packages.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>
    /// Finds pre-shared keys: external ones, and resumption keys of other groups or of epochs that are no longer kept.
    /// Null, or an answer of null, where the key is not known. The answer is zeroed after use.
    /// </summary>
    public Func<PreSharedKeyId, byte[]?>? ExternalPsk { get; init; }

    /// <summary>
    /// Content of private messages is padded to a multiple of this many bytes; 1 for none, at most 65,536.
    /// </summary>
    public int PaddingBytes { get; init; } = 256;

    /// <summary>How far other clients' clocks may differ from this one when a lifetime is judged.</summary>
    public TimeSpan ClockSkew { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a key package may be valid in all, which every application must bound (RFC 9420 section 7.2); members
    /// of a group need the same bound. The default is a year and a day; null for no bound.
    /// </summary>
    public TimeSpan? LongestLifetime { get; init; } = TimeSpan.FromDays(366);

    /// <summary>
    /// Whether lifetimes are also judged in what others send and in the trees of groups that are joined. What this
    /// client sends is always judged. Off, because RFC 9420 section 7.3 only recommends it and it locks people out:
    /// whoever catches up after a long time reads commits whose key packages have expired since, and silent members
    /// keep theirs.
    /// </summary>
    public bool JudgesReceivedLifetimes { get; init; }

    /// <summary>Of how many past epochs the resumption keys are kept, 0 to 1,000; see RFC 9420 section 8.6.</summary>
    public int ResumptionEpochs { get; init; } = 8;

    /// <exception cref="ArgumentException">A value is out of its range.</exception>
    internal static void Validate(MlsServices services)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (services.PaddingBytes is < 1 or > MlsLimits.PaddingBytes)
        {
            throw new ArgumentException(
                $"Padding is to a multiple of 1 to {MlsLimits.PaddingBytes} bytes.", nameof(services));
        }

        if (services.ResumptionEpochs is < 0 or > MlsLimits.ResumptionEpochs)
        {
            throw new ArgumentException(
                $"Resumption keys of 0 to {MlsLimits.ResumptionEpochs} epochs are kept.", nameof(services));
        }
    }
}
