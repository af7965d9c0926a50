using System.Globalization;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>Identity keys: chains of accounts, the log over them, and wrapped keys. docs/TRANSPARENCY.md.</content>
public sealed partial class ChatPayClient
{
    /// <summary>Which key log the server keeps.</summary>
    /// <exception cref="ChatPayException"><c>unauthenticated</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>var origin = (await client.KeyLogAsync(cancellationToken)).Origin;</code>
    /// </example>
    public Task<KeyLogView> KeyLogAsync(CancellationToken cancellationToken) =>
        SendAsync<KeyLogView>(HttpMethod.Get, "v1/keys/log", null, cancellationToken);

    /// <summary>A page of somebody's chain, with proofs that it is in the log. Nothing of it is checked here.</summary>
    /// <param name="account">The own one, or of somebody in a common conversation.</param>
    /// <param name="from">Number of the first entry, from 0 on.</param>
    /// <param name="size">Of a checkpoint that is known, for a proof that the log only grew since; 0 for none.</param>
    /// <exception cref="ChatPayException"><c>account_unknown</c>; <c>log_size_unknown</c>: the log shrank.</exception>
    /// <example>
    /// <code>var chain = await client.KeyChainAsync(account, from: 0, size: 0, cancellationToken);</code>
    /// </example>
    public Task<KeyChainReply> KeyChainAsync(
        AccountId account, long from, long size, CancellationToken cancellationToken) =>
        SendAsync<KeyChainReply>(
            HttpMethod.Get,
            string.Create(CultureInfo.InvariantCulture, $"v1/keys/accounts/{account}?from={from}&size={size}"),
            null, cancellationToken);

    /// <summary>The proof that the log only grew between two sizes.</summary>
    /// <param name="from">1 or more.</param>
    /// <param name="to">Null for the newest size, with its checkpoint.</param>
    /// <exception cref="ChatPayException"><c>log_size_unknown</c>, among others.</exception>
    /// <example>
    /// <code>var proof = (await client.KeyLogConsistencyAsync(1000, 2000, cancellationToken)).Proof;</code>
    /// </example>
    public Task<ConsistencyReply> KeyLogConsistencyAsync(long from, long? to, CancellationToken cancellationToken) =>
        SendAsync<ConsistencyReply>(
            HttpMethod.Get,
            string.Create(CultureInfo.InvariantCulture, $"v1/keys/consistency?from={from}")
                + (to is { } end ? string.Create(CultureInfo.InvariantCulture, $"&to={end}") : ""),
            null, cancellationToken);

    /// <summary>Adds entries to the account's own chain; the same again is answered alike.</summary>
    /// <exception cref="ChatPayException">
    /// <c>key_entry_invalid</c>, <c>key_chain_stale</c>, <c>wrong_device</c>, <c>device_not_approved</c>.
    /// </exception>
    internal Task<KeyChainReply> AppendKeysAsync(IReadOnlyList<byte[]> entries, CancellationToken cancellationToken) =>
        SendAsync<KeyChainReply>(
            HttpMethod.Post, "v1/keys/entries", new AppendKeysRequest(entries), cancellationToken);

    internal Task<WrappedKeysView> WrappedKeysAsync(CancellationToken cancellationToken) =>
        SendAsync<WrappedKeysView>(HttpMethod.Get, "v1/keys/wrapped", null, cancellationToken);

    /// <exception cref="ChatPayException"><c>wrapped_keys_stale</c>.</exception>
    internal Task<WrappedKeysView> StoreWrappedKeysAsync(
        StoreWrappedKeysRequest request, CancellationToken cancellationToken) =>
        SendAsync<WrappedKeysView>(HttpMethod.Put, "v1/keys/wrapped", request, cancellationToken);
}
