using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>What the encoding of each kind of message needs to be read.</summary>
/// <typeparam name="TSelf">The kind.</typeparam>
public interface IVaultMessage<TSelf>
    where TSelf : VaultMessage, IVaultMessage<TSelf>
{
    /// <summary>The second byte.</summary>
    static abstract VaultMessageType MessageType { get; }

    /// <summary>Every message of the kind has exactly as many bytes.</summary>
    static abstract int SizeBytes { get; }

    /// <summary>A message of the right length and type whose fields are not looked at yet.</summary>
    static abstract TSelf FromEncoding(ReadOnlySpan<byte> encoding);
}

/// <summary>
/// A message between a device and a realm: its one encoding, of one length for each kind, whose fields are read in
/// place. It begins with version (1), type (1) and the id of the request (16), which the response repeats. Numbers and
/// ids are in network order. It may hold secrets, so it is zeroed when disposed.
/// </summary>
public abstract class VaultMessage : IDisposable
{
    internal const int IdBytes = 16;

    private const byte ProtocolVersion = 1;

    private protected static readonly VaultField Header = new(0, 2 + IdBytes);

    private static readonly VaultField s_requestId = new(2, IdBytes);

    private readonly Secret _bytes;

    private protected VaultMessage(VaultMessageType type, int sizeBytes, Guid requestId)
    {
        _bytes = new Secret(sizeBytes);
        _bytes.Span[0] = ProtocolVersion;
        _bytes.Span[1] = (byte)type;
        Write(s_requestId, requestId);
    }

    private protected VaultMessage(ReadOnlySpan<byte> encoding) => _bytes = Secret.Copy(encoding);

    /// <summary>The whole message.</summary>
    /// <exception cref="ObjectDisposedException">The message is gone.</exception>
    public ReadOnlySpan<byte> Encoding => _bytes.Span;

    /// <summary>Random, chosen by the client.</summary>
    public Guid RequestId => ReadId(s_requestId);

    /// <summary>Reads one message of the kind; every byte must belong to it and every field must be valid.</summary>
    /// <param name="rejection">Why not.</param>
    public static bool TryRead<T>(
        ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out T? message, out VaultRejection rejection)
        where T : VaultMessage, IVaultMessage<T>
    {
        message = null;
        rejection = bytes.IsEmpty ? VaultRejection.LengthWrong
            : bytes[0] != ProtocolVersion ? VaultRejection.UnknownVersion
            : bytes.Length < Header.End ? VaultRejection.LengthWrong
            : bytes[1] != (byte)T.MessageType ? VaultRejection.WrongMessage
            : bytes.Length != T.SizeBytes ? VaultRejection.LengthWrong
            : VaultRejection.None;
        if (rejection != VaultRejection.None)
        {
            return false;
        }

        var read = T.FromEncoding(bytes);
        rejection = read.Validate();
        if (rejection != VaultRejection.None)
        {
            read.Dispose();
            return false;
        }

        message = read;
        return true;
    }

    public void Dispose()
    {
        _bytes.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>What is wrong with the fields of a message of the right length.</summary>
    private protected virtual VaultRejection Validate() => VaultRejection.None;

    private protected ReadOnlySpan<byte> Read(VaultField field) => field.In(Encoding);

    private protected Guid ReadId(VaultField field) => new(Read(field), bigEndian: true);

    private protected int ReadNumber(VaultField field) => BinaryPrimitives.ReadUInt16BigEndian(Read(field));

    private protected void Write(VaultField field, ReadOnlySpan<byte> value) => value.CopyTo(Room(field));

    private protected void Write(VaultField field, Guid value) =>
        value.TryWriteBytes(Room(field), bigEndian: true, out _);

    private protected void Write(VaultField field, int value) =>
        BinaryPrimitives.WriteUInt16BigEndian(Room(field), checked((ushort)value));

    private protected Span<byte> Room(VaultField field) => field.In(_bytes.Span);

    private protected static VaultRejection First(params ReadOnlySpan<VaultRejection> rejections)
    {
        foreach (var rejection in rejections)
        {
            if (rejection != VaultRejection.None)
            {
                return rejection;
            }
        }

        return VaultRejection.None;
    }

    private protected VaultRejection Element(VaultField field)
    {
        VaultPoints.IsElement(Read(field), out var rejection);
        return rejection;
    }

    private protected VaultRejection Scalar(VaultField field)
    {
        VaultPoints.IsScalar(Read(field), out var rejection);
        return rejection;
    }
}
