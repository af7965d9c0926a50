namespace ChatPay.Core.Protocol;

/// <summary>
/// <c>GET /v1/vault/realms/{realm}/news</c> of a realm that is a process of its own, which only its server asks: what
/// happened since the server asked before, at most <see cref="Limits.RealmNews"/> at once.
/// </summary>
/// <param name="Next">What to ask with the next time; nobody but the realm reads it.</param>
/// <param name="More">Whether there is more at this moment.</param>
/// <param name="News">In the order in which it was told: what the devices of each account are to hear.</param>
public sealed record RealmNews(string Next, bool More, IReadOnlyList<KeysSignal> News);
