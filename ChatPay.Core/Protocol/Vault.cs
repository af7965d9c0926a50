namespace ChatPay.Core.Protocol;

/// <summary><c>GET /v1/vault</c>: the realms that keep shares of the PIN vault, in the order of their shares.</summary>
/// <param name="Operators">
/// How many parties run them: one that runs them all can try PINs as if there was one realm.
/// </param>
/// <param name="Threshold">How many realms are needed.</param>
/// <param name="Realms">Their ids; the first has index 1.</param>
public sealed record VaultView(int Operators, int Threshold, IReadOnlyList<Guid> Realms);

/// <summary><c>POST /v1/vault/realms/{realm}</c>, and its answer.</summary>
/// <param name="Message">
/// A message of the vault's protocol, as docs/VAULT.md lays it out; at most <see cref="Limits.VaultMessageBytes"/>.
/// </param>
public sealed record VaultExchange(byte[] Message);

/// <summary><c>GET /v1/vault/realms/{realm}/attempts</c>, newest first, at most <see cref="Limits.VaultAttempts"/>.</summary>
public sealed record VaultAttempts(IReadOnlyList<VaultAttempt> Attempts);

/// <summary>A guess of the PIN that a realm has counted.</summary>
/// <param name="Device">The device that was signed in.</param>
public sealed record VaultAttempt(DateTimeOffset At, DeviceId Device, VaultAttemptOutcome Outcome);

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
