using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>Receipts, and the ledger log that proves them. Nothing of them is checked here; a device does that.</content>
public sealed partial class ChatPayClient
{
    /// <summary>The receipt of a movement, for its payer and payee.</summary>
    /// <exception cref="ChatPayException"><c>not_found</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>var receipt = await client.ReceiptAsync(transfer, cancellationToken);</code>
    /// </example>
    public Task<ReceiptView> ReceiptAsync(TransferId transfer, CancellationToken cancellationToken) =>
        SendAsync<ReceiptView>(HttpMethod.Get, $"v1/receipts/{transfer}", null, cancellationToken);

    /// <summary>Receipts of what the caller paid or got by a card, a page at a time.</summary>
    /// <param name="card">The card.</param>
    /// <param name="after">Where the page before ended; null for the first.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChatPayException"><c>card_unknown</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>var page = await client.ReceiptsAsync(card, after: null, cancellationToken);</code>
    /// </example>
    public Task<ReceiptsPage> ReceiptsAsync(CardId card, Guid? after, CancellationToken cancellationToken) =>
        SendAsync<ReceiptsPage>(
            HttpMethod.Get, $"v1/cards/{card}/receipts" + (after is { } id ? $"?after={id}" : ""), null, cancellationToken);

    /// <summary>Which ledger log the server keeps.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    /// <example>
    /// <code>Console.WriteLine((await client.LedgerLogAsync(cancellationToken)).VerifierKey);</code>
    /// </example>
    public Task<KeyLogView> LedgerLogAsync(CancellationToken cancellationToken) =>
        SendAsync<KeyLogView>(HttpMethod.Get, "v1/ledger/log", null, cancellationToken);

    /// <summary>The proof that the ledger log only grew between two sizes.</summary>
    /// <param name="from">1 or more.</param>
    /// <param name="to">Null for the newest size, with its checkpoint.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChatPayException"><c>log_size_unknown</c>, among others.</exception>
    /// <example>
    /// <code>var proof = (await client.LedgerLogConsistencyAsync(1000, 2000, cancellationToken)).Proof;</code>
    /// </example>
    public Task<ConsistencyReply> LedgerLogConsistencyAsync(long from, long? to, CancellationToken cancellationToken) =>
        SendAsync<ConsistencyReply>(
            HttpMethod.Get,
            string.Create(CultureInfo.InvariantCulture, $"v1/ledger/consistency?from={from}")
                + (to is { } end ? string.Create(CultureInfo.InvariantCulture, $"&to={end}") : ""),
            null, cancellationToken);
}
