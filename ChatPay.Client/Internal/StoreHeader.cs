using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Client.Internal;

/// <summary>
/// The beginning of a store's file, in the clear: <c>"ChatPayStore" ‖ version(1) ‖ kind(1) ‖ memoryKib(4) ‖ passes(4) ‖
/// salt(16) ‖ file id(32)</c>, integers big-endian. The salt belongs to the passphrase and stays; the id is new
/// whenever the file is written anew, and with it the key that seals the file's frames.
/// </summary>
internal sealed record StoreHeader(StoreKeyKind Kind, Argon2Parameters Argon2, byte[] Salt, byte[] FileId)
{
    public const int SizeBytes = IdAt + IdBytes;
    public const int KeyBytes = 32;

    private const byte Version = 1;
    private const int VersionAt = 12;
    private const int SaltAt = VersionAt + 10;
    private const int IdAt = SaltAt + Argon2id.SaltSize;
    private const int IdBytes = 32;

    private static ReadOnlySpan<byte> Magic => "ChatPayStore"u8;

    public static StoreHeader New(StoreKeyKind kind, in Argon2Parameters argon2) => new(
        kind, argon2, RandomNumberGenerator.GetBytes(Argon2id.SaltSize), RandomNumberGenerator.GetBytes(IdBytes));

    public StoreHeader ForAnotherFile() => this with { FileId = RandomNumberGenerator.GetBytes(IdBytes) };

    public byte[] Encode()
    {
        var bytes = new byte[SizeBytes];
        Magic.CopyTo(bytes);
        bytes[VersionAt] = Version;
        bytes[VersionAt + 1] = (byte)Kind;
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(VersionAt + 2), Argon2.MemorySize);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(VersionAt + 6), Argon2.NumberOfPasses);
        Salt.CopyTo(bytes, SaltAt);
        FileId.CopyTo(bytes, IdAt);
        return bytes;
    }

    /// <exception cref="StoreException">It is no header that this version can read.</exception>
    public static StoreHeader Decode(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < SizeBytes || !bytes.StartsWith(Magic))
        {
            throw Damaged();
        }

        if (bytes[VersionAt] > Version)
        {
            throw new StoreException(ClientErrors.StoreTooNew, "A later version of this library wrote the store.");
        }

        var header = new StoreHeader(
            (StoreKeyKind)bytes[VersionAt + 1],
            new(
                1, BinaryPrimitives.ReadInt32BigEndian(bytes[(VersionAt + 2)..]),
                BinaryPrimitives.ReadInt32BigEndian(bytes[(VersionAt + 6)..])),
            bytes.Slice(SaltAt, Argon2id.SaltSize).ToArray(),
            bytes.Slice(IdAt, IdBytes).ToArray());
        var isOne = bytes[VersionAt] == Version && Enum.IsDefined(header.Kind) && Argon2id.AreValid(header.Argon2);
        return isOne ? header : throw Damaged();
    }

    /// <summary>The key of this file's frames, from the key or the passphrase of the whole store.</summary>
    public byte[] FileKey(ReadOnlySpan<byte> storeKey)
    {
        var key = new byte[KeyBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, storeKey, key, FileId, "chatpay store file v1"u8);
        return key;
    }

    /// <summary>Costs what the header says, in memory and time.</summary>
    public byte[] StoreKey(string passphrase)
    {
        var password = Encoding.UTF8.GetBytes(passphrase);
        var key = new byte[KeyBytes];
        new Argon2id(Argon2).DeriveBytes(password, Salt, key);
        CryptographicOperations.ZeroMemory(password);
        return key;
    }

    private static StoreException Damaged() => new(ClientErrors.StoreDamaged, "This file is no store of a ChatPay device.");
}

/// <summary>What opens a store.</summary>
internal enum StoreKeyKind : byte
{
    /// <summary>32 bytes that the program keeps elsewhere.</summary>
    Key = 1,

    /// <summary>A passphrase, stretched with Argon2id.</summary>
    Passphrase = 2,
}
