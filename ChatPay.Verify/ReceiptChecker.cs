using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;

namespace ChatPay.Verify;

/// <summary>
/// Checks a receipt: who signed it, what it says, that the payer's device let it happen, and that the ledger log has it.
/// </summary>
internal sealed class ReceiptChecker(Verdict verdict)
{
    /// <param name="known">The ledger log's key as the reader knows it; null where they only know what the receipt names.</param>
    /// <param name="log">A copy of the ledger log, which has to go on from the receipt's checkpoint; null for none.</param>
    /// <param name="chain">The payer's chain of the key log, all pages in order; null for none.</param>
    public async Task CheckAsync(
        ReceiptView view, NoteVerifier? known, LogFiles? log, IReadOnlyList<KeyChainReply>? chain,
        CancellationToken cancellationToken)
    {
        var verifier = known;
        if (verifier is null && !NoteVerifier.TryParse(view.VerifierKey, out verifier))
        {
            verdict.Fail("The key that the receipt names is none.");
            return;
        }

        var rejection = ReceiptChecks.Open(view, verifier, out var receipt);
        if (receipt is null)
        {
            verdict.Fail($"The receipt is no good: {Sentence(rejection)}.");
            return;
        }

        if (known is null)
        {
            verdict.Leave(
                $"It is signed with the key that it names itself, {verifier}. Whether that is the ledger's, --key has to say: "
                + "ask somebody whom the one who gave you this receipt cannot have asked.");
        }
        else
        {
            verdict.Say($"The ledger {receipt.Origin} signed it, with the key that was named.");
        }

        Describe(receipt, view);
        Judge(
            ReceiptChecks.CheckParties(receipt),
            "The ledger accounts that the money left and went to are those of the two.");
        Judge(
            ReceiptChecks.CheckTerms(receipt), "It is what the card's terms say: these people, this asset, this amount.");
        CheckWord(receipt, chain);
        await CheckSealAsync(receipt, view.Seal, verifier, log, cancellationToken);
    }

    private static string Sentence(ReceiptRejection rejection) => rejection switch
    {
        ReceiptRejection.Malformed => "what was signed is no receipt",
        ReceiptRejection.LedgerOther => "it is of another ledger, or names another key than that ledger's",
        ReceiptRejection.SignatureInvalid => "the ledger did not sign it, or it was changed after that",
        ReceiptRejection.WordsOther => "what it says in words is not what was signed",
        ReceiptRejection.PartiesOther =>
            "the ledger accounts that the money left and went to are not those of payer and payee",
        ReceiptRejection.TermsOther => "the card's terms say something else: another card, asset, amount or other people",
        ReceiptRejection.Unauthorised => "no device of the payer's signed for it",
        ReceiptRejection.StatementOther => "what the payer's device signed is of another payer, card or other details",
        ReceiptRejection.StatementElsewhere => "what the payer's device signed let another transfer happen",
        ReceiptRejection.StatementExceeded => "more money moved than the payer's device signed for",
        ReceiptRejection.DeviceSignatureInvalid => "the signature is not that device's",
        ReceiptRejection.CheckpointInvalid => "the checkpoint is not the ledger log's",
        ReceiptRejection.NotIncluded => "the proof does not lead to what the checkpoint has, so the log does not have it there",
        _ => rejection.ToString(),
    };

    private void Judge(ReceiptRejection rejection, string sentence) => verdict.Judge(
        rejection == ReceiptRejection.None, sentence, $"This does not hold: {Sentence(rejection)}.");

    private void Describe(PaymentReceipt receipt, ReceiptView view)
    {
        var money = receipt.Transfer.Money;
        var how = receipt.Transfer.Kind == TransferKind.Refund ? "gave back" : "paid";
        verdict.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"It says: account {receipt.Payer} {how} {money.ToDecimalText(receipt.Exponent)} {money.Asset} to account "
            + $"{receipt.Payee}, on {receipt.Transfer.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff} UTC, by transfer "
            + $"{receipt.Transfer.Id}, for card {view.Card} ({view.CardKind}) in conversation {view.Conversation}."));
        verdict.Note(
            $"What the card was for is encrypted; whoever has its details can compare them with {Hex(receipt.DetailCommit)}.");
    }

    private void CheckWord(PaymentReceipt receipt, IReadOnlyList<KeyChainReply>? chain)
    {
        var rejection = ReceiptChecks.CheckWord(receipt);
        if (rejection != ReceiptRejection.None)
        {
            verdict.Fail($"The payer's word does not hold: {Sentence(rejection)}.");
            return;
        }

        var (word, said) = (receipt.Word!, DebitWord.TryRead(receipt.Word!.Statement)!);
        var most = Money.Of(said.AmountMinor, receipt.Transfer.Money.Asset);
        verdict.Say(
            $"Device {said.Device}, with key {Hex(word.DeviceKey)}, signed for exactly this: these terms and details, this "
            + $"action ({said.Action}), up to {most.ToDecimalText(receipt.Exponent)} {most.Asset}.");
        if (chain is null)
        {
            verdict.Note("Nothing here links that key to a person: name the payer's chain of the key log with --keys.");
            return;
        }

        CheckChain(receipt.Payer, said.Device, word.DeviceKey, chain);
    }

    private void CheckChain(AccountId payer, DeviceId device, byte[] key, IReadOnlyList<KeyChainReply> pages)
    {
        var chain = new KeyChain(payer);
        string? added = null, revoked = null;
        foreach (var logged in pages.SelectMany(page => page.Entries))
        {
            if (!KeyLogEntry.TryRead(logged.Entry, out var entry, out var rejection)
                || (rejection = chain.Append(entry)) != LogRejection.None)
            {
                verdict.Fail(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The chain that was named is not the payer's: entry {chain.Length} is no good, "
                    + $"{Notes.Sentence(rejection)}."));
                return;
            }

            if (entry.Type == KeyLogEntryType.DeviceAdded && entry.Device == device && entry.NewKey.SequenceEqual(key))
            {
                added = string.Create(CultureInfo.InvariantCulture, $"entry {entry.Sequence}");
            }
            else if (added is not null && revoked is null && !chain.Devices.ContainsKey(device))
            {
                revoked = string.Create(CultureInfo.InvariantCulture, $", and revoked by entry {entry.Sequence}");
            }
        }

        if (verdict.Judge(
            added is not null,
            $"That device, with this key, was added to the payer's chain by {added}{revoked}.",
            "The payer's chain has never had that device with this key: somebody else may have signed."))
        {
            verdict.Say(
                $"The chain's identity key is {Hex(chain.IdentityKey)} now: compare it, or the safety number, with the payer.");
            verdict.Note("Whether the chain is in the key log, chatpay-verify chain tells.");
        }
    }

    private async Task CheckSealAsync(
        PaymentReceipt receipt, ReceiptSeal? seal, NoteVerifier verifier, LogFiles? log, CancellationToken cancellationToken)
    {
        var rejection = ReceiptChecks.CheckSeal(receipt, seal, verifier, out var checkpoint);
        if (rejection == ReceiptRejection.NotSealed)
        {
            verdict.Leave("The ledger log had not taken it in yet when this was made: ask the server for the receipt again.");
        }

        if (checkpoint is null)
        {
            if (rejection != ReceiptRejection.NotSealed)
            {
                verdict.Fail($"The ledger log's proof does not hold: {Sentence(rejection)}.");
            }

            return;
        }

        verdict.Say(string.Create(
            CultureInfo.InvariantCulture,
            $"The ledger log has it at place {seal!.Index}, by a checkpoint of {checkpoint.Size:N0} transfers that its key "
            + $"signed."));
        if (log is null)
        {
            verdict.Note("Whether others are shown the same log, a copy of it tells that somebody else fetched: --log.");
            return;
        }

        await CompareAsync(checkpoint, verifier, log, cancellationToken);
    }

    /// <summary>Whether a copy of the log goes on from the receipt's checkpoint.</summary>
    private async Task CompareAsync(
        Checkpoint checkpoint, NoteVerifier verifier, LogFiles files, CancellationToken cancellationToken)
    {
        if (await files.ReadAsync(LogFiles.CheckpointName, cancellationToken) is not { } note)
        {
            throw new UnreadableException("The log that was named has no checkpoint.");
        }

        if (Notes.Open(note, verifier, "The named log's checkpoint", verdict) is not { } copy)
        {
            return;
        }

        if (copy.Size < checkpoint.Size)
        {
            verdict.Leave("The log that was named is older than the receipt's checkpoint: fetch it again.");
            return;
        }

        var proof = copy.Size == checkpoint.Size
            ? [] : await files.ProveAsync(checkpoint.Size, copy.Size, cancellationToken);
        verdict.Judge(
            ConsistencyProof.Verify(checkpoint.Size, copy.Size, checkpoint.Root, copy.Root, proof) == LogRejection.None,
            "The log that was named goes on from the receipt's checkpoint: it has the transfer at the same place.",
            "The log that was named does not go on from the receipt's checkpoint: two histories were signed. Keep both, they "
            + "prove it to anybody.");
    }

    private static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);
}
