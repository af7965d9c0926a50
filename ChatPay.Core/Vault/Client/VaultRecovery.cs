using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// One guess of a PIN, as the device makes it: the PIN is stretched and blinded, the realms evaluate and prove it, and
/// with the right one each of them releases its share. In this order: <see cref="EvaluationRequest"/> to each realm,
/// <see cref="TakeEvaluations"/>, <see cref="ReleaseRequest"/> to each realm, <see cref="TakeShares"/>. Everything
/// secret is gone when it is disposed.
/// </summary>
/// <remarks>
/// A wrong PIN is told from a lying realm for certain: every evaluation that counts is proved for a share that the
/// registering device certified together with the commitment that the right PIN meets. What is random is drawn in this
/// order: blind (64, reduced), then each request's id (16).
/// </remarks>
public sealed partial class VaultRecovery : IDisposable
{
    private const int IdBytes = 16;
    private const int ScalarSize = Ristretto255.ScalarSize;

    private readonly RealmConfiguration _configuration;
    private readonly VaultContext _context;
    private readonly FillRandom _random;
    private readonly byte[]? _pinnedDigest;
    private readonly StretchedPin _stretched;
    private readonly Secret _blind = new(ScalarSize);
    private readonly byte[] _blindedElement = new byte[Ristretto255.ElementSize];
    private readonly Dictionary<int, AttemptId> _attempts = [];
    private UnlockKey? _unlockKey;

    private VaultRecovery(
        VaultContext context, RealmConfiguration configuration, StretchedPin stretched, ReadOnlySpan<byte> pinnedDigest,
        FillRandom random)
    {
        _context = context;
        _configuration = configuration;
        _stretched = stretched;
        _pinnedDigest = pinnedDigest.IsEmpty ? null : pinnedDigest.ToArray();
        _random = random;
        if (!Oprf.Verifiable.Blind(stretched.AccessKey, random, _blind.Span, _blindedElement))
        {
            throw new InvalidOperationException("The stretched PIN has no value, which does not happen.");
        }
    }

    /// <summary>Takes about as long as <see cref="StretchedPin.Derive"/>.</summary>
    /// <param name="context">What <see cref="RecoveryStart.Choose"/> found.</param>
    /// <param name="pinnedDigest">
    /// What the key log says of the registration (32 bytes), or empty where nobody asked it.
    /// </param>
    /// <exception cref="ArgumentException">A digest of another size, or a context of other realms.</exception>
    public static VaultRecovery Begin(
        VaultContext context, RealmConfiguration configuration, Pin pin, ReadOnlySpan<byte> pinnedDigest,
        FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(configuration);
        if (!pinnedDigest.IsEmpty && pinnedDigest.Length != VaultDigest.SizeBytes)
        {
            throw new ArgumentException($"A digest has {VaultDigest.SizeBytes} bytes.", nameof(pinnedDigest));
        }

        if (!context.ConfigurationDigest.SequenceEqual(configuration.Digest))
        {
            throw new ArgumentException("The context is of other realms.", nameof(context));
        }

        return new VaultRecovery(context, configuration, StretchedPin.Derive(pin, context), pinnedDigest, random);
    }

    /// <summary>Costs a guess at the realm that gets it. The caller disposes of it.</summary>
    public Recover2Request EvaluationRequest() => new(NextId(), _context.Version, _blindedElement);

    /// <summary>Asks a realm for its share, once the PIN has turned out right. The caller disposes of it.</summary>
    /// <param name="index">A realm whose evaluation counted: one of <see cref="Unlocked"/>.</param>
    /// <exception cref="InvalidOperationException">
    /// The PIN is not known to be right, or this realm did not evaluate it.
    /// </exception>
    public Recover3Request ReleaseRequest(int index)
    {
        if (_unlockKey is null || !_attempts.TryGetValue(index, out var attempt))
        {
            throw new InvalidOperationException("Shares are asked for after the PIN has turned out right.");
        }

        var request = new Recover3Request(NextId(), _context.Version, attempt);
        _unlockKey.Tag(_context, _configuration.RealmOf(index), index, request.UnlockTagRoom);
        return request;
    }

    /// <summary>The realms to ask for their shares, ascending; none before the PIN has turned out right.</summary>
    public IReadOnlyList<int> Unlocked => _unlockKey is null ? [] : [.. _attempts.Keys.Order()];

    public void Dispose()
    {
        _stretched.Dispose();
        _blind.Dispose();
        _unlockKey?.Dispose();
    }

    private Guid NextId()
    {
        Span<byte> id = stackalloc byte[IdBytes];
        _random(id);
        return new Guid(id, bigEndian: true);
    }
}
