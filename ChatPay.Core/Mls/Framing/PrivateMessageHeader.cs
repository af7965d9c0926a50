using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;


/// <summary>
/// What a delivery service reads of a PrivateMessage. The message is checked to its last byte, but its ciphertext is not
/// copied.
/// </summary>
/// <param name="GroupId">The group; see <see cref="GroupIds"/>.</param>
public sealed record PrivateMessageHeader(
    byte[] GroupId, ulong Epoch, ContentType ContentType, byte[] AuthenticatedData)
{
    /// <summary>Reads the header of an MLSMessage that holds a PrivateMessage.</summary>
    /// <param name="rejection"><see cref="MlsRejection.WrongKind"/> for another kind of message.</param>
    public static bool TryRead(
        ReadOnlySpan<byte> message, [NotNullWhen(true)] out PrivateMessageHeader? header, out MlsRejection rejection)
    {
        var reader = new TlsReader(message);
        if (MlsMessage.ReadWireFormat(ref reader) != WireFormat.PrivateMessage)
        {
            reader.Fail(MlsRejection.WrongKind);
        }

        var read = new PrivateMessageHeader(
            reader.ReadOpaque(), reader.ReadUInt64(), PrivateMessage.ReadContentType(ref reader), reader.ReadOpaque());
        _ = reader.ReadOpaqueSpan();
        _ = reader.ReadOpaqueSpan();
        reader.End();
        rejection = reader.Rejection;
        header = rejection == MlsRejection.None ? read : null;
        return header is not null;
    }
}
