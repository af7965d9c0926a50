using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <summary>Leaves of a group beside the chain of the account that they say they are of.</summary>
internal static class ChainLeaves
{
    /// <summary>
    /// Whether the chain, as far as it is known here, has the device with this key of its own, and the identity key since its
    /// last reset; or had them once, for a device that it has put out since. To be under one of the chain's keys is not
    /// enough: whoever got hold of a key that was replaced could go on vouching.
    /// </summary>
    public static bool IsLogged(KeyChain chain, OwnLeaf leaf) => chain.IsRevoked(leaf.Device)
        ? chain.HasHad(leaf.IdentityKey) && (leaf.SignatureKey is not { } had || chain.HasHad(had))
        : (leaf.SignatureKey is { } key
            ? chain.HasDevice(leaf.Device, key) : chain.Devices.ContainsKey(leaf.Device))
            && HasKey(chain, leaf.IdentityKey);

    public static bool HasKey(KeyChain chain, byte[] key) =>
        chain.IdentityKeys.Any(one => key.AsSpan().SequenceEqual(one));

    public static bool IsSame(OwnLeaf one, OwnLeaf other) => one.Device == other.Device
        && one.IdentityKey.AsSpan().SequenceEqual(other.IdentityKey)
        && one.SignatureKey.AsSpan().SequenceEqual(other.SignatureKey);
}
