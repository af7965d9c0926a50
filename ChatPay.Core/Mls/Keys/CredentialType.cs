namespace ChatPay.Core.Mls;


/// <summary>RFC 9420 section 17.5. Values beyond these are other people's and stay numbers.</summary>
public enum CredentialType
{
    Basic = 1,
    X509 = 2,
}
