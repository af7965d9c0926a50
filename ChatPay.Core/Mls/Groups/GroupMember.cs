namespace ChatPay.Core.Mls;

/// <summary>One member of a group: a leaf of its tree.</summary>
public sealed class GroupMember
{
    internal GroupMember(uint leafIndex, LeafNode leaf) => (LeafIndex, Leaf) = (leafIndex, leaf);

    /// <summary>Its place; it stays the same while the member stays, and is given to others afterwards.</summary>
    public uint LeafIndex { get; }

    public LeafNode Leaf { get; }

    public Credential Credential => Leaf.Credential;

    /// <summary>32 bytes.</summary>
    public byte[] SignatureKey => Leaf.SignatureKey;
}

/// <summary>What a group can still be used for.</summary>
public enum GroupStatus
{
    Active = 0,

    /// <summary>This member was removed; there are no keys left.</summary>
    Removed = 1,

    /// <summary>
    /// A ReInit was committed: nothing is sent or read any more, and the group only serves to found or join the one
    /// that takes its place, RFC 9420 section 11.2.
    /// </summary>
    Reinitialised = 2,
}

/// <summary>How proposals and commits are sent.</summary>
public enum HandshakeFormat
{
    /// <summary>
    /// Signed, and readable by whoever carries it: a delivery service can follow the group's membership.
    /// </summary>
    Public = 0,

    /// <summary>Encrypted for the members.</summary>
    Private = 1,
}
