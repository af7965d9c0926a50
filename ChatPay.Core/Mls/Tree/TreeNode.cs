namespace ChatPay.Core.Mls;


/// <summary>A node of a ratchet_tree extension: exactly one of the two is present. RFC 9420 section 12.4.3.3.</summary>
public sealed class TreeNode : ITlsStructure<TreeNode>
{
    private const byte LeafType = 1;
    private const byte ParentType = 2;

    public TreeNode(LeafNode leaf) => Leaf = leaf;

    public TreeNode(ParentNode parent) => Parent = parent;

    public LeafNode? Leaf { get; }

    public ParentNode? Parent { get; }

    public static TreeNode Read(ref TlsReader reader) => reader.ReadByte() switch
    {
        LeafType => new TreeNode(LeafNode.Read(ref reader)),
        ParentType => new TreeNode(ParentNode.Read(ref reader)),
        _ => reader.Fail<TreeNode>(MlsRejection.UnknownNodeType),
    };

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteByte(Leaf is not null ? LeafType : ParentType);
        Leaf?.Write(writer);
        Parent?.Write(writer);
    }
}
