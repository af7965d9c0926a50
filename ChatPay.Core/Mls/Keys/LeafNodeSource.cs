namespace ChatPay.Core.Mls;


/// <summary>How a leaf node came about, RFC 9420 section 7.2.</summary>
public enum LeafNodeSource
{
    KeyPackage = 1,
    Update = 2,
    Commit = 3,
}
