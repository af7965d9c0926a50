using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Transparency;

/// <summary>A private key that signs notes under a name. The key stays the caller's, who disposes of it.</summary>
public sealed class NoteSigner
{
    private readonly Key _key;

    /// <exception cref="ArgumentException">No name of a key, or a key of another algorithm.</exception>
    public NoteSigner(string name, Key key)
    {
        ArgumentNullException.ThrowIfNull(key);
        _key = key;
        Verifier = new NoteVerifier(name, key.PublicKey);
    }

    public NoteVerifier Verifier { get; }

    internal byte[] Sign(ReadOnlySpan<byte> text) => SignatureAlgorithm.Ed25519.Sign(_key, text);
}
