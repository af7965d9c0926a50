using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>What the ledger demands of an authorisation before money moves, said once for all kinds of cards.</summary>
public static class DebitRules
{
    /// <summary>Whether an authorisation is in time.</summary>
    /// <param name="expiresAt">Seconds since the Unix epoch.</param>
    /// <param name="now">The deciding clock.</param>
    /// <returns>Null where it is.</returns>
    public static Error? CheckTime(long expiresAt, DateTimeOffset now)
    {
        var seconds = now.ToUnixTimeSeconds();
        return expiresAt > seconds && expiresAt <= seconds + Limits.AuthorisationMaxSeconds
            ? null
            : new Error(
                ErrorCode.AuthorisationExpired,
                "The signature for this payment is out of date. Check this device's clock and try again.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["now"] = seconds });
    }

    public static Error Missing() =>
        new(ErrorCode.AuthorisationMissing, "A payment needs the signature of the payer's device.");

    public static Error Invalid() =>
        new(ErrorCode.AuthorisationInvalid, "The signature is not this device's over exactly this payment.");

    public static Error DeviceNotInChain() => new(
        ErrorCode.AuthorisationDevice, "This device is not among its account's devices in the key log, so it cannot pay.");
}
