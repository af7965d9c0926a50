namespace ChatPay.Core.Vault;

/// <summary>What, besides the identity key that a record names, may change it.</summary>
/// <param name="Wait">
/// The wait for an overwrite or a deletion without that key, which all devices of the account heard of; null where none is
/// under way.
/// </param>
/// <param name="InForce">
/// The account's identity key by the key log, 32 bytes; null where it is not known there. It alone decides then: a key that
/// the log has replaced signs nothing any more.
/// </param>
public readonly record struct RealmPermit(RealmWait? Wait = null, byte[]? InForce = null);
