using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>Finds the resumption key of an epoch of a group that is at hand; false where it is not kept.</summary>
internal delegate bool FindResumptionKey(ResumptionPskId id, out ReadOnlySpan<byte> key);

/// <summary>
/// Finds pre-shared keys where they are: in groups at hand, else with the application. RFC 9420 section 8.4.
/// </summary>
internal static class PskLookup
{
    /// <summary>The psk_secret of the keys in their order.</summary>
    /// <param name="find">Asked first about resumption keys; null to ask the application only.</param>
    /// <param name="secret">The caller disposes it.</param>
    /// <param name="rejection"><see cref="MlsRejection.PskUnknown"/> where one of them is not to be had.</param>
    public static bool TryDerive(
        MlsCipherSuite suite, IReadOnlyList<PreSharedKeyId> ids, MlsServices services, FindResumptionKey? find,
        [NotNullWhen(true)] out Secret? secret, out MlsRejection rejection)
    {
        secret = null;
        if (ids.Count > MlsLimits.PreSharedKeys)
        {
            rejection = MlsRejection.TooLarge;
            return false;
        }

        var found = new List<(PreSharedKeyId Id, byte[] Psk)>(ids.Count);
        foreach (var id in ids)
        {
            if (Find(id, services, find) is { } psk)
            {
                found.Add((id, psk));
            }
        }

        rejection = found.Count == ids.Count ? MlsRejection.None : MlsRejection.PskUnknown;
        secret = rejection == MlsRejection.None ? PskSecrets.PskSecret(suite, found) : null;
        foreach (var (_, psk) in found)
        {
            CryptographicOperations.ZeroMemory(psk);
        }

        return secret is not null;
    }

    /// <summary>Whether a key is to be had.</summary>
    public static bool IsKnown(PreSharedKeyId id, MlsServices services, FindResumptionKey? find)
    {
        var psk = Find(id, services, find);
        CryptographicOperations.ZeroMemory(psk);
        return psk is not null;
    }

    private static byte[]? Find(PreSharedKeyId id, MlsServices services, FindResumptionKey? find) =>
        id is ResumptionPskId resumption && find is not null && find(resumption, out var key)
            ? key.ToArray() : services.ExternalPsk?.Invoke(id);
}
