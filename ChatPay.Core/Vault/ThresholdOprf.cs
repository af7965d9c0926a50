using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>
/// VOPRF (RFC 9497, mode 0x01) whose key nobody has: each realm evaluates with its share and proves it, and what a
/// threshold of them give is interpolated to what the whole key would give.
/// </summary>
internal static class ThresholdOprf
{
    /// <summary>A realm's part: the element times its share, and the proof for its public share.</summary>
    /// <returns>False where the blinded element is none.</returns>
    public static bool BlindEvaluate(
        ReadOnlySpan<byte> keyShare, ReadOnlySpan<byte> publicShare, ReadOnlySpan<byte> blindedElement,
        FillRandom random, Span<byte> evaluatedElement, Span<byte> proof) =>
        Oprf.BlindEvaluate(keyShare, blindedElement, evaluatedElement)
        && Oprf.Verifiable.GenerateProof(keyShare, publicShare, blindedElement, evaluatedElement, random, proof);

    /// <summary>Whether a realm used the share of its public share.</summary>
    public static bool Verify(
        ReadOnlySpan<byte> publicShare, ReadOnlySpan<byte> blindedElement, ReadOnlySpan<byte> evaluatedElement,
        ReadOnlySpan<byte> proof) =>
        Oprf.Verifiable.VerifyProof(publicShare, blindedElement, evaluatedElement, proof);

    /// <summary>The evaluation with the whole key, of evaluations that are verified already.</summary>
    /// <param name="indices">One byte each, none twice.</param>
    /// <param name="evaluatedElements">One after the other.</param>
    /// <param name="rejection">Why not.</param>
    public static bool TryCombine(
        int threshold, ReadOnlySpan<byte> indices, ReadOnlySpan<byte> evaluatedElements, Span<byte> evaluatedElement,
        out VaultRejection rejection) =>
        SecretSharing.TryCombineElements(threshold, indices, evaluatedElements, evaluatedElement, out rejection);
}
