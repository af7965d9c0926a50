using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>What waits, what came and went, and codes to be scanned.</content>
public sealed partial class ChatPayClient
{
    /// <summary>What came and went, by person and by month.</summary>
    /// <param name="from">Where it begins, or null for the first entry.</param>
    /// <param name="to">Where it ends, not within, or null for now.</param>
    /// <exception cref="ChatPayException"><c>asset_unknown</c>; <c>invalid_argument</c>; among others.</exception>
    /// <example>
    /// <code>var activity = await client.ActivityAsync("EUR", null, null, cancellationToken);</code>
    /// </example>
    public Task<WalletActivity> ActivityAsync(
        string asset, DateTimeOffset? from, DateTimeOffset? to, CancellationToken cancellationToken)
    {
        string[] query =
        [
            .. from is { } start ? [$"from={TextOf(start)}"] : Array.Empty<string>(),
            .. to is { } end ? [$"to={TextOf(end)}"] : Array.Empty<string>(),
        ];
        return SendAsync<WalletActivity>(
            HttpMethod.Get, $"v1/wallet/{Uri.EscapeDataString(asset)}/activity?{string.Join('&', query)}", null,
            cancellationToken);
    }

    /// <summary>What of this account's waits in cards, and when it returns.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached, among others.</exception>
    /// <example>
    /// <code>var waiting = await client.HoldsAsync(cancellationToken);</code>
    /// </example>
    public Task<IReadOnlyList<WalletHold>> HoldsAsync(CancellationToken cancellationToken) =>
        SendAsync<IReadOnlyList<WalletHold>>(HttpMethod.Get, "v1/wallet/holds", null, cancellationToken);

    /// <summary>What the server lets this account do with money.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached, among others.</exception>
    /// <example>
    /// <code>var limits = await client.LimitsAsync(cancellationToken);</code>
    /// </example>
    public Task<WalletLimits> LimitsAsync(CancellationToken cancellationToken) =>
        SendAsync<WalletLimits>(HttpMethod.Get, "v1/wallet/limits", null, cancellationToken);

    /// <summary>A code to be shown: to be paid an amount, or to be asked for one.</summary>
    /// <exception cref="ChatPayException">
    /// <c>too_many_pay_codes</c>; <c>amount_not_positive</c>; <c>card_lifetime_invalid</c>; among others.
    /// </exception>
    /// <example>
    /// <code>
    /// var code = await client.CreatePayCodeAsync(new(PayCodeKind.PayMe, 450, "EUR", 300), cancellationToken);
    /// Show(PayCodeText.OfCode(account, identityKey, code.Code));
    /// </code>
    /// </example>
    public Task<PayCodeView> CreatePayCodeAsync(NewPayCode code, CancellationToken cancellationToken) =>
        SendAsync<PayCodeView>(HttpMethod.Post, "v1/pay-codes", code, cancellationToken);

    /// <summary>One's own code, and who has scanned it.</summary>
    /// <exception cref="ChatPayException"><c>pay_code_unknown</c>, among others.</exception>
    /// <example>
    /// <code>var by = (await client.PayCodeAsync(code, cancellationToken)).ScannedBy;</code>
    /// </example>
    public Task<PayCodeView> PayCodeAsync(string code, CancellationToken cancellationToken) =>
        SendAsync<PayCodeView>(HttpMethod.Get, $"v1/pay-codes/{Uri.EscapeDataString(code)}", null, cancellationToken);

    /// <summary>
    /// Takes somebody's code: it serves the first who does, as often as they ask. The answer's owner is what the server says: it
    /// has to be the account of the text that was scanned, with that identity key.
    /// </summary>
    /// <exception cref="ChatPayException"><c>pay_code_unknown</c>; <c>pay_code_used</c>; among others.</exception>
    /// <example>
    /// <code>var code = await client.ScanPayCodeAsync(text.Code!, cancellationToken);</code>
    /// </example>
    public Task<PayCodeView> ScanPayCodeAsync(string code, CancellationToken cancellationToken) =>
        SendAsync<PayCodeView>(HttpMethod.Post, $"v1/pay-codes/{Uri.EscapeDataString(code)}/scan", null, cancellationToken);

    /// <summary>Puts one's own code out of use.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached, among others.</exception>
    /// <example>
    /// <code>await client.RemovePayCodeAsync(code, cancellationToken);</code>
    /// </example>
    public Task RemovePayCodeAsync(string code, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"v1/pay-codes/{Uri.EscapeDataString(code)}", null, cancellationToken);
}
