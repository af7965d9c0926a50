using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// Seals a client's MLS state at rest: <c>version(1) ‖ kind(1) ‖ group_id&lt;V&gt; ‖ epoch(8) ‖ salt(32) ‖
/// ciphertext</c>, all before the ciphertext authenticated with it. Each blob is encrypted by AES-256-GCM under a key
/// and a nonce of its own, which HKDF-SHA-256 expands from the storage key, the salt and the rest of the header; so one
/// storage key seals as many blobs as wanted, and a blob never stands in for another.
/// </summary>
public sealed class StorageKey : IDisposable
{
    public const int SizeBytes = 32;

    private const byte Version = 1;
    private const int SaltBytes = 32;
    private static readonly byte[] s_label = Encoding.ASCII.GetBytes("chatpay mls state");

    private readonly SecureMemory _key;

    private StorageKey(SecureMemory key) => _key = key;

    /// <summary>
    /// Takes the key's 32 bytes, which the caller then zeroes. Where they are kept is the caller's business.
    /// </summary>
    /// <exception cref="ArgumentException">Another number of bytes.</exception>
    public static StorageKey Import(ReadOnlySpan<byte> key) => key.Length == SizeBytes
        ? new StorageKey(SecureMemory.Copy(key))
        : throw new ArgumentException($"A storage key has {SizeBytes} bytes.", nameof(key));

    public void Dispose() => _key.Dispose();

    internal byte[] Seal(StateKind kind, StatePlace place, ReadOnlySpan<byte> state, FillRandom random)
    {
        var writer = new TlsWriter(state.Length + 128);
        writer.WriteByte(Version);
        writer.WriteByte((byte)kind);
        writer.WriteOpaque(place.GroupId);
        writer.WriteUInt64(place.Epoch);
        Span<byte> salt = stackalloc byte[SaltBytes];
        random(salt);
        writer.WriteFixed(salt);
        var header = writer.WrittenSpan;
        var cipher = AeadAlgorithm.Aes256Gcm;
        var blob = new byte[header.Length + state.Length + cipher.TagSize];
        header.CopyTo(blob);
        Span<byte> secret = stackalloc byte[cipher.KeySize + cipher.NonceSize];
        Derive(header, secret);
        cipher.Encrypt(
            secret[..cipher.KeySize], secret[cipher.KeySize..], header, state, blob.AsSpan(header.Length));
        CryptographicOperations.ZeroMemory(secret);
        return blob;
    }

    internal bool TryOpen(
        ReadOnlySpan<byte> blob, StateKind kind, [NotNullWhen(true)] out StatePlace? place,
        [NotNullWhen(true)] out Secret? state, out MlsRejection rejection)
    {
        place = null;
        state = null;
        rejection = blob switch
        {
            [Version, var actual, ..] => actual == (byte)kind ? MlsRejection.None : MlsRejection.StateKindWrong,
            [] or [Version] => MlsRejection.StateUnreadable,
            _ => MlsRejection.StateVersionUnknown,
        };
        if (rejection != MlsRejection.None)
        {
            return false;
        }

        var cipher = AeadAlgorithm.Aes256Gcm;
        var reader = TlsReader.OfState(blob[2..]);
        var groupId = reader.ReadOpaque();
        var epoch = reader.ReadUInt64();
        var rest = 2 + reader.Position + SaltBytes;
        if (reader.Rejection != MlsRejection.None || rest + cipher.TagSize > blob.Length)
        {
            rejection = MlsRejection.StateUnreadable;
            return false;
        }

        Span<byte> secret = stackalloc byte[cipher.KeySize + cipher.NonceSize];
        Derive(blob[..rest], secret);
        var opened = new Secret(blob.Length - rest - cipher.TagSize);
        if (cipher.TryDecrypt(
            secret[..cipher.KeySize], secret[cipher.KeySize..], blob[..rest], blob[rest..], opened.Span))
        {
            place = new StatePlace(groupId, epoch);
            state = opened;
        }
        else
        {
            opened.Dispose();
            rejection = MlsRejection.StateUnreadable;
        }

        CryptographicOperations.ZeroMemory(secret);
        return state is not null;
    }

    private void Derive(ReadOnlySpan<byte> header, Span<byte> secret)
    {
        // The base class library's own takes no more than some thousand bytes of info, and others choose the group's id.
        KeyDerivationAlgorithm.HkdfSha256.Expand(_key.Span, [.. s_label, .. header], secret);
        GC.KeepAlive(_key);
    }
}

/// <summary>What a sealed blob holds.</summary>
internal enum StateKind : byte
{
    Epoch = 1,
    Ratchets = 2,
    PendingCommit = 3,
    KeyPackage = 4,
}

/// <summary>Which state a sealed blob is; a key package belongs to no group yet.</summary>
internal sealed record StatePlace(byte[] GroupId, ulong Epoch);
