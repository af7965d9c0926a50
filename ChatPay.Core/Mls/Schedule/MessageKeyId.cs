namespace ChatPay.Core.Mls;

/// <summary>Which message key of an epoch is meant.</summary>
/// <param name="Leaf">Leaf index of the sender.</param>
/// <param name="ContentType">Handshake messages have a ratchet of their own.</param>
/// <param name="Generation">How many keys of the ratchet come before.</param>
internal readonly record struct MessageKeyId(uint Leaf, ContentType ContentType, uint Generation);
