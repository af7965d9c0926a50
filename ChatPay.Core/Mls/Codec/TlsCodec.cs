using System.Diagnostics.CodeAnalysis;

namespace ChatPay.Core.Mls;

/// <summary>Whole structures to bytes and back.</summary>
public static class TlsCodec
{
    /// <summary>Decodes exactly one structure; every byte of <paramref name="input"/> must belong to it.</summary>
    /// <param name="rejection">Why not; <see cref="MlsRejection.None"/> on success.</param>
    public static bool TryDecode<T>(
        ReadOnlySpan<byte> input, [NotNullWhen(true)] out T? value, out MlsRejection rejection)
        where T : class, ITlsStructure<T>
    {
        var reader = new TlsReader(input);
        var read = T.Read(ref reader);
        reader.End();
        rejection = reader.Rejection;
        value = rejection == MlsRejection.None ? read : null;
        return value is not null;
    }

    /// <summary>The structure's one encoding.</summary>
    public static byte[] Encode<T>(T value)
        where T : ITlsStructure<T>
    {
        ArgumentNullException.ThrowIfNull(value);
        var writer = new TlsWriter();
        value.Write(writer);
        return writer.ToArray();
    }
}
