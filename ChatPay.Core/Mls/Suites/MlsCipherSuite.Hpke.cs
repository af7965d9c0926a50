using System.Diagnostics.CodeAnalysis;
using System.Text;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>Encryption to a public key, RFC 9420 section 5.1.3, and the external init of section 8.3.</summary>
public sealed partial class MlsCipherSuite
{
    /// <summary>Whether the bytes are a key that something can be encrypted to.</summary>
    public bool IsEncryptionKey(ReadOnlySpan<byte> publicKey) => KeyAgreementAlgorithm.IsPublicKey(publicKey);

    /// <summary>KEM.DeriveKeyPair: always the same key pair from the same secret.</summary>
    internal (Secret PrivateKey, byte[] PublicKey) DeriveKeyPair(ReadOnlySpan<byte> ikm)
    {
        var privateKey = new Secret(PrivateKeySize);
        var publicKey = new byte[PublicKeySize];
        _hpke.DeriveKeyPair(ikm, privateKey.Span, publicKey);
        return (privateKey, publicKey);
    }

    /// <summary>The public key of a private one.</summary>
    /// <exception cref="ArgumentException">A private key of another size.</exception>
    internal byte[] PublicKeyOf(ReadOnlySpan<byte> privateKey)
    {
        CheckPrivateKey(privateKey);
        var publicKey = new byte[PublicKeySize];
        X25519.DerivePublicKey(privateKey, publicKey);
        return publicKey;
    }

    /// <summary>EncryptWithLabel, section 5.1.3; false where the public key is none.</summary>
    internal bool TryEncryptWithLabel(
        ReadOnlySpan<byte> publicKey, string label, ReadOnlySpan<byte> context, ReadOnlySpan<byte> plaintext,
        FillRandom random, [NotNullWhen(true)] out HpkeCiphertext? ciphertext)
    {
        var kemOutput = new byte[Hpke.EncapsulatedKeySize];
        var sealedBytes = new byte[plaintext.Length + TagSize];
        using var info = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], LabelledSize(LabelPrefix, label, context));
        WriteLabelled(info.Span, LabelPrefix, label, context);
        ciphertext = _hpke.TrySeal(publicKey, info.Span, [], plaintext, random, kemOutput, sealedBytes)
            ? new HpkeCiphertext { KemOutput = kemOutput, Ciphertext = sealedBytes }
            : null;
        return ciphertext is not null;
    }

    /// <summary>DecryptWithLabel, section 5.1.3; false for whatever was not encrypted so to this key.</summary>
    /// <param name="publicKey">The private key's own.</param>
    /// <exception cref="ArgumentException">A private key of another size.</exception>
    internal bool TryDecryptWithLabel(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey, string label, ReadOnlySpan<byte> context,
        HpkeCiphertext ciphertext, [NotNullWhen(true)] out Secret? plaintext)
    {
        ArgumentNullException.ThrowIfNull(ciphertext);
        CheckPrivateKey(privateKey);
        using var info = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], LabelledSize(LabelPrefix, label, context));
        WriteLabelled(info.Span, LabelPrefix, label, context);
        var opened = new Secret(Math.Max(0, ciphertext.Ciphertext.Length - TagSize));
        plaintext = _hpke.TryOpen(
            privateKey, publicKey, ciphertext.KemOutput, info.Span, [], ciphertext.Ciphertext, opened.Span)
            ? opened
            : null;
        return plaintext is not null;
    }

    /// <summary>Makes a secret that the private key's owner gets by <see cref="TryImportFrom"/>, section 8.3.</summary>
    /// <param name="exporterLabel">The whole label, "MLS 1.0 " included.</param>
    /// <param name="secret">Of <see cref="HashSize"/>.</param>
    /// <returns>False where the public key is none.</returns>
    internal bool TryExportTo(
        ReadOnlySpan<byte> publicKey, FillRandom random, string exporterLabel,
        [NotNullWhen(true)] out byte[]? kemOutput, [NotNullWhen(true)] out Secret? secret)
    {
        kemOutput = new byte[Hpke.EncapsulatedKeySize];
        secret = new Secret(HashSize);
        if (_hpke.TrySendExport(publicKey, [], Encoding.ASCII.GetBytes(exporterLabel), random, kemOutput, secret.Span))
        {
            return true;
        }

        kemOutput = null;
        secret = null;
        return false;
    }

    /// <summary>The secret that <see cref="TryExportTo"/> made; false where the KEM's output is none.</summary>
    /// <param name="publicKey">The private key's own.</param>
    /// <exception cref="ArgumentException">A private key of another size.</exception>
    internal bool TryImportFrom(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> kemOutput, string exporterLabel,
        [NotNullWhen(true)] out Secret? secret)
    {
        CheckPrivateKey(privateKey);
        secret = new Secret(HashSize);
        if (!_hpke.TryReceiveExport(
            privateKey, publicKey, kemOutput, [], Encoding.ASCII.GetBytes(exporterLabel), secret.Span))
        {
            secret = null;
        }

        return secret is not null;
    }

    private void CheckPrivateKey(ReadOnlySpan<byte> privateKey)
    {
        if (privateKey.Length != PrivateKeySize)
        {
            throw new ArgumentException($"A private key has {PrivateKeySize} bytes.", nameof(privateKey));
        }
    }
}
