using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Archive;

/// <summary>
/// An account's archive key at work. Every device of the account writes a stream of chunks, numbered from 0 on without gaps; a
/// chunk opens only in its own place, behind the very chunk that was before it when it was sealed.
/// </summary>
/// <remarks>
/// Sealed: 1 ‖ nonce (12) ‖ AES-256-GCM of the padded JSON. The key is HKDF-Expand-SHA-256 of the archive key (32) with
/// "chatpay archive v1 chunk" ‖ account (16) ‖ archive (16) ‖ device (16) ‖ number (8); associated data is "chatpay archive v1" ‖
/// the same ‖ SHA-256 of the sealed chunk before (32), zeros for number 0. So whoever keeps the chunks can leave out the end of a
/// stream and whole streams, and nothing else: docs/ARCHIVE.md.
/// </remarks>
public sealed class ArchiveCipher : IDisposable
{
    public const int KeySize = 32;
    public const int DigestSize = 32;

    /// <summary>By how much a sealed chunk is longer than its padded JSON.</summary>
    public const int OverheadBytes = 1 + NonceSize + TagSize;

    private const byte Version = 1;
    private const int IdBytes = 16;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int CiphertextAt = 1 + NonceSize;

    private readonly Secret _key;
    private readonly AccountId _account;

    private ArchiveCipher(Secret key, AccountId account)
    {
        _key = key;
        _account = account;
        var id = new byte[IdBytes];
        KeyDerivationAlgorithm.HkdfSha256.Expand(key.Span, [.. IdLabel, .. Bytes(account.Value)], id);
        Id = new ArchiveId(new Guid(id, bigEndian: true));
    }

    /// <summary>The archive that this key is the key of: another key is another archive.</summary>
    public ArchiveId Id { get; }

    private static AeadAlgorithm Aead => AeadAlgorithm.Aes256Gcm;

    private static ReadOnlySpan<byte> IdLabel => "chatpay archive v1 id"u8;

    private static ReadOnlySpan<byte> KeyLabel => "chatpay archive v1 chunk"u8;

    private static ReadOnlySpan<byte> Label => "chatpay archive v1"u8;

    /// <param name="archiveKey">32 bytes.</param>
    /// <exception cref="ArgumentException">A key of another size.</exception>
    public static ArchiveCipher Of(ReadOnlySpan<byte> archiveKey, AccountId account) => archiveKey.Length == KeySize
        ? new ArchiveCipher(Secret.Copy(archiveKey), account)
        : throw new ArgumentException($"An archive key has {KeySize} bytes.", nameof(archiveKey));

    /// <summary>Whether a sealed chunk can have so many bytes: the overhead more than 1, 2, 4, … 64 KiB.</summary>
    public static bool IsSealedSize(int bytes) => ArchivePadding.IsSize(bytes - OverheadBytes);

    /// <summary>What the chunk after this one is bound to.</summary>
    public static byte[] DigestOf(ReadOnlySpan<byte> sealedChunk) => SHA256.HashData(sealedChunk);

    /// <summary>Seals a chunk for its place.</summary>
    /// <param name="device">Whose stream it is.</param>
    /// <param name="number">From 0 on.</param>
    /// <param name="previous">
    /// <see cref="DigestOf"/> of the chunk before, 32 bytes; anything of that size for number 0, where it is zeros.
    /// </param>
    /// <param name="json">1 to <see cref="Limits.ArchiveJsonBytes"/>.</param>
    /// <exception cref="ArgumentException">A number, digest or JSON out of these bounds.</exception>
    public byte[] Seal(
        DeviceId device, long number, ReadOnlySpan<byte> previous, ReadOnlySpan<byte> json, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(random);
        using var padded = new Secret(ArchivePadding.SizeOf(json.Length));
        ArchivePadding.Pad(json, padded.Span);
        var chunk = new byte[padded.Size + OverheadBytes];
        chunk[0] = Version;
        random(chunk.AsSpan(1, NonceSize));
        using var key = KeyOf(device, number);
        Aead.Encrypt(
            key.Span, chunk.AsSpan(1, NonceSize), AssociatedData(device, number, previous), padded.Span,
            chunk.AsSpan(CiphertextAt));
        return chunk;
    }

    /// <summary>Opens a chunk in its place.</summary>
    /// <returns>False for anything that was not sealed for exactly this place, by this key.</returns>
    /// <exception cref="ArgumentException">A number or digest out of bounds.</exception>
    public bool TryOpen(
        DeviceId device, long number, ReadOnlySpan<byte> previous, ReadOnlySpan<byte> sealedChunk,
        [NotNullWhen(true)] out byte[]? json)
    {
        json = null;
        if (!IsSealedSize(sealedChunk.Length) || sealedChunk[0] != Version)
        {
            return false;
        }

        using var key = KeyOf(device, number);
        using var padded = new Secret(sealedChunk.Length - OverheadBytes);
        if (!Aead.TryDecrypt(
                key.Span, sealedChunk.Slice(1, NonceSize), AssociatedData(device, number, previous),
                sealedChunk[CiphertextAt..], padded.Span)
            || !ArchivePadding.TryStrip(padded.Span, out var size))
        {
            return false;
        }

        json = padded.Span[..size].ToArray();
        return true;
    }

    public void Dispose() => _key.Dispose();

    private Secret KeyOf(DeviceId device, long number)
    {
        var key = new Secret(Aead.KeySize);
        KeyDerivationAlgorithm.HkdfSha256.Expand(_key.Span, [.. KeyLabel, .. Place(device, number)], key.Span);
        return key;
    }

    private byte[] AssociatedData(DeviceId device, long number, ReadOnlySpan<byte> previous) =>
        previous.Length == DigestSize
            ? [.. Label, .. Place(device, number), .. number == 0 ? new byte[DigestSize] : previous]
            : throw new ArgumentException($"A digest has {DigestSize} bytes.", nameof(previous));

    private byte[] Place(DeviceId device, long number)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(number);
        var bytes = new byte[(3 * IdBytes) + sizeof(long)];
        _account.Value.TryWriteBytes(bytes, bigEndian: true, out _);
        Id.Value.TryWriteBytes(bytes.AsSpan(IdBytes), bigEndian: true, out _);
        device.Value.TryWriteBytes(bytes.AsSpan(2 * IdBytes), bigEndian: true, out _);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(3 * IdBytes), number);
        return bytes;
    }

    private static byte[] Bytes(Guid id) => id.ToByteArray(bigEndian: true);
}
