using System.Buffers.Binary;
using ChatPay.Core.Mls;

namespace ChatPay.Tests.Mls;

/// <summary>
/// A piece of an encoding that knows its shape, so that it can be changed and written again with the lengths around it
/// still right, or with a length that lies.
/// </summary>
internal abstract class WireNode
{
    public virtual IReadOnlyList<WireNode> Children => [];

    public abstract void Write(TlsWriter writer);

    public abstract WireNode Copy();

    public byte[] Encode()
    {
        var writer = new TlsWriter();
        Write(writer);
        return writer.ToArray();
    }

    /// <summary>This one and everything below it.</summary>
    public IEnumerable<WireNode> All() => Children.SelectMany(static child => child.All()).Prepend(this);
}

/// <summary>An unsigned number of 1, 2, 4 or 8 octets.</summary>
internal sealed class NumberNode(int width, ulong value) : WireNode
{
    public int Width => width;

    public ulong Value { get; set; } = value;

    public override WireNode Copy() => new NumberNode(width, Value);

    public override void Write(TlsWriter writer)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, Value);
        writer.WriteFixed(bytes[(sizeof(ulong) - width)..]);
    }
}

/// <summary>Fields one after the other.</summary>
internal sealed class StructNode(string kind, List<WireNode> fields) : WireNode
{
    /// <summary>The structure's name; those of the same name can take one another's place.</summary>
    public string Kind => kind;

    public List<WireNode> Fields => fields;

    public override IReadOnlyList<WireNode> Children => fields;

    public override WireNode Copy() => new StructNode(kind, [.. fields.Select(static field => field.Copy())]);

    public override void Write(TlsWriter writer) => fields.ForEach(field => field.Write(writer));
}

/// <summary>A presence octet, and a value where it is 1.</summary>
internal sealed class OptionalNode(WireNode? value) : WireNode
{
    public WireNode? Value { get; set; } = value;

    /// <summary>What is written instead of 0 or 1.</summary>
    public byte? Presence { get; set; }

    public override IReadOnlyList<WireNode> Children => Value is null ? [] : [Value];

    public override WireNode Copy() => new OptionalNode(Value?.Copy()) { Presence = Presence };

    public override void Write(TlsWriter writer)
    {
        writer.WriteByte(Presence ?? (byte)(Value is null ? 0 : 1));
        Value?.Write(writer);
    }
}

/// <summary>Something with a length before it.</summary>
internal abstract class SizedNode : WireNode
{
    /// <summary>What is written instead of the length.</summary>
    public byte[]? Header { get; set; }

    public abstract byte[] Content();

    public sealed override void Write(TlsWriter writer)
    {
        var content = Content();
        if (Header is null)
        {
            writer.WriteOpaque(content);
        }
        else
        {
            writer.WriteFixed(Header);
            writer.WriteFixed(content);
        }
    }
}

/// <summary><c>opaque value&lt;V&gt;</c>.</summary>
internal sealed class OpaqueNode(byte[] bytes) : SizedNode
{
    public byte[] Bytes { get; set; } = bytes;

    public override WireNode Copy() => new OpaqueNode([.. Bytes]) { Header = Header };

    public override byte[] Content() => Bytes;
}

/// <summary><c>T items&lt;V&gt;</c>, and opaque bytes that hold one structure.</summary>
internal sealed class VectorNode(List<WireNode> items) : SizedNode
{
    public List<WireNode> Items => items;

    public override IReadOnlyList<WireNode> Children => items;

    public override WireNode Copy() =>
        new VectorNode([.. items.Select(static item => item.Copy())]) { Header = Header };

    public override byte[] Content()
    {
        var writer = new TlsWriter();
        items.ForEach(item => item.Write(writer));
        return writer.ToArray();
    }
}
