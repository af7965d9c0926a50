namespace ChatPay.Core.Mls;

/// <summary>A structure of RFC 9420 that reads and writes itself in TLS presentation language.</summary>
/// <remarks>
/// Encodings are unique: lengths are minimal and presence octets 0 or 1, so what was read writes back to the same
/// bytes. Signatures are checked over re-encoded structures for that reason.
/// </remarks>
/// <typeparam name="TSelf">The structure.</typeparam>
public interface ITlsStructure<TSelf>
    where TSelf : ITlsStructure<TSelf>
{
    /// <summary>
    /// Reads one structure and leaves the reader behind it. When the reader has failed the value is not meaningful and
    /// may be null; nobody uses it, because <see cref="TlsCodec.TryDecode{T}(ReadOnlySpan{byte}, out T, out MlsRejection)"/>
    /// asks the reader before it gives the value away.
    /// </summary>
    static abstract TSelf Read(ref TlsReader reader);

    /// <summary>Appends the structure's encoding.</summary>
    void Write(TlsWriter writer);
}
