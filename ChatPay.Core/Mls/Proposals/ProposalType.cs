namespace ChatPay.Core.Mls;


/// <summary>RFC 9420 section 17.4.</summary>
public enum ProposalType
{
    Add = 1,
    Update = 2,
    Remove = 3,
    PreSharedKey = 4,
    ReInit = 5,
    ExternalInit = 6,
    GroupContextExtensions = 7,
}
