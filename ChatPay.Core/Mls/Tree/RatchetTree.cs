namespace ChatPay.Core.Mls;


/// <summary>
/// The public tree as the ratchet_tree extension carries it, RFC 9420 section 12.4.3.3: nodes from left to right, leaves
/// at even places, blanks null, without blanks at the right end.
/// </summary>
public sealed class RatchetTree : ITlsStructure<RatchetTree>
{
    public required IReadOnlyList<TreeNode?> Nodes { get; init; }

    public static RatchetTree Read(ref TlsReader reader) => new() { Nodes = reader.ReadOptionalVector<TreeNode>() };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteOptionalVector(Nodes);
    }
}
