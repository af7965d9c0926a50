using ChatPay.Core.Protocol;

namespace ChatPay.Server.Vault;

/// <summary>The account identity keys that the key log says are in force.</summary>
internal interface IIdentityKeys
{
    /// <returns>32 bytes; null where the log knows none.</returns>
    ValueTask<byte[]?> FindAsync(AccountId account, CancellationToken cancellationToken);
}
