using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>
/// Each debit that a card made was let happen by the payer: the statement is of this card and this transfer, signed by a
/// device that the payer's chain of the key log has, or had, with that key.
/// </summary>
internal sealed class AuthorisationCheck(VerifyStore store, VerifyFindings findings)
{
    public async Task<string> RunAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        var count = 0L;
        await using (var debits = store.AuthorisedDebits(stage, cancellationToken))
        {
            await debits.NextAsync();
            while (debits.HasRow)
            {
                count++;
                if (Judge(debits.Row) is { } finding)
                {
                    findings.Add($"transfer {debits.Row.Transfer.ToGuid()}: {finding}");
                }

                await debits.NextAsync();
            }
        }

        await using var idle = store.IdleAuthorisations(cancellationToken);
        await idle.NextAsync();
        while (idle.HasRow)
        {
            findings.Add($"authorisation {idle.Row.Id.ToGuid()}: no card's debit happened by it");
            await idle.NextAsync();
        }

        return Invariant($"{count} debits");
    }

    private static string? Judge(in AuthorisedRow row)
    {
        if (row is not { Statement: { } bytes, Signature: { } signature })
        {
            return "no device of the payer's signed for it";
        }

        if (row.Terms is not { } terms || DebitStatement.TryRead(bytes, terms, row.DetailCommit) is not { } statement)
        {
            return "what was signed is not of its card";
        }

        var account = LedgerAccountId.Of(statement.Payer, terms.Money.Asset).Value;
        var isSigned = terms.Kind == CardKind.Mandate
            ? statement is { Action: CardActionKind.Post, Version: 0 } && row.AmountMinor <= statement.AmountMinor
                && row.Actor?.ToGuid() == terms.Payee.Value
            : row.AmountMinor == statement.AmountMinor && row.Actor?.ToGuid() == statement.Payer.Value
                && row.Transfer.ToGuid() == TransferId.OfCardAction(statement.Payer, statement.Nonce).Value;
        return !isSigned || row.Debit.ToGuid() != account
                ? "what was signed is another payer's, amount or action"
            : row.Device?.ToGuid() != statement.Device.Value || row.DeviceAccount?.ToGuid() != statement.Payer.Value
                ? "the device is not the one that the statement names, or not its payer's"
            : row.DeviceKey is not { } key || !statement.IsSignedBy(key, signature)
                ? "the signature is not the device's"
            : !row.IsLogged ? "the device is not in the payer's chain of the key log"
            : null;
    }
}
