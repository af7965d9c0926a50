namespace ChatPay.Core.Cryptography;

/// <summary>An algorithm whose keys are a private and a public half.</summary>
public abstract class KeyPairAlgorithm : Algorithm
{
    private protected KeyPairAlgorithm()
    {
    }

    /// <summary>Size of a private key's raw form in bytes.</summary>
    public abstract int PrivateKeySize { get; }

    /// <summary>Size of a public key's raw form in bytes.</summary>
    public abstract int PublicKeySize { get; }

    internal sealed override KeyBlobFormat SecretKeyFormat => KeyBlobFormat.RawPrivateKey;

    internal sealed override int SecretKeySize => PrivateKeySize;

    /// <summary>Whether bytes of any length are a public key of this algorithm.</summary>
    internal bool IsPublicKey(ReadOnlySpan<byte> rawPublicKey) =>
        rawPublicKey.Length == PublicKeySize && IsPublicKeyCore(rawPublicKey);

    private protected abstract bool IsPublicKeyCore(ReadOnlySpan<byte> rawPublicKey);
}
