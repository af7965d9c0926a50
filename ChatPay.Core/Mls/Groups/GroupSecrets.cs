using System.Security.Cryptography;

namespace ChatPay.Core.Mls;


/// <summary>
/// What a Welcome's encrypted part holds for one new member, RFC 9420 section 12.4.3.1. Disposing zeroes the secrets.
/// </summary>
public sealed class GroupSecrets : ITlsStructure<GroupSecrets>, IDisposable
{
    public required byte[] JoinerSecret { get; init; }

    /// <summary>Null where the commit had no path.</summary>
    public byte[]? PathSecret { get; init; }

    public required IReadOnlyList<PreSharedKeyId> PreSharedKeys { get; init; }

    public static GroupSecrets Read(ref TlsReader reader) => new()
    {
        JoinerSecret = reader.ReadOpaque(),
        PathSecret = reader.ReadPresence() ? reader.ReadOpaque() : null,
        PreSharedKeys = reader.ReadVector<PreSharedKeyId>(),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOpaque(JoinerSecret);
        writer.WriteByte(PathSecret is null ? (byte)0 : (byte)1);
        if (PathSecret is not null)
        {
            writer.WriteOpaque(PathSecret);
        }

        writer.WriteVector(PreSharedKeys);
    }

    public void Dispose()
    {
        CryptographicOperations.ZeroMemory(JoinerSecret);
        CryptographicOperations.ZeroMemory(PathSecret);
    }
}
