using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>The PIN vault's realms, to which messages of docs/VAULT.md go.</content>
public sealed partial class ChatPayClient
{
    /// <summary>
    /// The realms that keep shares of PIN vaults, where they are, how many are needed, and how many parties run them.
    /// </summary>
    /// <exception cref="ChatPayException"><c>unauthenticated</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>var operators = (await client.VaultAsync(cancellationToken)).Operators;</code>
    /// </example>
    public Task<VaultView> VaultAsync(CancellationToken cancellationToken) =>
        SendAsync<VaultView>(HttpMethod.Get, "v1/vault", null, cancellationToken);

    /// <summary>
    /// The guesses of the account's PIN that a realm has counted, newest first, and the wait that is under way; asked of the
    /// realm itself, wherever it is.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// <c>realm_unknown</c>, or the server or the realm cannot be reached.
    /// </exception>
    /// <example>
    /// <code>var failed = (await client.VaultAttemptsAsync(realm, cancellationToken)).Attempts
    ///     .Count(attempt => attempt.Outcome == VaultAttemptOutcome.Failed);</code>
    /// </example>
    public async Task<VaultAttempts> VaultAttemptsAsync(Guid realm, CancellationToken cancellationToken)
    {
        using var door = new RealmDoor(this, await VaultAsync(cancellationToken));
        return await door.AttemptsAsync(realm, cancellationToken);
    }

    /// <summary>Sends a message of the vault's protocol to a realm in the server.</summary>
    /// <returns>The realm's answer; a refusal is one, and no error.</returns>
    /// <exception cref="ChatPayException"><c>realm_unknown</c>, <c>vault_message_invalid</c>, among others.</exception>
    internal async Task<byte[]> AskRealmAsync(Guid realm, byte[] message, CancellationToken cancellationToken) =>
        (await SendAsync<VaultExchange>(
            HttpMethod.Post, $"v1/vault/realms/{realm:D}", new VaultExchange(message), cancellationToken)).Message;

    /// <summary>The same, of the guesses that it has counted.</summary>
    internal Task<VaultAttempts> RealmAttemptsAsync(Guid realm, CancellationToken cancellationToken) =>
        SendAsync<VaultAttempts>(HttpMethod.Get, $"v1/vault/realms/{realm:D}/attempts", null, cancellationToken);

    /// <summary>What a realm that is a process of its own lets this device in with.</summary>
    internal Task<RealmTokenReply> RealmTokenAsync(Guid realm, CancellationToken cancellationToken) =>
        SendAsync<RealmTokenReply>(HttpMethod.Post, $"v1/vault/realms/{realm:D}/token", null, cancellationToken);
}
