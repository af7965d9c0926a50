using ChatPay.Core.Mls;

namespace ChatPay.Tests.Mls;

/// <summary>Epoch secrets out of single ones, as published vectors have them.</summary>
internal static class EpochParts
{
    /// <summary>Secrets of which only the given ones mean something.</summary>
    public static EpochSecrets Secrets(
        MlsCipherSuite suite, byte[]? senderDataSecret = null, byte[]? confirmationKey = null, byte[]? membershipKey = null)
    {
        var none = new byte[suite.HashSize];
        var writer = new TlsWriter();
        foreach (var secret in new[]
        {
            senderDataSecret, none, none, confirmationKey, membershipKey, none, none, none,
        })
        {
            writer.WriteFixed(secret ?? none);
        }

        var reader = new TlsReader(writer.WrittenSpan);
        return EpochSecrets.Read(ref reader, suite);
    }
}
