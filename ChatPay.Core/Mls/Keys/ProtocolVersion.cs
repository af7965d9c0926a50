namespace ChatPay.Core.Mls;


/// <summary>RFC 9420 section 6.</summary>
public static class ProtocolVersion
{
    public const ushort Mls10 = 1;
}
