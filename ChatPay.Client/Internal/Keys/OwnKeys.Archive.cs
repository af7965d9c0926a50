using System.Security.Cryptography;

namespace ChatPay.Client.Internal.Keys;

/// <content>The archive's key, which comes and goes apart from the others.</content>
internal sealed partial class OwnKeys
{
    /// <summary>Keeps the archive's key beside the account's others; null forgets it.</summary>
    public Task SetArchiveKeyAsync(byte[]? archiveKey, CancellationToken cancellationToken) => UpdateAsync(
        own => CryptographicOperations.FixedTimeEquals(own.ArchiveKey, archiveKey)
            ? own : own with { ArchiveKey = archiveKey },
        cancellationToken);
}
