using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace ChatPay.Core.Transparency;

/// <summary>
/// Base64 of RFC 4648, section 4, in the one way to write it: padded, without spaces, unused bits zero.
/// </summary>
public static class StrictBase64
{
    /// <returns>Null for everything else.</returns>
    public static byte[]? Decode(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var utf8 = Encoding.UTF8.GetBytes(text);
        var bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(utf8.Length)];
        return Base64.DecodeFromUtf8(utf8, bytes, out _, out var written) == OperationStatus.Done
            && Convert.ToBase64String(bytes, 0, written) == text ? bytes[..written] : null;
    }
}
