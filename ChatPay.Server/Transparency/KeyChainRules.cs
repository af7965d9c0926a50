using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Transparency;

/// <summary>What a chain's new entries change besides the chain.</summary>
/// <param name="Added">Devices of the account that are in the chain from now on.</param>
/// <param name="Revoked">Devices that no identity key vouches for any more, and that the server revokes.</param>
internal sealed record KeyChainChange(
    KeyChain Chain, IReadOnlyList<KeyLogEntry> Entries, IReadOnlyList<DeviceId> Added, IReadOnlyList<DeviceId> Revoked);

/// <summary>A device as it was registered.</summary>
/// <param name="SignatureKey">Null for a device of another account.</param>
internal sealed record RegisteredDevice(byte[]? SignatureKey, bool IsLive);

/// <summary>
/// Which entries a device may add to its account's chain. Entries about other devices of the account are taken as well: after
/// a restored backup any of them brings back what the database has lost, and everything in it is signed.
/// </summary>
internal static class KeyChainRules
{
    /// <summary>Entries that an account makes as it likes, and that a bound counts.</summary>
    public static IReadOnlyList<KeyLogEntryType> Ordinary { get; } =
        [KeyLogEntryType.DeviceAdded, KeyLogEntryType.VaultConfigured];

    /// <summary>Entries that bring another identity key.</summary>
    public static IReadOnlyList<KeyLogEntryType> Identities { get; } =
        [KeyLogEntryType.Identity, KeyLogEntryType.IdentityReset];

    /// <param name="chain">The chain as it stands; it takes the entries that are accepted.</param>
    /// <param name="stored">Encodings of the entries that it has.</param>
    /// <param name="devices">The account's live devices, and all that the entries name.</param>
    /// <returns>A change without entries where all of them are there already: the answer was lost.</returns>
    public static Result<KeyChainChange> Decide(
        KeyChain chain, IReadOnlyList<byte[]> stored, Caller caller,
        IReadOnlyDictionary<DeviceId, RegisteredDevice> devices, IReadOnlyList<byte[]> encodings)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(devices);
        if (encodings is not { Count: > 0 and <= Limits.KeyEntriesPerRequest })
        {
            return new Error(ErrorCode.InvalidArgument, $"A request adds 1 to {Limits.KeyEntriesPerRequest} entries.");
        }

        var entries = new List<KeyLogEntry>(encodings.Count);
        foreach (var bytes in encodings)
        {
            if (!KeyLogEntry.TryRead(bytes, out var entry, out var rejection))
            {
                return Invalid(rejection, entries.Count);
            }

            entries.Add(entry);
        }

        if (IsStored(entries, stored))
        {
            // Whoever answered before may have died before it carried out what they say.
            return new KeyChainChange(
                chain, [], [],
                [.. RevokedBy(chain, entries, devices).Where(device => device != caller.Device && !IsIn(chain, device))]);
        }

        if (entries[0].Account == caller.Account && entries[0].Sequence < chain.Length)
        {
            return new Error(
                ErrorCode.KeyChainStale, "Another device has added to the account's keys meanwhile.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["length"] = chain.Length });
        }

        return Take(chain, caller, devices, entries);
    }

    /// <summary>The devices that entries bring into a chain.</summary>
    public static IReadOnlyList<DeviceId> Named(IReadOnlyList<byte[]>? encodings)
    {
        var entries = new List<KeyLogEntry>();
        foreach (var bytes in (encodings ?? []).Take(Limits.KeyEntriesPerRequest))
        {
            if (KeyLogEntry.TryRead(bytes, out var entry, out _))
            {
                entries.Add(entry);
            }
        }

        return [.. NamedBy(entries)];
    }

    private static Result<KeyChainChange> Take(
        KeyChain chain, Caller caller, IReadOnlyDictionary<DeviceId, RegisteredDevice> devices,
        List<KeyLogEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.Type == KeyLogEntryType.DeviceAdded && !MayAdd(entry, devices))
            {
                return new Error(
                    ErrorCode.WrongDevice,
                    "A device adds itself and others of its account, with the keys that they signed in with.");
            }

            if (entry.Sequence >= LogLimits.ChainEntries - Limits.KeyEntriesReserved && IsPlain(chain, entry))
            {
                return Invalid(LogRejection.ChainTooLong, (int)(entry.Sequence - entries[0].Sequence));
            }

            if (chain.Append(entry) is var rejection and not LogRejection.None)
            {
                return Invalid(rejection, (int)(entry.Sequence - entries[0].Sequence));
            }
        }

        // Whoever begins a chain, or begins it anew, stands in it: else nobody could ever go on with it.
        return chain.Devices.Count == 0
            ? new Error(ErrorCode.DeviceNotApproved, "The chain would have no device left.")
            : new KeyChainChange(
                chain, entries,
                [.. NamedBy(entries).Where(device => chain.Devices.ContainsKey(device) && devices.ContainsKey(device))],
                [.. RevokedBy(chain, entries, devices)]);
    }

    /// <summary>
    /// A device that the server does not know is one that a restored backup has lost: nobody signs in as that device any more.
    /// </summary>
    private static bool MayAdd(KeyLogEntry entry, IReadOnlyDictionary<DeviceId, RegisteredDevice> devices) =>
        !devices.TryGetValue(entry.Device, out var known)
        || (known.SignatureKey is { } key && entry.NewKey.SequenceEqual(key));

    private static bool IsIn(KeyChain chain, DeviceId device) => chain.Devices.ContainsKey(device);

    /// <summary>Whether the end of a chain is not for this entry; a device that begins an identity anew comes with it.</summary>
    private static bool IsPlain(KeyChain chain, KeyLogEntry entry) =>
        entry.Type == KeyLogEntryType.VaultConfigured || (entry.Type == KeyLogEntryType.DeviceAdded && chain.Devices.Count > 0);

    /// <summary>The live devices that entries put out; a reset puts out every one that it does not name after it.</summary>
    private static IEnumerable<DeviceId> RevokedBy(
        KeyChain chain, IReadOnlyList<KeyLogEntry> entries, IReadOnlyDictionary<DeviceId, RegisteredDevice> devices)
    {
        var isReset = entries.Any(entry => entry.Type == KeyLogEntryType.IdentityReset);
        return LiveOf(devices).Where(device => isReset ? !IsIn(chain, device)
            : entries.Any(entry => entry.Type == KeyLogEntryType.DeviceRevoked && entry.Device == device));
    }

    private static IEnumerable<DeviceId> LiveOf(IReadOnlyDictionary<DeviceId, RegisteredDevice> devices) =>
        devices.Where(device => device.Value.IsLive).Select(device => device.Key);

    private static IEnumerable<DeviceId> NamedBy(IEnumerable<KeyLogEntry> entries) =>
        entries.Where(entry => entry.Type == KeyLogEntryType.DeviceAdded).Select(entry => entry.Device);

    private static bool IsStored(List<KeyLogEntry> entries, IReadOnlyList<byte[]> stored)
    {
        foreach (var entry in entries)
        {
            if (entry.Sequence >= stored.Count || !entry.Encoding.SequenceEqual(stored[(int)entry.Sequence]))
            {
                return false;
            }
        }

        return true;
    }

    private static Error Invalid(LogRejection rejection, int index) => new(
        ErrorCode.KeyEntryInvalid, "An entry does not go on from the account's keys.",
        new Dictionary<string, object>(StringComparer.Ordinal) { ["rejection"] = (int)rejection, ["index"] = index });
}
