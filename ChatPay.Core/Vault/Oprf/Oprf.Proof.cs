using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// The proof that several elements were multiplied by one key, that of a public key: RFC 9497, section 2.2. Elements of
/// a batch stand one after the other.
/// </summary>
public sealed partial class Oprf
{
    private const int FramedElement = sizeof(ushort) + ElementSize;

    /// <summary>Section 2.2.1, for the generator as the first base.</summary>
    /// <param name="publicKey">The private key's, 32 bytes.</param>
    /// <param name="blindedElements">What was evaluated.</param>
    /// <param name="evaluatedElements">What came out, in the same order.</param>
    /// <param name="proof">64 bytes.</param>
    /// <returns>False where something that ought to be an element is none.</returns>
    /// <exception cref="ArgumentException">No private key, no batch, or spans that do not fit each other.</exception>
    /// <exception cref="InvalidOperationException">The mode has no proofs.</exception>
    public bool GenerateProof(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> blindedElements,
        ReadOnlySpan<byte> evaluatedElements, FillRandom random, Span<byte> proof)
    {
        CheckVerifiable();
        CheckKey(privateKey, nameof(privateKey));
        CheckSize(proof, ProofSize, nameof(proof));
        if (!IsBatch(blindedElements, evaluatedElements))
        {
            throw new ArgumentException("A batch is as many elements before as after.", nameof(evaluatedElements));
        }

        Span<byte> nonce = stackalloc byte[KeySize];
        Span<byte> product = stackalloc byte[KeySize];
        Span<byte> commitments = stackalloc byte[4 * ElementSize];
        RandomScalar(random, nonce);
        var m = commitments[..ElementSize];
        var z = commitments.Slice(ElementSize, ElementSize);

        // ComputeCompositesFast: whoever has the key gets the second composite from the first.
        var isMade = Ristretto255.IsElement(publicKey)
            && TryComposite(publicKey, blindedElements, evaluatedElements, m, [])
            && Ristretto255.TryMultiply(privateKey, m, z)
            && Ristretto255.TryMultiplyBase(nonce, commitments.Slice(2 * ElementSize, ElementSize))
            && Ristretto255.TryMultiply(nonce, m, commitments[(3 * ElementSize)..]);
        if (isMade)
        {
            var challenge = proof[..KeySize];
            Challenge(publicKey, commitments, challenge);
            Ristretto255.MultiplyScalars(challenge, privateKey, product);
            Ristretto255.SubtractScalars(nonce, product, proof[KeySize..]);
        }

        CryptographicOperations.ZeroMemory(nonce);
        CryptographicOperations.ZeroMemory(product);
        return isMade;
    }

    /// <summary>Section 2.2.2, for the generator as the first base.</summary>
    /// <returns>False for whatever is not a proof over exactly these elements, of any lengths.</returns>
    /// <exception cref="InvalidOperationException">The mode has no proofs.</exception>
    public bool VerifyProof(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> blindedElements, ReadOnlySpan<byte> evaluatedElements,
        ReadOnlySpan<byte> proof)
    {
        CheckVerifiable();
        if (proof.Length != ProofSize || !Ristretto255.IsElement(publicKey)
            || !IsBatch(blindedElements, evaluatedElements))
        {
            return false;
        }

        var challenge = proof[..KeySize];
        var response = proof[KeySize..];
        if (!Ristretto255.IsScalar(challenge) || !Ristretto255.IsScalar(response))
        {
            return false;
        }

        Span<byte> commitments = stackalloc byte[4 * ElementSize];
        Span<byte> expected = stackalloc byte[KeySize];
        var m = commitments[..ElementSize];
        var z = commitments.Slice(ElementSize, ElementSize);
        if (!TryComposite(publicKey, blindedElements, evaluatedElements, m, z)
            || !TryCommitment(response, [], challenge, publicKey, commitments.Slice(2 * ElementSize, ElementSize))
            || !TryCommitment(response, m, challenge, z, commitments[(3 * ElementSize)..]))
        {
            return false;
        }

        Challenge(publicKey, commitments, expected);
        return CryptographicOperations.FixedTimeEquals(expected, challenge);
    }

    private static bool IsBatch(ReadOnlySpan<byte> blinded, ReadOnlySpan<byte> evaluated) =>
        blinded.Length == evaluated.Length && !blinded.IsEmpty && blinded.Length % ElementSize == 0
        && blinded.Length / ElementSize <= MaxBatch;

    /// <summary>response·first + challenge·second, where the generator is first if none is given.</summary>
    private static bool TryCommitment(
        ReadOnlySpan<byte> response, ReadOnlySpan<byte> first, ReadOnlySpan<byte> challenge, ReadOnlySpan<byte> second,
        Span<byte> commitment)
    {
        Span<byte> left = stackalloc byte[ElementSize];
        Span<byte> right = stackalloc byte[ElementSize];
        return (first.IsEmpty
                ? Ristretto255.TryMultiplyBase(response, left) : Ristretto255.TryMultiply(response, first, left))
            && Ristretto255.TryMultiply(challenge, second, right)
            && Ristretto255.TryAdd(left, right, commitment);
    }

    /// <summary>ComputeComposites, and without room for the second one only the first.</summary>
    private bool TryComposite(
        ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> blinded, ReadOnlySpan<byte> evaluated, Span<byte> m,
        Span<byte> z)
    {
        Span<byte> seed = stackalloc byte[SHA512.HashSizeInBytes];
        Span<byte> room = stackalloc byte[256];
        var script = new ByteScript(room);
        script.AddFramed(publicKey);
        script.AddFramed(_seed);
        SHA512.HashData(script.Written, seed);

        Span<byte> weight = stackalloc byte[KeySize];
        for (var i = 0; i < blinded.Length / ElementSize; i++)
        {
            var c = blinded.Slice(i * ElementSize, ElementSize);
            var d = evaluated.Slice(i * ElementSize, ElementSize);
            script = new ByteScript(room);
            script.AddFramed(seed);
            script.AddUInt16((ushort)i);
            script.AddFramed(c);
            script.AddFramed(d);
            script.Add("Composite"u8);
            HashToScalar(script.Written, _hashToScalar, weight);
            if (!TryAccumulate(weight, c, m, isFirst: i == 0)
                || (!z.IsEmpty && !TryAccumulate(weight, d, z, isFirst: i == 0)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool TryAccumulate(
        ReadOnlySpan<byte> weight, ReadOnlySpan<byte> element, Span<byte> sum, bool isFirst)
    {
        Span<byte> product = stackalloc byte[ElementSize];
        if (!Ristretto255.TryMultiply(weight, element, product))
        {
            return false;
        }

        if (isFirst)
        {
            product.CopyTo(sum);
            return true;
        }

        return Ristretto255.TryAdd(sum, product, sum);
    }

    private void Challenge(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> commitments, Span<byte> challenge)
    {
        Span<byte> room = stackalloc byte[(5 * FramedElement) + 9];
        var script = new ByteScript(room);
        script.AddFramed(publicKey);
        for (var at = 0; at < commitments.Length; at += ElementSize)
        {
            script.AddFramed(commitments.Slice(at, ElementSize));
        }

        script.Add("Challenge"u8);
        HashToScalar(script.Written, _hashToScalar, challenge);
    }

    private void CheckVerifiable()
    {
        if (Mode != OprfMode.Verifiable)
        {
            throw new InvalidOperationException("Only the verifiable mode has proofs.");
        }
    }
}
