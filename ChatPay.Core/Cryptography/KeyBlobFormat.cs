namespace ChatPay.Core.Cryptography;

/// <summary>How a key is written outside this process.</summary>
public enum KeyBlobFormat
{
    None = 0,
    RawSymmetricKey = -1,
    RawPrivateKey = -2,
    RawPublicKey = -3,
}
