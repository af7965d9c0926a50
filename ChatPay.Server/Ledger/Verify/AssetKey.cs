using System.Buffers.Binary;
using System.Text;
using ChatPay.Core.Ledger;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>An asset's code, which has at most twelve bytes, as one number.</summary>
internal readonly record struct AssetKey
{
    private const int MaxBytes = 16;

    private readonly UInt128 _bytes;

    private AssetKey(UInt128 bytes) => _bytes = bytes;

    /// <param name="code">The code's bytes; longer ones, which are no code, all become the same key.</param>
    public static AssetKey Of(ReadOnlySpan<byte> code)
    {
        if (code.Length > MaxBytes)
        {
            return new AssetKey(UInt128.MaxValue);
        }

        Span<byte> bytes = stackalloc byte[MaxBytes];
        bytes.Clear();
        code.CopyTo(bytes);
        return new AssetKey(BinaryPrimitives.ReadUInt128BigEndian(bytes));
    }

    /// <returns>Null where the bytes are no code.</returns>
    public AssetCode? ToCode() => AssetCode.TryParse(ToString(), out var code) ? code : null;

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[MaxBytes];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, _bytes);
        return Encoding.UTF8.GetString(bytes.TrimEnd((byte)0));
    }
}
