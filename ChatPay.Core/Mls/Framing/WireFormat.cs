namespace ChatPay.Core.Mls;


/// <summary>RFC 9420 section 17.2.</summary>
public enum WireFormat
{
    PublicMessage = 1,
    PrivateMessage = 2,
    Welcome = 3,
    GroupInfo = 4,
    KeyPackage = 5,
}
