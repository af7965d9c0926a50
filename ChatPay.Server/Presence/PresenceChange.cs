using ChatPay.Core.Protocol;

namespace ChatPay.Server.Presence;

/// <summary>What one node has to say of an account: it is there now, or it was.</summary>
/// <param name="LastSeen">Null while it is there, and where nobody is to know.</param>
internal readonly record struct PresenceChange(AccountId Account, bool Online, DateTimeOffset? LastSeen);
