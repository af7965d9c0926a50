using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Vault;

/// <summary>Says what is wrong with bytes that ought to be an element or a scalar.</summary>
internal static class VaultPoints
{
    public static bool IsElement(ReadOnlySpan<byte> bytes, out VaultRejection rejection)
    {
        rejection = bytes.Length != Ristretto255.ElementSize ? VaultRejection.LengthWrong
            : !bytes.ContainsAnyExcept((byte)0) ? VaultRejection.PointIdentity
            : Ristretto255.IsElement(bytes) ? VaultRejection.None
            : VaultRejection.PointInvalid;
        return rejection == VaultRejection.None;
    }

    /// <summary>Whether the bytes are a scalar and not zero.</summary>
    public static bool IsScalar(ReadOnlySpan<byte> bytes, out VaultRejection rejection)
    {
        rejection = bytes.Length != Ristretto255.ScalarSize ? VaultRejection.LengthWrong
            : Ristretto255.IsScalar(bytes) && bytes.ContainsAnyExcept((byte)0) ? VaultRejection.None
            : VaultRejection.ScalarInvalid;
        return rejection == VaultRejection.None;
    }
}
