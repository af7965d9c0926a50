using System.Runtime.CompilerServices;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>The wallet, as the ledger tells it; nothing of it is reckoned here.</content>
public sealed partial class ChatPayDevice
{
    /// <summary>The account's balances, one for each asset.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached, or the session is over.</exception>
    /// <example>
    /// <code>
    /// foreach (var balance in await device.BalancesAsync(cancellationToken))
    /// {
    ///     Console.WriteLine($"{balance.Available.ToDecimalText(balance.Exponent)} {balance.Available.Asset}");
    /// }
    /// </code>
    /// </example>
    public async Task<IReadOnlyList<ChatBalance>> BalancesAsync(CancellationToken cancellationToken)
    {
        var reply = await Client.WalletAsync(cancellationToken);
        return [.. reply.Balances.Select(ChatBalance.From)];
    }

    /// <summary>The balance of one asset as it was at an instant.</summary>
    /// <param name="asset">The asset.</param>
    /// <param name="at">An instant of the past, or null for now.</param>
    /// <exception cref="ChatPayException">
    /// <c>asset_unknown</c>; <c>invalid_argument</c> for the future; among others.
    /// </exception>
    /// <example>
    /// <code>var before = await device.BalanceAsync(AssetCode.Parse("EUR"), midnight, cancellationToken);</code>
    /// </example>
    public async Task<ChatBalance> BalanceAsync(
        AssetCode asset, DateTimeOffset? at, CancellationToken cancellationToken)
    {
        var balance = await Client.BalanceAsync(asset.Value, at, cancellationToken);
        return new(Money.Of(balance.BalanceMinor, asset), Money.Of(balance.HeldMinor, asset), balance.Exponent);
    }

    /// <summary>
    /// The statement of one asset, the newest entry first, for as long as its reader goes on: read a page at a time.
    /// </summary>
    /// <param name="asset">The asset.</param>
    /// <param name="from">Where it ends, within; null for the first entry.</param>
    /// <param name="to">Where it begins, not within; null for now.</param>
    /// <exception cref="ChatPayException"><c>asset_unknown</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>
    /// await foreach (var entry in device.StatementAsync(AssetCode.Parse("EUR"), null, null, cancellationToken))
    /// {
    ///     Console.WriteLine($"{entry.Entry.At:d} {entry.Entry.Kind} {entry.Posted.ToDecimalText(2)}");
    /// }
    /// </code>
    /// </example>
    public async IAsyncEnumerable<ChatStatementEntry> StatementAsync(
        AssetCode asset, DateTimeOffset? from, DateTimeOffset? to,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        long? before = null;
        do
        {
            var cursor = before;
            var page = await Client.StatementAsync(
                asset.Value, cursor, Limits.StatementPageEntries, from, to, cancellationToken);
            foreach (var entry in page.Entries)
            {
                yield return ChatStatementEntry.From(entry, asset);
            }

            before = page.Before;
        }
        while (before is not null);
    }

    /// <summary>The statement of one asset as a file, read as it comes; to be disposed of.</summary>
    /// <param name="asset">The asset.</param>
    /// <param name="format"><c>csv</c>, <c>json</c>, <c>ofx</c> or <c>camt053</c>.</param>
    /// <param name="from">Where it begins, or null for the first entry.</param>
    /// <param name="to">Where it ends, not within, or null for now.</param>
    /// <exception cref="ChatPayException"><c>asset_unknown</c>; <c>invalid_argument</c>; among others.</exception>
    /// <example>
    /// <code>
    /// await using var statement = await device.ExportAsync(asset, "camt053", null, null, cancellationToken);
    /// await statement.CopyToAsync(file, cancellationToken);
    /// </code>
    /// </example>
    public Task<Stream> ExportAsync(
        AssetCode asset, string format, DateTimeOffset? from, DateTimeOffset? to,
        CancellationToken cancellationToken) =>
        Client.ExportAsync(asset.Value, format, from, to, cancellationToken);
}
