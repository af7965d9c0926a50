namespace ChatPay.Core.Cryptography;

/// <summary>What holds for a key from its creation on.</summary>
public readonly record struct KeyCreationParameters
{
    public KeyExportPolicies ExportPolicy { get; init; }
}
