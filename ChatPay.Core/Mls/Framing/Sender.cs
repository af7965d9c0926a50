namespace ChatPay.Core.Mls;


/// <summary>Who framed a message, RFC 9420 section 6.</summary>
public sealed class Sender : ITlsStructure<Sender>
{
    public required SenderType Type { get; init; }

    /// <summary>A member's leaf index, or an external sender's place in its list; else 0.</summary>
    public uint Index { get; init; }

    public static Sender Read(ref TlsReader reader)
    {
        var type = (SenderType)reader.ReadByte();
        switch (type)
        {
            case SenderType.Member or SenderType.External:
                return new Sender { Type = type, Index = reader.ReadUInt32() };
            case SenderType.NewMemberProposal or SenderType.NewMemberCommit:
                break;
            default:
                reader.Fail(MlsRejection.UnknownSenderType);
                break;
        }

        return new Sender { Type = type };
    }

    public void Write(TlsWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteByte((byte)Type);
        if (Type is SenderType.Member or SenderType.External)
        {
            writer.WriteUInt32(Index);
        }
    }
}

public enum SenderType
{
    Member = 1,
    External = 2,
    NewMemberProposal = 3,
    NewMemberCommit = 4,
}
