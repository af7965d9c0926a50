namespace ChatPay.Core.Vault;

/// <summary>The bounds of the vault, named once.</summary>
public static class VaultLimits
{
    /// <summary>Realms of one configuration.</summary>
    public const int Realms = 16;

    /// <summary>Guesses before a realm destroys its record.</summary>
    public const int Guesses = 10;

    /// <summary>The account's root secret in bytes.</summary>
    public const int RootSecretBytes = 32;

    /// <summary>Most memory that a registration may ask a device for, in kibibytes; 64 MiB are the default.</summary>
    public const int MemoryMaxKib = 256 * 1024;

    /// <summary>Most passes over that memory.</summary>
    public const int PassesMax = 10;

    public const int PinMinDigits = 4;
    public const int PinMaxDigits = 12;

    /// <summary>What people are offered to begin with.</summary>
    public const int PinSuggestedDigits = 6;

    /// <summary>UTF-16 units that are looked at at all; a PIN or passphrase is shorter.</summary>
    public const int PinTextMaxChars = 1024;
}
