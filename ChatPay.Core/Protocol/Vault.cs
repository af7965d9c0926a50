namespace ChatPay.Core.Protocol;

/// <summary><c>GET /v1/vault</c>: the realms that keep shares of the PIN vault, in the order of their shares.</summary>
/// <param name="Operators">
/// How many parties run them: one that runs them all can try PINs as if there was one realm.
/// </param>
/// <param name="Threshold">How many realms are needed.</param>
/// <param name="Realms">Their ids; the first has index 1.</param>
/// <param name="Hosts">
/// Where they are, in the same order, where they are processes of their own: the device goes there, with a token of
/// <c>POST /v1/vault/realms/{realm}/token</c>. Null where this server runs them all.
/// </param>
public sealed record VaultView(
    int Operators, int Threshold, IReadOnlyList<Guid> Realms, IReadOnlyList<RealmHostView>? Hosts = null);

/// <summary>Where a realm is that is a process of its own.</summary>
/// <param name="Address">Its root, such as <c>https://realm.example/</c>: below it are the same paths as here.</param>
/// <param name="Operator">Who runs it, for people.</param>
public sealed record RealmHostView(Guid Realm, Uri Address, string Operator);

/// <summary><c>POST /v1/vault/realms/{realm}/token</c>: what the realm lets this device in with, and no other realm.</summary>
/// <param name="Token">A bearer token.</param>
public sealed record RealmTokenReply(string Token, DateTimeOffset ExpiresAt);

/// <summary><c>POST /v1/vault/realms/{realm}</c>, and its answer.</summary>
/// <param name="Message">
/// A message of the vault's protocol, as docs/VAULT.md lays it out; at most <see cref="Limits.VaultMessageBytes"/>.
/// </param>
public sealed record VaultExchange(byte[] Message);

/// <summary><c>GET /v1/vault/realms/{realm}/attempts</c>, newest first, at most <see cref="Limits.VaultAttempts"/>.</summary>
/// <param name="Wait">The wait that is under way, or has passed and was not made use of; null for none.</param>
public sealed record VaultAttempts(IReadOnlyList<VaultAttempt> Attempts, VaultWait? Wait = null);

/// <summary>A guess of the PIN that a realm has counted.</summary>
/// <param name="Device">The device that was signed in.</param>
/// <param name="Realm">The realm that counted it; a guess is one at each realm.</param>
public sealed record VaultAttempt(DateTimeOffset At, DeviceId Device, VaultAttemptOutcome Outcome, Guid? Realm = null);

/// <summary>How a guess ended.</summary>
public enum VaultAttemptOutcome
{
    /// <summary>The device has not asked for the share yet; it still may.</summary>
    Open = 0,

    /// <summary>The PIN was right, and the guess was given back.</summary>
    Succeeded = 1,

    /// <summary>The PIN was wrong, or the device never came back.</summary>
    Failed = 2,
}

/// <summary>Somebody signed in wants the registration overwritten or deleted without the account identity key.</summary>
/// <param name="Id">By which it is cancelled.</param>
/// <param name="Device">The device that began it.</param>
/// <param name="Until">From when on it is carried out where asked again.</param>
public sealed record VaultWait(Guid Realm, Guid Id, DeviceId Device, DateTimeOffset Until, VaultWaitState State);

/// <summary>What has become of a wait.</summary>
public enum VaultWaitState
{
    /// <summary>It is under way, or has passed; another device may still cancel it.</summary>
    Begun = 0,

    /// <summary>A statement of the identity key ended it, or a registration signed by that key.</summary>
    Cancelled = 1,

    /// <summary>The registration was overwritten or deleted without the identity key.</summary>
    CarriedOut = 2,
}
