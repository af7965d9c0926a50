using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>
/// A key package with its private keys: others add this client to groups with the one, the client joins with the other.
/// RFC 9420 section 10.
/// </summary>
/// <remarks>
/// A bundle is used once: whoever has joined with it disposes it and deletes what was saved. Only one of last resort
/// (<see cref="IsLastResort"/>) stays until a fresh one has taken its place.
/// </remarks>
public sealed class KeyPackageBundle : IDisposable
{
    private readonly Secret _initKey;
    private readonly Secret _leafKey;

    private KeyPackageBundle(MlsCipherSuite suite, KeyPackage keyPackage, Secret initKey, Secret leafKey)
    {
        Suite = suite;
        KeyPackage = keyPackage;
        _initKey = initKey;
        _leafKey = leafKey;
        Ref = suite.KeyPackageRef(keyPackage);
    }

    public MlsCipherSuite Suite { get; }

    public KeyPackage KeyPackage { get; }

    /// <summary>KeyPackageRef, section 5.2: what a Welcome names the key package by.</summary>
    public byte[] Ref { get; }

    /// <summary>The key package as an MLSMessage, to be published.</summary>
    public byte[] Message => TlsCodec.Encode(new MlsMessage(KeyPackage));

    /// <summary>Whether it may be used more than once, where no other is left; draft-ietf-mls-extensions.</summary>
    public bool IsLastResort =>
        KeyPackage.Extensions.Any(static extension => extension.Type == ExtensionType.LastResort);

    internal ReadOnlySpan<byte> InitPrivateKey => _initKey.Span;

    internal ReadOnlySpan<byte> LeafPrivateKey => _leafKey.Span;

    /// <summary>Makes fresh keys and signs a key package for them.</summary>
    /// <param name="notBefore">
    /// When it begins to be valid, to the second; set it back by what clocks may differ.
    /// </param>
    /// <param name="notAfter">When it ends to be valid, to the second.</param>
    /// <param name="lastResort">Whether to mark it as one that may be used more than once.</param>
    /// <exception cref="ArgumentException">
    /// The lifetime is empty or before 1970, or the member's capabilities lack the suite or what the package uses.
    /// </exception>
    public static KeyPackageBundle Create(
        MlsCipherSuite suite, MlsMember member, DateTimeOffset notBefore, DateTimeOffset notAfter, bool lastResort,
        FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(suite);
        ArgumentNullException.ThrowIfNull(member);
        ArgumentNullException.ThrowIfNull(random);
        if (notBefore < DateTimeOffset.UnixEpoch || notAfter <= notBefore)
        {
            throw new ArgumentException("A lifetime begins after 1970 and ends after it begins.", nameof(notAfter));
        }

        if (lastResort && !member.Capabilities.Extensions.AsSpan().Contains(ExtensionType.LastResort))
        {
            // Section 10: what a key package's own extensions are, its leaf's capabilities must list.
            throw new ArgumentException("The member's capabilities lack the last-resort mark.", nameof(member));
        }

        var lifetime = new Lifetime
        {
            NotBefore = (ulong)notBefore.ToUnixTimeSeconds(),
            NotAfter = (ulong)notAfter.ToUnixTimeSeconds(),
        };
        var (initKey, initPublicKey) = NewKeyPair(suite, random);
        var (leafKey, leafPublicKey) = NewKeyPair(suite, random);
        var leaf = member.SignLeaf(suite, LeafNodeSource.KeyPackage, leafPublicKey, [], 0, lifetime);
        IReadOnlyList<Extension> extensions =
            lastResort ? [new Extension { Type = ExtensionType.LastResort, Data = [] }] : [];
        var unsigned = Build([]);
        var keyPackage = Build(KeyPackageValidation.Sign(unsigned, suite, member.SignatureKey));
        var bundle = new KeyPackageBundle(suite, keyPackage, initKey, leafKey);
        if (KeyPackageValidation.Check(keyPackage) is var flaw and not MlsRejection.None)
        {
            bundle.Dispose();
            throw new ArgumentException($"Nobody would accept the key package: {flaw}.", nameof(member));
        }

        return bundle;

        KeyPackage Build(byte[] signature) => new()
        {
            Version = ProtocolVersion.Mls10,
            CipherSuite = suite.Id,
            InitKey = initPublicKey,
            LeafNode = leaf,
            Extensions = extensions,
            Signature = signature,
        };
    }

    /// <summary>Takes a key package and its private keys from elsewhere; the caller zeroes what it gave.</summary>
    /// <exception cref="ArgumentException">
    /// The suite is unknown, or a private key is not that of its public key.
    /// </exception>
    public static KeyPackageBundle Import(
        KeyPackage keyPackage, ReadOnlySpan<byte> initPrivateKey, ReadOnlySpan<byte> leafPrivateKey)
    {
        ArgumentNullException.ThrowIfNull(keyPackage);
        if (!MlsCipherSuite.TryGet(keyPackage.CipherSuite, out var suite))
        {
            throw new ArgumentException($"Suite {keyPackage.CipherSuite} is unknown.", nameof(keyPackage));
        }

        return AreKeysOf(keyPackage, suite, initPrivateKey, leafPrivateKey)
            ? new KeyPackageBundle(suite, keyPackage, Secret.Copy(initPrivateKey), Secret.Copy(leafPrivateKey))
            : throw new ArgumentException("The private keys are not those of the key package.", nameof(keyPackage));
    }

    /// <summary>Seals the bundle for storage.</summary>
    public byte[] Save(StorageKey key, FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(key);
        var writer = new TlsWriter();
        KeyPackage.Write(writer);
        writer.WriteOpaque(InitPrivateKey);
        writer.WriteOpaque(LeafPrivateKey);
        var blob = key.Seal(StateKind.KeyPackage, new StatePlace([], 0), writer.WrittenSpan, random);
        writer.Clear();
        return blob;
    }

    /// <summary>Opens what <see cref="Save"/> sealed.</summary>
    /// <param name="rejection">One of <see cref="MlsRejection"/>'s State members.</param>
    public static bool TryLoad(
        ReadOnlySpan<byte> blob, StorageKey key, [NotNullWhen(true)] out KeyPackageBundle? bundle,
        out MlsRejection rejection)
    {
        ArgumentNullException.ThrowIfNull(key);
        bundle = null;
        if (!key.TryOpen(blob, StateKind.KeyPackage, out _, out var state, out rejection))
        {
            return false;
        }

        using (state)
        {
            var reader = new TlsReader(state.Span);
            var keyPackage = KeyPackage.Read(ref reader);
            var initKey = reader.ReadOpaqueSpan();
            var leafKey = reader.ReadOpaqueSpan();
            reader.End();
            if (reader.Rejection != MlsRejection.None || !MlsCipherSuite.TryGet(keyPackage.CipherSuite, out var suite)
                || !AreKeysOf(keyPackage, suite, initKey, leafKey))
            {
                rejection = MlsRejection.StateUnreadable;
                return false;
            }

            bundle = new KeyPackageBundle(suite, keyPackage, Secret.Copy(initKey), Secret.Copy(leafKey));
            return true;
        }
    }

    public void Dispose()
    {
        _initKey.Dispose();
        _leafKey.Dispose();
    }

    internal static (Secret PrivateKey, byte[] PublicKey) NewKeyPair(MlsCipherSuite suite, FillRandom random)
    {
        using var seed = new Secret(suite.HashSize);
        random(seed.Span);
        return suite.DeriveKeyPair(seed.Span);
    }

    private static bool AreKeysOf(
        KeyPackage keyPackage, MlsCipherSuite suite, ReadOnlySpan<byte> initKey, ReadOnlySpan<byte> leafKey) =>
        initKey.Length == suite.PrivateKeySize && leafKey.Length == suite.PrivateKeySize
        && suite.PublicKeyOf(initKey).AsSpan().SequenceEqual(keyPackage.InitKey)
        && suite.PublicKeyOf(leafKey).AsSpan().SequenceEqual(keyPackage.LeafNode.EncryptionKey);
}
