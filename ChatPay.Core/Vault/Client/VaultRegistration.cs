using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Vault;

/// <summary>
/// A registration as the device makes it: a new key of the oblivious function and a new wrapping scalar, both shared
/// among the realms, and one request for each of them. Everything secret is gone when it is disposed.
/// </summary>
/// <remarks>
/// What is random is drawn in this order, so that the same bytes make the same registration anywhere: version (16),
/// function's key (64, reduced), its polynomial's coefficients from the lowest (64 each), signing key (32), wrapping
/// scalar (64), its coefficients (64 each), then the request's id for each realm (16). A registration stands when a
/// threshold of realms has stored it; with fewer, the device registers anew.
/// </remarks>
public sealed class VaultRegistration : IDisposable
{
    private const int IdBytes = 16;
    private const int SeedBytes = 32;
    private const int ScalarSize = Ristretto255.ScalarSize;

    private readonly Register2Request[] _requests;

    private VaultRegistration(VaultContext context, byte[] digest, Register2Request[] requests)
    {
        Context = context;
        Digest = digest;
        _requests = requests;
    }

    public VaultContext Context { get; }

    /// <summary>For the key log: <see cref="VaultDigest"/>.</summary>
    public IReadOnlyList<byte> Digest { get; }

    /// <summary>One for each realm, in the order of the configuration.</summary>
    public IReadOnlyList<Register2Request> Requests => _requests;

    /// <summary>Takes about as long as <see cref="StretchedPin.Derive"/>.</summary>
    /// <param name="plan">What is registered and where.</param>
    /// <param name="pin">A PIN that <see cref="PinPolicy"/> accepts; it is not asked again here.</param>
    /// <param name="rootSecret">32 bytes; the caller zeroes them.</param>
    /// <param name="identityKey">The account identity key that the new records name: Ed25519.</param>
    /// <param name="signer">
    /// The identity key that the present records name; the same unless it has just been rotated.
    /// </param>
    /// <param name="random">See above for the order.</param>
    /// <exception cref="ArgumentException">A root secret of another size, or a plan out of bounds.</exception>
    public static VaultRegistration Create(
        VaultRegistrationPlan plan, Pin pin, ReadOnlySpan<byte> rootSecret, Key identityKey, Key signer,
        FillRandom random)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(identityKey);
        ArgumentNullException.ThrowIfNull(random);
        if (!plan.IsValid)
        {
            throw new ArgumentException(
                "A plan names what each realm has, 1 to 10 guesses and valid parameters.", nameof(plan));
        }

        if (rootSecret.Length != VaultLimits.RootSecretBytes)
        {
            throw new ArgumentException($"A root secret has {VaultLimits.RootSecretBytes} bytes.", nameof(rootSecret));
        }

        var realms = plan.Configuration.Realms;
        var context = new VaultContext(
            plan.User, new RegistrationVersion(NextId(random)), plan.Configuration.Digest, plan.Parameters);
        using var secrets = new Secret(((2 * realms.Count) + 2) * ScalarSize);
        var key = secrets.Span[..ScalarSize];
        var scalar = secrets.Span.Slice(ScalarSize, ScalarSize);
        var keyShares = secrets.Span.Slice(2 * ScalarSize, realms.Count * ScalarSize);
        var rootShares = secrets.Span[((2 + realms.Count) * ScalarSize)..];
        Oprf.RandomScalar(random, key);
        SecretSharing.Split(key, plan.Configuration.Threshold, random, keyShares);
        using var signingKey = NextSigningKey(random);
        Oprf.RandomScalar(random, scalar);
        SecretSharing.Split(scalar, plan.Configuration.Threshold, random, rootShares);

        using var stretched = StretchedPin.Derive(pin, context);
        using var unlockKey = Unlock(context, key, stretched);
        Span<byte> encryptedRoot = stackalloc byte[StretchedPin.EncryptedRootSize];
        stretched.EncryptRoot(context, scalar, rootSecret, encryptedRoot);

        var requests = new Register2Request[realms.Count];
        for (var i = 0; i < requests.Length; i++)
        {
            var request = new Register2Request(NextId(random), context, plan.Replaces[i], realms[i], i + 1)
            {
                MaxGuesses = plan.MaxGuesses,
            };
            request.WriteShares(
                keyShares.Slice(i * ScalarSize, ScalarSize), rootShares.Slice(i * ScalarSize, ScalarSize),
                encryptedRoot);
            request.WriteKeys(signingKey.PublicKey.Bytes, unlockKey.Commitment, identityKey.PublicKey.Bytes);
            Complete(request, context, unlockKey, signingKey);
            request.Sign(signer);
            requests[i] = request;
        }

        return new VaultRegistration(context, VaultDigest.Of(context, signingKey.PublicKey.Bytes), requests);
    }

    public void Dispose()
    {
        foreach (var request in _requests)
        {
            request.Dispose();
        }
    }

    private static UnlockKey Unlock(VaultContext context, ReadOnlySpan<byte> key, StretchedPin stretched)
    {
        using var output = new Secret(Oprf.OutputSize);
        return Oprf.Verifiable.Evaluate(key, stretched.AccessKey, output.Span)
            ? UnlockKey.Derive(context, output.Span)
            : throw new InvalidOperationException("The stretched PIN has no value, which does not happen.");
    }

    private static void Complete(Register2Request request, VaultContext context, UnlockKey unlockKey, Key signingKey)
    {
        Span<byte> publicShare = stackalloc byte[Ristretto255.ElementSize];
        Oprf.DerivePublicKey(request.KeyShare, publicShare);
        ShareCertificate.Sign(
            signingKey, context, request.Realm, request.Index, publicShare, unlockKey.Commitment,
            request.CertificateRoom);
        unlockKey.Tag(context, request.Realm, request.Index, request.UnlockTagRoom);
        unlockKey.ShareCommitment(
            context, request.Realm, request.Index, request.RootShare, request.EncryptedRoot,
            request.ShareCommitmentRoom);
    }

    private static Key NextSigningKey(FillRandom random)
    {
        using var seed = new Secret(SeedBytes);
        random(seed.Span);
        return Key.Import(SignatureAlgorithm.Ed25519, seed.Span, KeyBlobFormat.RawPrivateKey);
    }

    private static Guid NextId(FillRandom random)
    {
        Span<byte> id = stackalloc byte[IdBytes];
        random(id);
        return new Guid(id, bigEndian: true);
    }
}

/// <summary>What is registered, and where.</summary>
/// <param name="Replaces">The registration that each realm has, as it said to register1; none for none.</param>
/// <param name="MaxGuesses">1 to <see cref="VaultLimits.Guesses"/>.</param>
public sealed record VaultRegistrationPlan(
    AccountId User, RealmConfiguration Configuration, PinHashParameters Parameters,
    IReadOnlyList<RegistrationVersion> Replaces, int MaxGuesses = VaultLimits.Guesses)
{
    internal bool IsValid =>
        Replaces.Count == Configuration.Realms.Count && MaxGuesses is >= 1 and <= VaultLimits.Guesses
        && Parameters.AreValid;
}
