using ChatPay.Core.Protocol;

namespace ChatPay.Core.Transparency;

/// <summary>Where an entry goes: the next place of an account's chain.</summary>
/// <param name="Sequence">From 0 on.</param>
/// <param name="PreviousHash">32 bytes; zeros for the first entry.</param>
public sealed record KeyLogPlace(AccountId Account, long Sequence, ReadOnlyMemory<byte> PreviousHash)
{
    /// <summary>Before the account's first entry.</summary>
    public static KeyLogPlace First(AccountId account) => new(account, 0, new byte[KeyLogEntry.HashSize]);
}
