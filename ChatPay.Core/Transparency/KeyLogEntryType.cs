namespace ChatPay.Core.Transparency;

/// <summary>What an entry of an account's chain says. The numbers are in the entry and never reused.</summary>
public enum KeyLogEntryType : byte
{
    /// <summary>The account's identity key: the first entry, or a new key that the old one signs.</summary>
    Identity = 1,

    /// <summary>
    /// A new identity key that no old one signs, because it is lost; every device before it is revoked.
    /// </summary>
    IdentityReset = 2,

    DeviceAdded = 3,
    DeviceRevoked = 4,

    /// <summary>A PIN was set, changed or removed.</summary>
    VaultConfigured = 5,
}
