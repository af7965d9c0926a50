namespace ChatPay.Core.Vault;

/// <summary>The modes of RFC 9497, section 3.1, that are here; the partially oblivious one has no use.</summary>
public enum OprfMode : byte
{
    /// <summary>OPRF: the client takes the server's word for the key.</summary>
    Base = 0x00,

    /// <summary>VOPRF: a proof shows that the key of a known public key was used.</summary>
    Verifiable = 0x01,
}
