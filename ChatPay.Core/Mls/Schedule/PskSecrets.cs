using ChatPay.Core.Cryptography;

namespace ChatPay.Core.Mls;

/// <summary>How pre-shared keys enter an epoch, RFC 9420 section 8.4.</summary>
internal static class PskSecrets
{
    private const string Label = "derived psk";

    /// <summary>The psk_secret of keys in the order in which the commit or the Welcome names them; zeros for none.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MlsLimits.PreSharedKeys"/>.</exception>
    public static Secret PskSecret(MlsCipherSuite suite, IReadOnlyList<(PreSharedKeyId Id, byte[] Psk)> psks)
    {
        if (psks.Count > MlsLimits.PreSharedKeys)
        {
            throw new ArgumentException($"At most {MlsLimits.PreSharedKeys} pre-shared keys go into an epoch.", nameof(psks));
        }

        Span<byte> zero = stackalloc byte[suite.HashSize];
        zero.Clear();
        using var extracted = new Secret(suite.HashSize);
        using var input = new Secret(suite.HashSize);
        var secret = new Secret(suite.HashSize);
        var label = new TlsWriter();
        for (var index = 0; index < psks.Count; index++)
        {
            label.Clear();
            psks[index].Id.Write(label);
            label.WriteUInt16((ushort)index);
            label.WriteUInt16((ushort)psks.Count);
            suite.Extract(zero, psks[index].Psk, extracted.Span);
            suite.ExpandWithLabel(extracted.Span, Label, label.WrittenSpan, input.Span);
            suite.Extract(input.Span, secret.Span, extracted.Span);
            extracted.Span.CopyTo(secret.Span);
        }

        return secret;
    }
}
