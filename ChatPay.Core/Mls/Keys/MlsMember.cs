using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// What one client puts into every leaf and key package of its own: its signature key, its credential, what it
/// understands. Groups use it and leave it open; whoever made it disposes it, and with it the key.
/// </summary>
public sealed class MlsMember : IDisposable
{
    /// <summary>An Ed25519 key.</summary>
    public required Key SignatureKey { get; init; }

    public required Credential Credential { get; init; }

    /// <summary>What the client understands; without non-default extensions unless told otherwise.</summary>
    public Capabilities Capabilities { get; init; } = DefaultCapabilities;

    /// <summary>Extensions of its leaves.</summary>
    public IReadOnlyList<Extension> Extensions { get; init; } = [];

    /// <summary>
    /// All that this library itself understands: both suites, basic credentials, the last-resort mark.
    /// </summary>
    public static Capabilities DefaultCapabilities { get; } = new()
    {
        Versions = [ProtocolVersion.Mls10],
        CipherSuites = [MlsCipherSuite.X25519Aes128Gcm.Id, MlsCipherSuite.X25519ChaCha20Poly1305.Id],
        Extensions = [ExtensionType.LastResort],
        Proposals = [],
        Credentials = [(ushort)CredentialType.Basic],
    };

    /// <summary>The public half of <see cref="SignatureKey"/>, 32 bytes.</summary>
    public byte[] PublicSignatureKey => SignatureKey.PublicKey.Export(KeyBlobFormat.RawPublicKey);

    public void Dispose() => SignatureKey.Dispose();

    /// <summary>What a leaf of this member says, without keys of its own and unsigned.</summary>
    internal LeafNode Template() => Build(LeafNodeSource.Commit, [], null, []);

    /// <summary>A leaf of this member, signed.</summary>
    /// <param name="groupId">Empty for a leaf of a key package.</param>
    /// <param name="lifetime">For a leaf of a key package only.</param>
    internal LeafNode SignLeaf(
        MlsCipherSuite suite, LeafNodeSource source, byte[] encryptionKey, ReadOnlySpan<byte> groupId, uint leafIndex,
        Lifetime? lifetime = null) => Build(
            source, encryptionKey, lifetime, LeafNodeValidation.Sign(
                Build(source, encryptionKey, lifetime, []), suite, SignatureKey, groupId, leafIndex));

    private LeafNode Build(
        LeafNodeSource source, byte[] encryptionKey, Lifetime? lifetime, byte[] signature) => new()
        {
            EncryptionKey = encryptionKey,
            SignatureKey = PublicSignatureKey,
            Credential = Credential,
            Capabilities = Capabilities,
            Source = source,
            Lifetime = lifetime,
            ParentHash = source == LeafNodeSource.Commit ? [] : null,
            Extensions = Extensions,
            Signature = signature,
        };
}
