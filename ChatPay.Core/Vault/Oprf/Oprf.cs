using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// Oblivious pseudorandom functions of the suite ristretto255-SHA512: the client learns the function's value at its
/// input, the server, who has the key, learns neither.
///
/// Reference: RFC 9497, whose names these are; section 4.1 is the suite. Hashing to the group is RFC 9380's. Sizes:
/// key, blind and element 32 bytes each, proof 64, output 64; an input has at most 65,535 bytes, a batch at most
/// <see cref="MaxBatch"/> elements, which stand one after the other in one span. Strictness: elements are
/// Ristretto255's, so other encodings and the identity are refused with false; a key or blind that is no scalar, or
/// zero, is misuse and throws. Time: depends on lengths and on whether bytes are an element, never on a key, blind or
/// input.
/// </summary>
public sealed partial class Oprf
{
    public const int KeySize = Ristretto255.ScalarSize;
    public const int ElementSize = Ristretto255.ElementSize;
    public const int SeedSize = 32;
    public const int ProofSize = 2 * Ristretto255.ScalarSize;
    public const int OutputSize = SHA512.HashSizeInBytes;
    public const int MaxInputSize = ushort.MaxValue;
    public const int MaxBatch = 64;

    private const int MaxKeyCounter = 255;

    private readonly byte[] _hashToGroup;
    private readonly byte[] _hashToScalar;
    private readonly byte[] _deriveKeyPair;
    private readonly byte[] _seed;

    private Oprf(OprfMode mode)
    {
        Mode = mode;
        byte[] context = [.. "OPRFV1-"u8, (byte)mode, .. "-ristretto255-SHA512"u8];
        _hashToGroup = [.. "HashToGroup-"u8, .. context];
        _hashToScalar = [.. "HashToScalar-"u8, .. context];
        _deriveKeyPair = [.. "DeriveKeyPair"u8, .. context];
        _seed = [.. "Seed-"u8, .. context];
    }

    /// <summary>Mode 0x00, without proofs.</summary>
    public static Oprf Base { get; } = new(OprfMode.Base);

    /// <summary>Mode 0x01, with proofs.</summary>
    public static Oprf Verifiable { get; } = new(OprfMode.Verifiable);

    public OprfMode Mode { get; }

    /// <summary>Section 3.2.1: the key pair that a seed gives.</summary>
    /// <param name="seed">32 random bytes.</param>
    /// <param name="info">Public; at most 65,535 bytes.</param>
    /// <exception cref="ArgumentException">A span of another size.</exception>
    public void DeriveKeyPair(
        ReadOnlySpan<byte> seed, ReadOnlySpan<byte> info, Span<byte> privateKey, Span<byte> publicKey)
    {
        CheckSize(seed, SeedSize, nameof(seed));
        CheckInput(info);
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes], SeedSize + sizeof(ushort) + info.Length + 1);
        var script = new ByteScript(scratch.Span);
        script.Add(seed);
        script.AddFramed(info);
        for (var counter = 0; counter <= MaxKeyCounter; counter++)
        {
            scratch.Span[^1] = (byte)counter;
            HashToScalar(scratch.Span, _deriveKeyPair, privateKey);
            if (Ristretto255.TryMultiplyBase(privateKey, publicKey))
            {
                return;
            }
        }

        throw new InvalidOperationException("No key came out of 256 hashes, which does not happen.");
    }

    /// <summary>The public key of a private key.</summary>
    /// <exception cref="ArgumentException">No private key, or a span of another size.</exception>
    public static void DerivePublicKey(ReadOnlySpan<byte> privateKey, Span<byte> publicKey)
    {
        if (!Ristretto255.TryMultiplyBase(privateKey, publicKey))
        {
            throw new ArgumentException("A private key is not zero.", nameof(privateKey));
        }
    }

    /// <summary>
    /// A scalar as random as what it is filled with: 64 bytes reduced, so that none is likelier than others.
    /// </summary>
    internal static void RandomScalar(FillRandom random, Span<byte> scalar)
    {
        ArgumentNullException.ThrowIfNull(random);
        Span<byte> uniform = stackalloc byte[Ristretto255.UniformSize];
        random(uniform);
        Ristretto255.ReduceToScalar(uniform, scalar);
        CryptographicOperations.ZeroMemory(uniform);
    }

    private void HashToGroup(ReadOnlySpan<byte> input, Span<byte> element)
    {
        Span<byte> uniform = stackalloc byte[Ristretto255.UniformSize];
        ExpandMessage.Xmd(input, _hashToGroup, uniform);
        Ristretto255.MapToElement(uniform, element);
        CryptographicOperations.ZeroMemory(uniform);
    }

    private static void HashToScalar(ReadOnlySpan<byte> input, ReadOnlySpan<byte> domain, Span<byte> scalar)
    {
        Span<byte> uniform = stackalloc byte[Ristretto255.UniformSize];
        ExpandMessage.Xmd(input, domain, uniform);
        Ristretto255.ReduceToScalar(uniform, scalar);
        CryptographicOperations.ZeroMemory(uniform);
    }

    private static void CheckInput(ReadOnlySpan<byte> input)
    {
        if (input.Length > MaxInputSize)
        {
            throw new ArgumentException($"An input has at most {MaxInputSize} bytes.", nameof(input));
        }
    }

    private static void CheckKey(ReadOnlySpan<byte> key, string name)
    {
        if (!Ristretto255.IsScalar(key) || !key.ContainsAnyExcept((byte)0))
        {
            throw new ArgumentException("Keys and blinds are scalars and not zero.", name);
        }
    }

    private static void CheckSize(ReadOnlySpan<byte> bytes, int sizeBytes, string name)
    {
        if (bytes.Length != sizeBytes)
        {
            throw new ArgumentException($"There are {bytes.Length} bytes instead of {sizeBytes}.", name);
        }
    }
}
