namespace ChatPay.Core.Transparency;

/// <summary>
/// Reads a hash of a tree: the root of the perfect tree over the entries from index·2^level on, 2^level of them.
/// </summary>
/// <param name="hash">32 bytes to fill.</param>
/// <returns>False where it is not there.</returns>
public delegate bool ReadHash(int level, long index, Span<byte> hash);
