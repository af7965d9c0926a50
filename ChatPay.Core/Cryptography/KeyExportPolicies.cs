namespace ChatPay.Core.Cryptography;

/// <summary>Whether a private key may ever leave the process.</summary>
[Flags]
public enum KeyExportPolicies
{
    None = 0,

    /// <summary>The key may be exported as often as wanted.</summary>
    AllowPlaintextExport = 1,
}
