using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// A cipher suite of RFC 9420 section 17.1 and the labelled operations of section 5 with it. Both suites here hash with
/// SHA-256, sign with Ed25519 and agree with X25519; they differ in the cipher.
/// </summary>
public sealed class MlsCipherSuite
{
    private const string LabelPrefix = "MLS 1.0 ";

    private MlsCipherSuite(ushort id) => Id = id;

    /// <summary>MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519, 0x0001.</summary>
    public static MlsCipherSuite X25519Aes128Gcm { get; } = new(1);

    /// <summary>MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519, 0x0003.</summary>
    public static MlsCipherSuite X25519ChaCha20Poly1305 { get; } = new(3);

    public ushort Id { get; }

    public SignatureAlgorithm SignatureAlgorithm { get; } = SignatureAlgorithm.Ed25519;

    public KeyAgreementAlgorithm KeyAgreementAlgorithm { get; } = KeyAgreementAlgorithm.X25519;

    public HashAlgorithmName HashAlgorithm { get; } = HashAlgorithmName.SHA256;

    /// <summary>The suite of a number; false for one that this library does not have.</summary>
    public static bool TryGet(ushort id, [NotNullWhen(true)] out MlsCipherSuite? suite)
    {
        suite = id switch
        {
            1 => X25519Aes128Gcm,
            3 => X25519ChaCha20Poly1305,
            _ => null,
        };
        return suite is not null;
    }

    /// <summary>SignWithLabel, section 5.1.2.</summary>
    public byte[] SignWithLabel(Key key, string label, ReadOnlySpan<byte> content) =>
        SignatureAlgorithm.Sign(key, LabelledContent(label, content));

    /// <summary>VerifyWithLabel, section 5.1.2; false too where the key is none.</summary>
    public bool VerifyWithLabel(
        ReadOnlySpan<byte> publicKey, string label, ReadOnlySpan<byte> content, ReadOnlySpan<byte> signature) =>
        PublicKey.TryImport(SignatureAlgorithm, publicKey, KeyBlobFormat.RawPublicKey, out var key)
        && SignatureAlgorithm.Verify(key, LabelledContent(label, content), signature);

    /// <summary>Whether the bytes are a key that something can be encrypted to.</summary>
    public bool IsEncryptionKey(ReadOnlySpan<byte> publicKey) =>
        PublicKey.TryImport(KeyAgreementAlgorithm, publicKey, KeyBlobFormat.RawPublicKey, out _);

    /// <summary>RefHash, section 5.2; the label is the whole one, "MLS 1.0 " included.</summary>
    public byte[] RefHash(string label, ReadOnlySpan<byte> value)
    {
        var writer = new TlsWriter(value.Length + 64);
        writer.WriteOpaque(Encoding.ASCII.GetBytes(label));
        writer.WriteOpaque(value);
        return CryptographicOperations.HashData(HashAlgorithm, writer.WrittenSpan);
    }

    /// <summary>KeyPackageRef, section 5.2: what a Welcome names a key package by.</summary>
    public byte[] KeyPackageRef(KeyPackage keyPackage) =>
        RefHash("MLS 1.0 KeyPackage Reference", TlsCodec.Encode(keyPackage));

    private static byte[] LabelledContent(string label, ReadOnlySpan<byte> content)
    {
        var writer = new TlsWriter(content.Length + 64);
        writer.WriteOpaque(Encoding.ASCII.GetBytes(LabelPrefix + label));
        writer.WriteOpaque(content);
        return writer.ToArray();
    }
}
