using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Transparency;

/// <summary>What a chain's new entries change besides the chain.</summary>
/// <param name="Added">Sets the calling device on its feet; null where it is not added.</param>
/// <param name="Revoked">Devices that no identity key vouches for any more, and that the server revokes.</param>
internal sealed record KeyChainChange(
    KeyChain Chain, IReadOnlyList<KeyLogEntry> Entries, DeviceId? Added, IReadOnlyList<DeviceId> Revoked);

/// <summary>Which entries a device may add to its account's chain.</summary>
internal static class KeyChainRules
{
    /// <param name="chain">The chain as it stands; it takes the entries that are accepted.</param>
    /// <param name="stored">Encodings of the entries that it has.</param>
    /// <param name="signatureKey">The calling device's, as it was registered.</param>
    /// <param name="others">The account's other live devices.</param>
    /// <returns>A change without entries where all of them are there already: the answer was lost.</returns>
    public static Result<KeyChainChange> Decide(
        KeyChain chain, IReadOnlyList<byte[]> stored, Caller caller, ReadOnlySpan<byte> signatureKey,
        IReadOnlyList<DeviceId> others, IReadOnlyList<byte[]> encodings)
    {
        ArgumentNullException.ThrowIfNull(chain);
        ArgumentNullException.ThrowIfNull(stored);
        ArgumentNullException.ThrowIfNull(others);
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
            return new KeyChainChange(chain, [], null, [.. others.Where(chain.IsRevoked)]);
        }

        if (entries[0].Account == caller.Account && entries[0].Sequence < chain.Length)
        {
            return new Error(
                ErrorCode.KeyChainStale, "Another device has added to the account's keys meanwhile.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["length"] = chain.Length });
        }

        return Take(chain, caller, signatureKey, others, entries);
    }

    private static Result<KeyChainChange> Take(
        KeyChain chain, Caller caller, ReadOnlySpan<byte> signatureKey, IReadOnlyList<DeviceId> others,
        List<KeyLogEntry> entries)
    {
        DeviceId? added = null;
        foreach (var entry in entries)
        {
            if (entry.Type == KeyLogEntryType.DeviceAdded
                && (entry.Device != caller.Device || !entry.NewKey.SequenceEqual(signatureKey)))
            {
                return new Error(
                    ErrorCode.WrongDevice, "A device adds itself, with the key that it signed in with, and no other.");
            }

            if (chain.Append(entry) is var rejection and not LogRejection.None)
            {
                return Invalid(rejection, (int)(entry.Sequence - entries[0].Sequence));
            }

            switch (entry.Type)
            {
                case KeyLogEntryType.DeviceAdded:
                    added = entry.Device;
                    break;
                case KeyLogEntryType.IdentityReset:
                    added = null;
                    break;
                case KeyLogEntryType.DeviceRevoked:
                case KeyLogEntryType.Identity:
                case KeyLogEntryType.VaultConfigured:
                    break;
            }
        }

        // Whoever begins a chain, or begins it anew, stands in it: else nobody could ever go on with it.
        return chain.Devices.Count == 0
            ? new Error(ErrorCode.DeviceNotApproved, "The chain would have no device left.")
            : new KeyChainChange(chain, entries, added, [.. RevokedBy(entries, others)]);
    }

    /// <summary>The devices that entries put out; a reset puts out every other one that was there before it.</summary>
    private static HashSet<DeviceId> RevokedBy(IReadOnlyList<KeyLogEntry> entries, IReadOnlyList<DeviceId> others)
    {
        var revoked = new HashSet<DeviceId>();
        foreach (var entry in entries)
        {
            if (entry.Type == KeyLogEntryType.DeviceRevoked)
            {
                revoked.Add(entry.Device);
            }
            else if (entry.Type == KeyLogEntryType.IdentityReset)
            {
                revoked.UnionWith(others);
            }
        }

        return revoked;
    }

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
