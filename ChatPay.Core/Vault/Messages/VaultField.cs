namespace ChatPay.Core.Vault;

/// <summary>Where a field of a fixed layout lies.</summary>
internal readonly record struct VaultField(int Offset, int Size)
{
    public int End => Offset + Size;

    public VaultField Then(int size) => new(End, size);

    public Span<byte> In(Span<byte> layout) => layout.Slice(Offset, Size);

    public ReadOnlySpan<byte> In(ReadOnlySpan<byte> layout) => layout.Slice(Offset, Size);
}
