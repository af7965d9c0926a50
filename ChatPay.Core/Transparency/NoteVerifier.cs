using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Transparency;

/// <summary>
/// A key by which somebody signs notes, under a name: C2SP signed-note, signature type 0x01, Ed25519. As text it is
/// <c>name+id+base64(0x01 ‖ key)</c>; the id are the first four bytes of SHA-256 of name, newline, 0x01 and key.
/// </summary>
public sealed class NoteVerifier
{
    private const byte Ed25519Type = 0x01;
    private const int IdHexChars = 8;
    private const int TextMaxChars = LogLimits.KeyNameMaxBytes + 64;

    /// <exception cref="ArgumentException">No name of a key, or a key of another algorithm.</exception>
    public NoteVerifier(string name, PublicKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (!IsName(name))
        {
            throw new ArgumentException("A key's name is not empty and has no space, plus or control.", nameof(name));
        }

        if (key.Algorithm != SignatureAlgorithm.Ed25519)
        {
            throw new ArgumentException("Notes are signed with Ed25519.", nameof(key));
        }

        Name = name;
        Key = key;
        Id = IdOf(name, key);
    }

    public string Name { get; }

    public PublicKey Key { get; }

    /// <summary>An identifier and no fingerprint: anybody makes keys of the same id.</summary>
    public uint Id { get; }

    /// <summary>Reads a verifier key's text.</summary>
    /// <returns>False for everything but the one way to write a key of this kind.</returns>
    public static bool TryParse(string? text, [NotNullWhen(true)] out NoteVerifier? verifier)
    {
        verifier = null;
        if (text is null || text.Length > TextMaxChars)
        {
            return false;
        }

        var parts = text.Split('+', 3);
        if (parts.Length != 3 || !IsName(parts[0]) || parts[1].Length != IdHexChars
            || StrictBase64.Decode(parts[2]) is not [Ed25519Type, .. var raw]
            || !PublicKey.TryImport(SignatureAlgorithm.Ed25519, raw, KeyBlobFormat.RawPublicKey, out var key))
        {
            return false;
        }

        var read = new NoteVerifier(parts[0], key);
        verifier = read.ToString() == text ? read : null;
        return verifier is not null;
    }

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Name}+{Id:x8}+{Convert.ToBase64String([Ed25519Type, .. Key.Bytes])}");

    /// <summary>Whether a key can be called so.</summary>
    public static bool IsName([NotNullWhen(true)] string? name) =>
        !string.IsNullOrEmpty(name) && name.Length <= LogLimits.KeyNameMaxBytes
        && !name.Any(character => char.IsWhiteSpace(character) || char.IsControl(character) || character == '+');

    private static uint IdOf(string name, PublicKey key) => BinaryPrimitives.ReadUInt32BigEndian(
        SHA256.HashData([.. Encoding.UTF8.GetBytes(name), (byte)'\n', Ed25519Type, .. key.Bytes]));
}
