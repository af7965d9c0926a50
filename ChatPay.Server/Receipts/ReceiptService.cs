using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Server.Cards;
using ChatPay.Server.Hosting;
using ChatPay.Server.Transparency;

namespace ChatPay.Server.Receipts;

/// <summary>
/// Makes receipts of what the ledger has. They are signed when they are asked for: everything in one is settled, so asking again
/// gives the same one, and later with the ledger log's proof.
/// </summary>
internal sealed class ReceiptService(PaymentReceiptStore store, CardDirectory cards, LedgerLogReader log, LedgerLogKeeper keeper)
{
    /// <returns><c>not_found</c> where there is no such movement of the caller's.</returns>
    public async Task<Result<ReceiptView>> ReadAsync(
        Caller caller, TransferId transfer, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(caller.Account, transfer, cancellationToken) is not { Transfer.Card: { } id } row
            || await cards.FindAsync(id, cancellationToken) is not { } card)
        {
            return new Error(ErrorCode.NotFound, "There is no such payment of yours.");
        }

        return (await SignAsync(card, [row], cancellationToken))[0];
    }

    /// <returns>
    /// Those that concern the caller; <c>card_unknown</c> where the card does not, <c>invalid_argument</c>.
    /// </returns>
    public async Task<Result<ReceiptsPage>> ListAsync(
        Caller caller, CardId id, Guid? after, int limit, CancellationToken cancellationToken)
    {
        if (limit is < 1 or > Limits.ReceiptsPerPage)
        {
            return new Error(ErrorCode.InvalidArgument, $"A page has 1 to {Limits.ReceiptsPerPage} receipts.");
        }

        if (await cards.FindAsync(id, cancellationToken) is not { Terms: { } terms } card)
        {
            return CardErrors.Unknown();
        }

        var rows = await store.ListAsync(caller.Account, id, after, limit, cancellationToken);
        if (rows.Count == 0 && after is null && caller.Account != terms.Author && !terms.Others.Contains(caller.Account))
        {
            return CardErrors.Unknown();
        }

        return new ReceiptsPage(
            await SignAsync(card, rows, cancellationToken), rows.Count == limit ? rows[^1].Transfer.Id.Value : null);
    }

    private async Task<IReadOnlyList<ReceiptView>> SignAsync(
        Card card, IReadOnlyList<PaidRow> rows, CancellationToken cancellationToken)
    {
        var (head, seals) = await log.SealsAsync([.. rows.Select(row => row.Transfer.Id)], cancellationToken);
        var verifier = keeper.SignerOf(head.Number).Verifier;
        var terms = card.Terms.Encode();
        return
        [
            .. rows.Select(row => new PaymentReceipt(
                verifier.Name, row.Transfer, row.Exponent, row.Payer, row.Payee, card.DetailCommit, terms, row.Word)
                .Sign(verifier, keeper.KeyFile.Key, seals.GetValueOrDefault(row.Transfer.Id))),
        ];
    }
}
