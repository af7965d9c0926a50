using ChatPay.Tests.Support;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Makes wrong encodings out of right ones: changes that keep the shape, lengths that lie, parts of other messages in the
/// wrong place, and plain damage.
/// </summary>
internal sealed class WireMutator(Dice dice, IReadOnlyList<WireNode> corpus)
{
    private const int GrowthMax = 4096;
    private const int RepeatMax = 64;

    private static readonly ulong[] s_numbers =
        [0, 1, 2, 3, 4, 5, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 1UL << 63, ulong.MaxValue];

    private static readonly byte[][] s_headers =
    [
        [], [0], [0x3f], [0x40, 0], [0x40, 0x3f], [0x7f, 0xff], [0x80, 0, 0, 0], [0x80, 0, 0x40, 0],
        [0xbf, 0xff, 0xff, 0xff], [0xc0], [0xff], [0x81, 0, 0, 0],
    ];

    /// <summary>A changed copy, in one to four places.</summary>
    public WireNode Mutate(WireNode original)
    {
        var copy = new StructNode("Root", [original.Copy()]);
        for (var changes = 1 + dice.Next(4); changes > 0; changes--)
        {
            Change(dice.Pick(copy.All().ToArray()), copy);
        }

        return copy;
    }

    /// <summary>The bytes of a changed copy, now and then damaged beyond any shape.</summary>
    public byte[] MutateBytes(WireNode original)
    {
        if (dice.Chance(25))
        {
            return Damage(original.Encode());
        }

        var bytes = Mutate(original).Encode();
        return dice.Chance(10) ? Damage(bytes) : bytes;
    }

    /// <summary>Bits flipped, bytes overwritten, cut out, put in, or the end lost.</summary>
    public byte[] Damage(byte[] bytes)
    {
        var list = new List<byte>(bytes);
        for (var changes = 1 + dice.Next(3); changes > 0 && list.Count > 0; changes--)
        {
            var place = dice.Next(list.Count);
            switch (dice.Next(5))
            {
                case 0:
                    list[place] ^= (byte)(1 << dice.Next(8));
                    break;
                case 1:
                    list[place] = (byte)dice.Next(256);
                    break;
                case 2:
                    list.RemoveRange(place, 1 + dice.Next(Math.Min(16, list.Count - place)));
                    break;
                case 3:
                    list.InsertRange(place, Noise(1 + dice.Next(16)));
                    break;
                default:
                    list.RemoveRange(place, list.Count - place);
                    break;
            }
        }

        return [.. list];
    }

    private void Change(WireNode node, WireNode root)
    {
        switch (node)
        {
            case NumberNode number:
                number.Value = dice.Next(3) switch
                {
                    0 => dice.Pick(s_numbers),
                    1 => unchecked(number.Value + (dice.Chance(50) ? 1UL : ulong.MaxValue)),
                    _ => number.Value ^ (1UL << dice.Next(number.Width * 8)),
                };
                break;
            case SizedNode sized when dice.Chance(15):
                sized.Header = dice.Pick(s_headers);
                break;
            case OpaqueNode opaque:
                opaque.Bytes = ChangeBytes(opaque.Bytes, root);
                break;
            case VectorNode vector:
                ChangeItems(vector.Items);
                break;
            case OptionalNode optional:
                optional.Presence = dice.Chance(30) ? (byte)dice.Next(256) : null;
                optional.Value = optional.Value is null || dice.Chance(30) ? Stranger(optional.Value) : null;
                break;
            case StructNode { Fields.Count: > 0 } structure:
                ChangeFields(structure.Fields);
                break;
            default:
                break;
        }
    }

    private byte[] ChangeBytes(byte[] bytes, WireNode root)
    {
        switch (dice.Next(6))
        {
            case 0:
                return [];
            case 1:
                return Noise(bytes.Length);
            case 2:
                return [.. bytes, .. Noise(1 + dice.Next(dice.Chance(10) ? GrowthMax : 8))];
            case 3:
                return bytes[..dice.Next(bytes.Length + 1)];
            case 4:
                return dice.Pick(root.All().OfType<OpaqueNode>().ToArray()).Bytes;
            default:
                var flipped = bytes.ToArray();
                if (flipped.Length > 0)
                {
                    flipped[dice.Next(flipped.Length)] ^= (byte)(1 << dice.Next(8));
                }

                return flipped;
        }
    }

    private void ChangeItems(List<WireNode> items)
    {
        if (items.Count == 0)
        {
            items.Add(Stranger(null));
            return;
        }

        var place = dice.Next(items.Count);
        switch (dice.Next(6))
        {
            case 0:
                items.RemoveAt(place);
                break;
            case 1:
                items.Insert(place, items[dice.Next(items.Count)].Copy());
                break;
            case 2:
                (items[place], items[0]) = (items[0], items[place]);
                break;
            case 3:
                items.AddRange(Enumerable.Range(0, 1 + dice.Next(RepeatMax)).Select(_ => items[place].Copy()));
                break;
            case 4:
                items.Clear();
                break;
            default:
                items[place] = Stranger(items[place]);
                break;
        }
    }

    private void ChangeFields(List<WireNode> fields)
    {
        var place = dice.Next(fields.Count);
        switch (dice.Next(4))
        {
            case 0:
                fields.RemoveAt(place);
                break;
            case 1:
                fields.Insert(place, fields[place].Copy());
                break;
            default:
                fields[place] = Stranger(fields[place]);
                break;
        }
    }

    /// <summary>A part of some message, of the same kind where it can be.</summary>
    private WireNode Stranger(WireNode? native)
    {
        var nodes = dice.Pick(corpus).All().ToArray();
        if (native is StructNode { Kind: var kind } && dice.Chance(80))
        {
            var same = nodes.Where(node => node is StructNode other && other.Kind == kind).ToArray();
            nodes = same.Length > 0 ? same : nodes;
        }

        return dice.Pick(nodes).Copy();
    }

    private byte[] Noise(int count) => [.. Enumerable.Range(0, count).Select(_ => (byte)dice.Next(256))];
}
