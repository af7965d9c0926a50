using System.Security.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// The realms that keep a person's shares, in the order of their shares (the first has index 1), and how many of them
/// are needed. More than half are, so that there are never two quorums that say different things.
/// </summary>
public sealed class RealmConfiguration
{
    private const byte Version = 1;
    private const int IdBytes = 16;

    private readonly RealmId[] _realms;
    private readonly byte[] _digest;

    /// <exception cref="ArgumentException">
    /// No realm, more than <see cref="VaultLimits.Realms"/>, one twice, or a threshold that is no majority of them.
    /// </exception>
    public RealmConfiguration(IReadOnlyList<RealmId> realms, int threshold)
    {
        ArgumentNullException.ThrowIfNull(realms);
        if (realms.Count is 0 or > VaultLimits.Realms || realms.Distinct().Count() != realms.Count)
        {
            throw new ArgumentException("There are 1 to 16 realms, none of them twice.", nameof(realms));
        }

        if (threshold > realms.Count || threshold * 2 <= realms.Count)
        {
            throw new ArgumentException("The threshold is more than half of the realms.", nameof(threshold));
        }

        _realms = [.. realms];
        Threshold = threshold;
        _digest = ComputeDigest();
    }

    public IReadOnlyList<RealmId> Realms => _realms;

    /// <summary>How many realms are needed to recover.</summary>
    public int Threshold { get; }

    /// <summary>SHA-256 of label, version (1), threshold (1), count (1) and the realms' ids (16 each).</summary>
    public ReadOnlySpan<byte> Digest => _digest;

    private static ReadOnlySpan<byte> Label => "chatpay vault v1 realms"u8;

    /// <summary>Whose share an index is, 1 to n.</summary>
    /// <exception cref="ArgumentOutOfRangeException">No such index.</exception>
    public RealmId RealmOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(index, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(index, _realms.Length);
        return _realms[index - 1];
    }

    private byte[] ComputeDigest()
    {
        Span<byte> room = stackalloc byte[Label.Length + 3 + (_realms.Length * IdBytes)];
        var script = new ByteScript(room);
        script.Add(Label);
        script.Add(Version);
        script.Add((byte)Threshold);
        script.Add((byte)_realms.Length);
        foreach (var realm in _realms)
        {
            script.Add(realm.Value);
        }

        return SHA256.HashData(script.Written);
    }
}
