using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>Blinding, evaluating and finalizing: RFC 9497, sections 3.3.1 and 3.3.2.</summary>
public sealed partial class Oprf
{
    private static ReadOnlySpan<byte> FinalizeLabel => "Finalize"u8;

    /// <summary>Hides an input; the blind is what finds its value in the answer.</summary>
    /// <param name="input">At most 65,535 bytes.</param>
    /// <param name="blind">32 bytes, secret; the caller zeroes them.</param>
    /// <param name="blindedElement">32 bytes, for the server.</param>
    /// <returns>False for an input without a value, which nobody can find.</returns>
    /// <exception cref="ArgumentException">A longer input, or a span of another size.</exception>
    public bool Blind(ReadOnlySpan<byte> input, FillRandom random, Span<byte> blind, Span<byte> blindedElement)
    {
        CheckInput(input);
        RandomScalar(random, blind);
        Span<byte> element = stackalloc byte[ElementSize];
        HashToGroup(input, element);
        var isBlinded = Ristretto255.TryMultiply(blind, element, blindedElement);
        CryptographicOperations.ZeroMemory(element);
        return isBlinded;
    }

    /// <summary>The server's work: the client's element times the key.</summary>
    /// <returns>False where the blinded element is none.</returns>
    /// <exception cref="ArgumentException">
    /// No private key, or <paramref name="evaluatedElement"/> has another size.
    /// </exception>
    public static bool BlindEvaluate(
        ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> blindedElement, Span<byte> evaluatedElement)
    {
        CheckKey(privateKey, nameof(privateKey));
        return Ristretto255.TryMultiply(privateKey, blindedElement, evaluatedElement);
    }

    /// <summary>The function's value, of an element whose proof, where there is one, is verified already.</summary>
    /// <param name="input">What was blinded.</param>
    /// <param name="blind">What it was blinded with.</param>
    /// <param name="evaluatedElement">The server's answer.</param>
    /// <param name="output">64 bytes.</param>
    /// <returns>False where the evaluated element is none.</returns>
    /// <exception cref="ArgumentException">A longer input, no blind, or a span of another size.</exception>
    public bool Finalize(
        ReadOnlySpan<byte> input, ReadOnlySpan<byte> blind, ReadOnlySpan<byte> evaluatedElement, Span<byte> output)
    {
        CheckInput(input);
        CheckKey(blind, nameof(blind));
        CheckSize(output, OutputSize, nameof(output));
        Span<byte> inverse = stackalloc byte[KeySize];
        Span<byte> element = stackalloc byte[ElementSize];
        var isUnblinded = Ristretto255.TryInvertScalar(blind, inverse)
            && Ristretto255.TryMultiply(inverse, evaluatedElement, element);
        if (isUnblinded)
        {
            HashOutput(input, element, output);
        }

        CryptographicOperations.ZeroMemory(inverse);
        CryptographicOperations.ZeroMemory(element);
        return isUnblinded;
    }

    /// <summary>As the other, with the proof verified first: VOPRF's own Finalize, for one element.</summary>
    /// <returns>False where the proof does not show that the public key's private key was used.</returns>
    /// <exception cref="ArgumentException">A longer input, no blind, or a span of another size.</exception>
    /// <exception cref="InvalidOperationException">The mode has no proofs.</exception>
    public bool Finalize(
        ReadOnlySpan<byte> input, ReadOnlySpan<byte> blind, ReadOnlySpan<byte> evaluatedElement,
        ReadOnlySpan<byte> blindedElement, ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> proof, Span<byte> output) =>
        VerifyProof(publicKey, blindedElement, evaluatedElement, proof)
        && Finalize(input, blind, evaluatedElement, output);

    /// <summary>
    /// The value at an input for whoever has both: what Blind, BlindEvaluate and Finalize give together.
    /// </summary>
    /// <returns>False for an input without a value, which nobody can find.</returns>
    /// <exception cref="ArgumentException">No private key, a longer input, or a span of another size.</exception>
    public bool Evaluate(ReadOnlySpan<byte> privateKey, ReadOnlySpan<byte> input, Span<byte> output)
    {
        CheckKey(privateKey, nameof(privateKey));
        CheckInput(input);
        CheckSize(output, OutputSize, nameof(output));
        Span<byte> element = stackalloc byte[ElementSize];
        HashToGroup(input, element);
        var isEvaluated = Ristretto255.TryMultiply(privateKey, element, element);
        if (isEvaluated)
        {
            HashOutput(input, element, output);
        }

        CryptographicOperations.ZeroMemory(element);
        return isEvaluated;
    }

    private static void HashOutput(ReadOnlySpan<byte> input, ReadOnlySpan<byte> element, Span<byte> output)
    {
        using var scratch = new ScratchBuffer(
            stackalloc byte[ScratchBuffer.StackBytes],
            (2 * sizeof(ushort)) + input.Length + ElementSize + FinalizeLabel.Length);
        var script = new ByteScript(scratch.Span);
        script.AddFramed(input);
        script.AddFramed(element);
        script.Add(FinalizeLabel);
        SHA512.HashData(script.Written, output);
    }
}
