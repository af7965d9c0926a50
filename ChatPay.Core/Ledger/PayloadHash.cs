using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace ChatPay.Core.Ledger;

/// <summary>A SHA-256 value that compares by value and costs no allocation.</summary>
public readonly record struct PayloadHash(UInt128 High, UInt128 Low)
{
    public const int Bytes = 32;

    public static PayloadHash From(ReadOnlySpan<byte> digest) => digest.Length == Bytes
        ? new(BinaryPrimitives.ReadUInt128BigEndian(digest), BinaryPrimitives.ReadUInt128BigEndian(digest[16..]))
        : throw new ArgumentException("A payload hash has 32 bytes.", nameof(digest));

    /// <summary>
    /// Over every part of a command but its id: kind, debit, credit, hold, actor, card, amount asked, lifetime, asset.
    /// What came later is appended behind a tag that no asset's code begins with, and only where it is present, so that
    /// hashes stored before keep their value: 1 and what is refunded; 2 and group, place and size.
    /// </summary>
    public static PayloadHash Of(LedgerCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        const int Fixed = 1 + (16 * 3) + (17 * 2) + 8 + 4;
        Span<byte> buffer = stackalloc byte[Fixed + AssetCode.MaxChars + 17 + 21];
        buffer[0] = (byte)command.Kind;
        Write(command.Debit.Value, buffer[1..]);
        Write(command.Credit?.Value ?? Guid.Empty, buffer[17..]);
        Write(command.HoldId?.Value ?? Guid.Empty, buffer[33..]);
        WriteOptional(command.Cause.Actor?.Value, buffer[49..]);
        WriteOptional(command.Cause.Card?.Value, buffer[66..]);
        BinaryPrimitives.WriteInt64BigEndian(buffer[83..], command.Amount.Value);
        BinaryPrimitives.WriteInt32BigEndian(buffer[91..], command.LifetimeSeconds);
        var length = Fixed + Encoding.ASCII.GetBytes(command.Asset.Value, buffer[Fixed..]);
        if (command.RefundOf is { } original)
        {
            buffer[length] = 1;
            Write(original.Value, buffer[(length + 1)..]);
            length += 17;
        }

        if (command.Group is { } part)
        {
            buffer[length] = 2;
            Write(part.Group.Value, buffer[(length + 1)..]);
            BinaryPrimitives.WriteInt16BigEndian(buffer[(length + 17)..], checked((short)part.Index));
            BinaryPrimitives.WriteInt16BigEndian(buffer[(length + 19)..], checked((short)part.Size));
            length += 21;
        }

        return Digest(buffer[..length]);
    }

    /// <summary>Over kind, account, actor and reason.</summary>
    public static PayloadHash Of(AccountChange change)
    {
        ArgumentNullException.ThrowIfNull(change);
        const int Fixed = 1 + 16 + 17;
        var buffer = new byte[Fixed + Encoding.UTF8.GetByteCount(change.Reason)];
        buffer[0] = (byte)change.Kind;
        Write(change.Account.Value, buffer.AsSpan(1));
        WriteOptional(change.Actor?.Value, buffer.AsSpan(17));
        Encoding.UTF8.GetBytes(change.Reason, buffer.AsSpan(Fixed));
        return Digest(buffer);
    }

    public byte[] ToArray()
    {
        var digest = new byte[Bytes];
        BinaryPrimitives.WriteUInt128BigEndian(digest, High);
        BinaryPrimitives.WriteUInt128BigEndian(digest.AsSpan(16), Low);
        return digest;
    }

    private static PayloadHash Digest(ReadOnlySpan<byte> payload)
    {
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(payload, digest);
        return From(digest);
    }

    private static void Write(Guid id, Span<byte> destination) => id.TryWriteBytes(destination, bigEndian: true, out _);

    private static void WriteOptional(Guid? id, Span<byte> destination)
    {
        destination[0] = id is null ? (byte)0 : (byte)1;
        Write(id ?? Guid.Empty, destination[1..]);
    }
}
