using ChatPay.Client.Internal;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;

namespace ChatPay.Client;

/// <content>Receipts of what this account paid or was paid.</content>
public sealed partial class ChatPayDevice
{
    /// <summary>
    /// The ledger's receipt of a movement, checked: signed by the ledger log that this device knows, let happen by a device of
    /// the payer's over exactly these terms, of the card as this device knows it, and in the ledger log by a checkpoint that goes
    /// with all earlier ones.
    /// </summary>
    /// <param name="transfer">As the statement names it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ChatPayException">
    /// <c>not_found</c>: no movement of a card by this account or to it; <see cref="ClientErrors.ReceiptInvalid"/>, with the
    /// reason in its details: keep it, and ask the operator; the server cannot be reached.
    /// </exception>
    /// <example>
    /// <code>File.WriteAllText("receipt.json", (await device.ReceiptAsync(transfer, cancellationToken)).ToJson());</code>
    /// </example>
    public async Task<ChatReceipt> ReceiptAsync(TransferId transfer, CancellationToken cancellationToken)
    {
        var view = await Client.ReceiptAsync(transfer, cancellationToken);
        return view.Transfer == transfer.Value
            ? await CheckAsync(view, cancellationToken)
            : throw LocalErrors.ReceiptInvalid(ReceiptRejection.CardOther);
    }

    /// <summary>All receipts of what this account paid or was paid by a card, checked; none before money has moved.</summary>
    /// <exception cref="ChatPayException">
    /// <c>card_unknown</c>, and as <see cref="ReceiptAsync"/>.
    /// </exception>
    /// <example>
    /// <code>
    /// foreach (var receipt in await device.ReceiptsAsync(card.Id, cancellationToken))
    /// {
    ///     Console.WriteLine($"{receipt.View.At}: {receipt.Money}");
    /// }
    /// </code>
    /// </example>
    public async Task<IReadOnlyList<ChatReceipt>> ReceiptsAsync(CardId card, CancellationToken cancellationToken)
    {
        var receipts = new List<ChatReceipt>();
        Guid? after = null;
        do
        {
            var page = await Client.ReceiptsAsync(card, after, cancellationToken);
            foreach (var view in page.Receipts)
            {
                receipts.Add(view.Card == card
                    ? await CheckAsync(view, cancellationToken)
                    : throw LocalErrors.ReceiptInvalid(ReceiptRejection.CardOther));
            }

            // A page that does not go on would be asked for for ever.
            after = page.Receipts.Count > 0 && page.After == page.Receipts[^1].Transfer ? page.After : null;
        }
        while (after is not null);
        return receipts;
    }

    private async Task<ChatReceipt> CheckAsync(ReceiptView view, CancellationToken cancellationToken)
    {
        var verifier = await _core.Keys.Ledger.VerifierAsync(view.VerifierKey, cancellationToken)
            ?? throw LocalErrors.ReceiptInvalid(ReceiptRejection.LedgerOther);
        var rejection = ReceiptChecks.Verify(view, verifier, out var receipt);
        if (receipt is null || rejection is not (ReceiptRejection.None or ReceiptRejection.NotSealed))
        {
            throw LocalErrors.ReceiptInvalid(rejection);
        }

        if (view.Seal is { } seal && !await _core.Keys.Ledger.TakeAsync(seal.Checkpoint, cancellationToken))
        {
            throw LocalErrors.ReceiptInvalid(ReceiptRejection.CheckpointInvalid);
        }

        var me = _core.Device.Account.Id;
        var known = await KnownCardAsync(view.Card, cancellationToken);
        if ((receipt.Payer != me && receipt.Payee != me) || (known is not null && !IsOf(receipt, known)))
        {
            throw LocalErrors.ReceiptInvalid(ReceiptRejection.CardOther);
        }

        if (receipt.Payer != me)
        {
            await RequirePayersDeviceAsync(receipt, cancellationToken);
        }

        return new(view, receipt, known?.Trust ?? CardTrust.Unreadable);
    }

    private static bool IsOf(PaymentReceipt receipt, CardRecord known) =>
        known.Trust != CardTrust.Mismatch && CardChecks.TermsOf(known.View) is { } terms
        && terms.Encode().AsSpan().SequenceEqual(receipt.Terms)
        && known.View.DetailCommit.AsSpan().SequenceEqual(receipt.DetailCommit);

    /// <summary>
    /// The device that signed is in the payer's chain of the key log, or was. Of somebody whose chain this device has not and is
    /// not shown any more, there is nothing to compare with.
    /// </summary>
    private async Task RequirePayersDeviceAsync(PaymentReceipt receipt, CancellationToken cancellationToken)
    {
        try
        {
            await _core.Keys.People.CheckAsync(receipt.Payer, cancellationToken);
        }
        catch (ChatPayException hidden) when (hidden.Code == ErrorCode.AccountUnknown)
        {
            // No common conversation any more.
        }

        var payer = await _core.Keys.People.FindAsync(receipt.Payer, cancellationToken);
        var (key, device) = (receipt.Word!.DeviceKey, DebitWord.TryRead(receipt.Word.Statement)!.Device);
        if (payer.Entries.Count > 0 && !payer.Entries.Any(bytes => KeyLogEntry.TryRead(bytes, out var entry, out _)
            && entry.Type == KeyLogEntryType.DeviceAdded && entry.Device == device && entry.NewKey.SequenceEqual(key)))
        {
            throw LocalErrors.ReceiptInvalid(ReceiptRejection.Unauthorised);
        }
    }
}
