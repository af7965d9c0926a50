using System.Buffers.Binary;
using ChatPay.Core.Mls;

namespace ChatPay.Tests.Mls;

/// <summary>
/// RFC 9420's structures as shapes, written down a second time: what the codec reads must be what stands here too.
/// </summary>
internal ref struct WireGrammar
{
    private readonly ReadOnlySpan<byte> _input;
    private int _position;

    private WireGrammar(ReadOnlySpan<byte> input) => _input = input;

    private delegate WireNode Rule(ref WireGrammar grammar);

    /// <summary>The shape of an MLSMessage, section 6.</summary>
    public static WireNode Message(ReadOnlySpan<byte> input) => Whole(input, MlsMessageOf);

    /// <summary>The shape of a ratchet_tree extension, section 12.4.3.3.</summary>
    public static WireNode Tree(ReadOnlySpan<byte> input) => Whole(input, TreeOf);

    /// <summary>The shape of a Commit, section 12.4.</summary>
    public static WireNode Commit(ReadOnlySpan<byte> input) => Whole(input, CommitOf);

    /// <summary>The shape of a Proposal, section 12.1.</summary>
    public static WireNode Proposal(ReadOnlySpan<byte> input) => Whole(input, ProposalOf);

    /// <summary>The shape of a Welcome's GroupSecrets, section 12.4.3.1.</summary>
    public static WireNode Secrets(ReadOnlySpan<byte> input) => Whole(input, SecretsOf);

    /// <summary>The shape of a GroupInfo, section 12.4.3.</summary>
    public static WireNode Info(ReadOnlySpan<byte> input) => Whole(input, InfoOf);

    private static WireNode Whole(ReadOnlySpan<byte> input, Rule rule)
    {
        var grammar = new WireGrammar(input);
        var node = rule(ref grammar);
        return grammar._position == input.Length
            ? node : throw new FormatException($"{input.Length - grammar._position} bytes are left.");
    }

    private static StructNode MlsMessageOf(ref WireGrammar g)
    {
        List<WireNode> fields = [g.Number(2)];
        var format = g.Number(2);
        fields.Add(format);
        fields.Add((WireFormat)format.Value switch
        {
            WireFormat.PublicMessage => PublicOf(ref g),
            WireFormat.PrivateMessage => PrivateOf(ref g),
            WireFormat.Welcome => new StructNode("Welcome", [g.Number(2), g.Vector(SealedSecretsOf), g.Opaque()]),
            WireFormat.GroupInfo => InfoOf(ref g),
            WireFormat.KeyPackage => KeyPackageOf(ref g),
            _ => throw new FormatException("An unknown wire format."),
        });
        return new("MLSMessage", fields);
    }

    private static StructNode PublicOf(ref WireGrammar g)
    {
        List<WireNode> content = [g.Opaque(), g.Number(8)];
        var sender = g.Number(1);
        var type = (SenderType)sender.Value;
        content.Add(new StructNode(
            "Sender", type is SenderType.Member or SenderType.External ? [sender, g.Number(4)] : [sender]));
        content.Add(g.Opaque());
        var kind = g.Number(1);
        content.Add(kind);
        content.Add((ContentType)kind.Value switch
        {
            ContentType.Application => g.Opaque(),
            ContentType.Proposal => ProposalOf(ref g),
            ContentType.Commit => CommitOf(ref g),
            _ => throw new FormatException("An unknown content type."),
        });
        List<WireNode> fields = [new StructNode("FramedContent", content), g.Opaque()];
        if ((ContentType)kind.Value == ContentType.Commit)
        {
            fields.Add(g.Opaque());
        }

        if (type == SenderType.Member)
        {
            fields.Add(g.Opaque());
        }

        return new("PublicMessage", fields);
    }

    private static StructNode PrivateOf(ref WireGrammar g) => new(
        "PrivateMessage", [g.Opaque(), g.Number(8), g.Number(1), g.Opaque(), g.Opaque(), g.Opaque()]);

    private static WireNode SealedSecretsOf(ref WireGrammar g) =>
        new StructNode("EncryptedGroupSecrets", [g.Opaque(), CiphertextOf(ref g)]);

    private static StructNode InfoOf(ref WireGrammar g) => new(
        "GroupInfo",
        [
            new StructNode(
                "GroupContext",
                [g.Number(2), g.Number(2), g.Opaque(), g.Number(8), g.Opaque(), g.Opaque(), g.Vector(ExtensionOf)]),
            g.Vector(ExtensionOf), g.Opaque(), g.Number(4), g.Opaque(),
        ]);

    private static StructNode SecretsOf(ref WireGrammar g) =>
        new("GroupSecrets", [g.Opaque(), g.Optional(static (ref WireGrammar inner) => inner.Opaque()), g.Vector(PskOf)]);

    private static WireNode TreeOf(ref WireGrammar g) =>
        g.Vector(static (ref WireGrammar inner) => inner.Optional(NodeOf));

    private static WireNode NodeOf(ref WireGrammar g)
    {
        var type = g.Number(1);
        return new StructNode("Node", [type, type.Value == 1 ? LeafOf(ref g) : ParentOf(ref g)]);
    }

    private static StructNode ParentOf(ref WireGrammar g) => new(
        "ParentNode",
        [g.Opaque(), g.Opaque(), g.Vector(static (ref WireGrammar inner) => inner.Number(4))]);

    private static StructNode LeafOf(ref WireGrammar g)
    {
        List<WireNode> fields = [g.Opaque(), g.Opaque(), CredentialOf(ref g)];
        List<WireNode> capabilities = [];
        for (var i = 0; i < 5; i++)
        {
            capabilities.Add(g.Vector(static (ref WireGrammar inner) => inner.Number(2)));
        }

        fields.Add(new StructNode("Capabilities", capabilities));
        var source = g.Number(1);
        fields.Add(source);
        switch ((LeafNodeSource)source.Value)
        {
            case LeafNodeSource.KeyPackage:
                fields.Add(new StructNode("Lifetime", [g.Number(8), g.Number(8)]));
                break;
            case LeafNodeSource.Commit:
                fields.Add(g.Opaque());
                break;
            default:
                break;
        }

        fields.Add(g.Vector(ExtensionOf));
        fields.Add(g.Opaque());
        return new("LeafNode", fields);
    }

    private static StructNode CredentialOf(ref WireGrammar g)
    {
        var type = g.Number(2);
        return new(
            "Credential",
            [
                type,
                (CredentialType)type.Value == CredentialType.X509
                    ? g.Vector(static (ref WireGrammar inner) => inner.Opaque()) : g.Opaque(),
            ]);
    }

    private static WireNode ExtensionOf(ref WireGrammar g)
    {
        var type = g.Number(2);
        return new StructNode(
            "Extension", [type, type.Value == ExtensionType.RatchetTree ? g.Wrapped(TreeOf) : g.Opaque()]);
    }

    private static StructNode KeyPackageOf(ref WireGrammar g) => new(
        "KeyPackage", [g.Number(2), g.Number(2), g.Opaque(), LeafOf(ref g), g.Vector(ExtensionOf), g.Opaque()]);

    private static StructNode CiphertextOf(ref WireGrammar g) => new("HPKECiphertext", [g.Opaque(), g.Opaque()]);

    private static StructNode CommitOf(ref WireGrammar g) =>
        new("Commit", [g.Vector(ProposalOrRefOf), g.Optional(PathOf)]);

    private static WireNode PathOf(ref WireGrammar g) =>
        new StructNode("UpdatePath", [LeafOf(ref g), g.Vector(PathNodeOf)]);

    private static WireNode PathNodeOf(ref WireGrammar g) => new StructNode(
        "UpdatePathNode",
        [g.Opaque(), g.Vector(static (ref WireGrammar inner) => CiphertextOf(ref inner))]);

    private static WireNode ProposalOrRefOf(ref WireGrammar g)
    {
        var type = g.Number(1);
        return new StructNode("ProposalOrRef", [type, type.Value == 1 ? ProposalOf(ref g) : g.Opaque()]);
    }

    private static StructNode ProposalOf(ref WireGrammar g)
    {
        var type = g.Number(2);
        return new("Proposal", [type, (ProposalType)type.Value switch
        {
            ProposalType.Add => KeyPackageOf(ref g),
            ProposalType.Update => LeafOf(ref g),
            ProposalType.Remove => g.Number(4),
            ProposalType.PreSharedKey => PskOf(ref g),
            ProposalType.ReInit =>
                new StructNode("ReInit", [g.Opaque(), g.Number(2), g.Number(2), g.Vector(ExtensionOf)]),
            ProposalType.ExternalInit => g.Opaque(),
            ProposalType.GroupContextExtensions => g.Vector(ExtensionOf),
            _ => throw new FormatException("An unknown proposal."),
        }]);
    }

    private static WireNode PskOf(ref WireGrammar g)
    {
        var type = g.Number(1);
        return new StructNode(
            "PreSharedKeyID",
            type.Value == 1
                ? [type, g.Opaque(), g.Opaque()]
                : [type, g.Number(1), g.Opaque(), g.Number(8), g.Opaque()]);
    }

    private NumberNode Number(int width)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        bytes.Clear();
        Take(width).CopyTo(bytes[(sizeof(ulong) - width)..]);
        return new NumberNode(width, BinaryPrimitives.ReadUInt64BigEndian(bytes));
    }

    private OpaqueNode Opaque() => new([.. Take(Length())]);

    private VectorNode Vector(Rule rule)
    {
        var inner = new WireGrammar(Take(Length()));
        List<WireNode> items = [];
        while (inner._position < inner._input.Length)
        {
            items.Add(rule(ref inner));
        }

        return new VectorNode(items);
    }

    private VectorNode Wrapped(Rule rule) => new([Whole(Take(Length()), rule)]);

    private OptionalNode Optional(Rule rule) => new(Number(1).Value == 1 ? rule(ref this) : null);

    /// <summary>Section 2.1.2.</summary>
    private int Length()
    {
        var first = _input[_position];
        var octets = 1 << (first >> 6);
        var value = Number(octets).Value;
        return (int)(value & ((1UL << ((octets * 8) - 2)) - 1));
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        var bytes = _input.Slice(_position, count);
        _position += count;
        return bytes;
    }
}
