namespace ChatPay.Core.Mls;


/// <summary>RFC 9420 section 6.</summary>
public enum ContentType
{
    Application = 1,
    Proposal = 2,
    Commit = 3,
}
