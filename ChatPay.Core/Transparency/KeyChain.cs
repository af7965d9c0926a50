using ChatPay.Core.Protocol;

namespace ChatPay.Core.Transparency;

/// <summary>
/// An account's entries as a chain, checked one by one: each has the next number, names the one before it by its hash
/// and is signed by the identity key in force. What it comes to is that key, the live devices with theirs, and the
/// vault's digest. An entry that is refused changes nothing.
/// </summary>
public sealed class KeyChain
{
    private readonly Dictionary<DeviceId, byte[]> _devices = [];
    private readonly HashSet<DeviceId> _revoked = [];
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<byte[]> _identityKeys = [];
    private byte[] _head = new byte[KeyLogEntry.HashSize];
    private byte[]? _vaultDigest;

    public KeyChain(AccountId account) => Account = account;

    public AccountId Account { get; }

    /// <summary>How many entries were taken.</summary>
    public long Length { get; private set; }

    /// <summary>
    /// How often the identity was replaced without the old key: each time contacts have to accept the new one.
    /// </summary>
    public int Resets { get; private set; }

    /// <summary>The hash of the last entry, 32 bytes; zeros before the first.</summary>
    public ReadOnlySpan<byte> Head => _head;

    /// <summary>Ed25519, 32 bytes; empty before the first entry.</summary>
    public ReadOnlySpan<byte> IdentityKey => _identityKeys.LastOrDefault();

    /// <summary>
    /// The identity keys since the last reset, each of which could vouch for a device that is still live; the last one is in
    /// force.
    /// </summary>
    public IReadOnlyList<byte[]> IdentityKeys => _identityKeys;

    /// <summary>32 bytes; empty where there is no PIN.</summary>
    public ReadOnlySpan<byte> VaultDigest => _vaultDigest;

    /// <summary>The devices that are not revoked, with their keys.</summary>
    public IReadOnlyDictionary<DeviceId, byte[]> Devices => _devices;

    /// <summary>Where the next entry goes.</summary>
    public KeyLogPlace Next => new(Account, Length, _head);

    /// <summary>Whether the account's live device has this key.</summary>
    public bool HasDevice(DeviceId device, ReadOnlySpan<byte> key) =>
        _devices.TryGetValue(device, out var known) && key.SequenceEqual(known);

    /// <summary>Whether the device was in the chain and is no more.</summary>
    public bool IsRevoked(DeviceId device) => _revoked.Contains(device);

    /// <summary>Whether an entry has brought this key, a device's or an identity's, before a reset too.</summary>
    public bool HasHad(ReadOnlySpan<byte> key) => _keys.Contains(Convert.ToHexString(key));

    /// <summary>Takes the next entry, or says why not.</summary>
    public LogRejection Append(KeyLogEntry entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var rejection = Length >= LogLimits.ChainEntries ? LogRejection.ChainTooLong
            : entry.Account != Account ? LogRejection.AccountOther
            : entry.Sequence != Length ? LogRejection.OutOfOrder
            : !entry.PreviousHash.SequenceEqual(_head) ? LogRejection.Forked
            : Length == 0 && entry.Type != KeyLogEntryType.Identity ? LogRejection.BeginningInvalid
            : Judge(entry);
        if (rejection == LogRejection.None)
        {
            Take(entry);
            _head = entry.Hash();
            Length++;
        }

        return rejection;
    }

    /// <summary>Checks a whole chain from its beginning.</summary>
    /// <param name="chain">Null unless every entry was taken.</param>
    /// <param name="failedAt">The number of the entry that was refused, or -1.</param>
    public static LogRejection Check(
        AccountId account, IReadOnlyList<ReadOnlyMemory<byte>> entries, out KeyChain? chain, out long failedAt)
    {
        ArgumentNullException.ThrowIfNull(entries);
        chain = null;
        var checkedChain = new KeyChain(account);
        foreach (var bytes in entries)
        {
            failedAt = checkedChain.Length;
            if (!KeyLogEntry.TryRead(bytes.Span, out var entry, out var rejection)
                || (rejection = checkedChain.Append(entry)) != LogRejection.None)
            {
                return rejection;
            }
        }

        failedAt = -1;
        chain = checkedChain;
        return LogRejection.None;
    }

    private LogRejection Judge(KeyLogEntry entry)
    {
        var bringsKey = entry.Type is KeyLogEntryType.Identity or KeyLogEntryType.IdentityReset
            or KeyLogEntryType.DeviceAdded;
        var signer = Length == 0 || entry.Type == KeyLogEntryType.IdentityReset ? entry.NewKey : IdentityKey;
        return !entry.IsSignedBy(signer) ? LogRejection.EntrySignatureInvalid
            : bringsKey && _keys.Contains(Convert.ToHexString(entry.NewKey)) ? LogRejection.KeyReused
            : entry.Type == KeyLogEntryType.DeviceAdded
                && (_devices.ContainsKey(entry.Device) || _revoked.Contains(entry.Device)) ? LogRejection.DeviceKnown
            : entry.Type == KeyLogEntryType.DeviceRevoked && !_devices.ContainsKey(entry.Device)
                ? LogRejection.DeviceUnknown
            : LogRejection.None;
    }

    private void Take(KeyLogEntry entry)
    {
        switch (entry.Type)
        {
            case KeyLogEntryType.Identity:
                _identityKeys.Add(Remember(entry.NewKey));
                break;
            case KeyLogEntryType.IdentityReset:
                _identityKeys.Clear();
                _identityKeys.Add(Remember(entry.NewKey));
                _revoked.UnionWith(_devices.Keys);
                _devices.Clear();
                _vaultDigest = null;
                Resets++;
                break;
            case KeyLogEntryType.DeviceAdded:
                _devices.Add(entry.Device, Remember(entry.NewKey));
                break;
            case KeyLogEntryType.DeviceRevoked:
                _devices.Remove(entry.Device);
                _revoked.Add(entry.Device);
                break;
            case KeyLogEntryType.VaultConfigured:
                _vaultDigest = entry.VaultDigest.ContainsAnyExcept((byte)0) ? entry.VaultDigest.ToArray() : null;
                break;
        }
    }

    private byte[] Remember(ReadOnlySpan<byte> key)
    {
        _keys.Add(Convert.ToHexString(key));
        return key.ToArray();
    }
}
