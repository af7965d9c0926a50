using System.Text;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Core.Receipts;

/// <summary>Whether a receipt holds, step by step: each step takes what the steps before it have found right.</summary>
public static class ReceiptChecks
{
    /// <summary>All steps.</summary>
    /// <param name="ledger">The ledger log's key as the reader knows it, not as the receipt names it.</param>
    /// <param name="receipt">What was signed; null unless all but the seal holds.</param>
    /// <returns>
    /// The first that does not hold; <see cref="ReceiptRejection.NotSealed"/> where only the log's proof is yet to come.
    /// </returns>
    public static ReceiptRejection Verify(ReceiptView view, NoteVerifier ledger, out PaymentReceipt? receipt)
    {
        var rejection = Open(view, ledger, out var read);
        if (read is not null)
        {
            rejection = FirstOf(() => CheckParties(read), () => CheckTerms(read), () => CheckWord(read));
        }

        receipt = rejection == ReceiptRejection.None ? read : null;
        return receipt is null ? rejection : CheckSeal(receipt, view.Seal, ledger, out _);
    }

    /// <summary>Whether the ledger signed it, and the words say what was signed.</summary>
    public static ReceiptRejection Open(ReceiptView view, NoteVerifier ledger, out PaymentReceipt? receipt)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(ledger);
        receipt = null;
        if (PaymentReceipt.TryRead(view.Receipt) is not { } read)
        {
            return ReceiptRejection.Malformed;
        }

        if (read.Origin != ledger.Name || view.VerifierKey != ledger.ToString())
        {
            return ReceiptRejection.LedgerOther;
        }

        if (!SignatureAlgorithm.Ed25519.Verify(ledger.Key, view.Receipt, view.Signature))
        {
            return ReceiptRejection.SignatureInvalid;
        }

        if (read.InWords(ledger, view.Receipt, view.Signature, view.Seal) is not { } words)
        {
            return ReceiptRejection.Malformed;
        }

        if (!IsSame(words, view))
        {
            return ReceiptRejection.WordsOther;
        }

        receipt = read;
        return ReceiptRejection.None;
    }

    /// <summary>Whether the ledger accounts are those of payer and payee.</summary>
    public static ReceiptRejection CheckParties(PaymentReceipt receipt)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        var (transfer, asset) = (receipt.Transfer, receipt.Transfer.Money.Asset);
        return transfer.Kind.HasCredit() && receipt.Payer != receipt.Payee
            && transfer.Debit == LedgerAccountId.Of(receipt.Payer, asset)
            && transfer.Credit == LedgerAccountId.Of(receipt.Payee, asset)
                ? ReceiptRejection.None : ReceiptRejection.PartiesOther;
    }

    /// <summary>
    /// Whether the movement is one that the card's terms allow: people whom they name, its asset, no more money than they say,
    /// and where it settles a transfer or request, neither less. A refund goes the other way.
    /// </summary>
    public static ReceiptRejection CheckTerms(PaymentReceipt receipt)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        var transfer = receipt.Transfer;
        var isRefund = transfer.Kind == TransferKind.Refund;
        var (payer, payee) = isRefund ? (receipt.Payee, receipt.Payer) : (receipt.Payer, receipt.Payee);
        return TermsHead.TryRead(receipt.Terms) is { } terms && transfer.Card == terms.Card
            && transfer.Money.Asset.Value == terms.Asset && transfer.Money.Amount.Value <= terms.AmountMinor
            && IsNamed(terms.Payer, payer) && IsNamed(terms.Payee, payee)
            && (isRefund || terms.Kind is not (CardKind.Transfer or CardKind.Request)
                || transfer.Money.Amount.Value == terms.AmountMinor)
                ? ReceiptRejection.None : ReceiptRejection.TermsOther;
    }

    /// <summary>
    /// Whether the payer's device let exactly this happen. The statement names its own transfer by payer and nonce: this one, or
    /// the opening of the hold that it was paid from; what gave a mandate lets every draw on that card happen. That the device is
    /// the payer's stands in the payer's chain of the key log.
    /// </summary>
    public static ReceiptRejection CheckWord(PaymentReceipt receipt)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        if (receipt.Word is not { } word)
        {
            return ReceiptRejection.Unauthorised;
        }

        if (DebitWord.TryRead(word.Statement) is not { } said || said.Payer != receipt.Payer
            || !said.Terms.AsSpan().SequenceEqual(receipt.Terms)
            || !said.DetailCommit.AsSpan().SequenceEqual(receipt.DetailCommit))
        {
            return ReceiptRejection.StatementOther;
        }

        var let = TransferId.OfCardAction(said.Payer, said.Nonce);
        var isOfThis = let == receipt.Transfer.Id || let == receipt.Transfer.Hold || IsMandate(receipt, said);
        return !isOfThis ? ReceiptRejection.StatementElsewhere
            : said.AmountMinor < receipt.Transfer.Money.Amount.Value ? ReceiptRejection.StatementExceeded
            : DebitWord.IsSigned(word.Statement, word.DeviceKey, word.Signature) ? ReceiptRejection.None
            : ReceiptRejection.DeviceSignatureInvalid;
    }

    /// <summary>Whether the transfer is in the ledger log, by a checkpoint that the log's key signed.</summary>
    /// <param name="checkpoint">Null unless it holds.</param>
    public static ReceiptRejection CheckSeal(
        PaymentReceipt receipt, ReceiptSeal? seal, NoteVerifier ledger, out Checkpoint? checkpoint)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        ArgumentNullException.ThrowIfNull(ledger);
        checkpoint = null;
        if (seal is null)
        {
            return ReceiptRejection.NotSealed;
        }

        if (Checkpoint.Open(Encoding.UTF8.GetBytes(seal.Checkpoint), ledger.Name, ledger, out var read)
            != LogRejection.None)
        {
            return ReceiptRejection.CheckpointInvalid;
        }

        if (LeafHash(receipt, seal) is not { } leaf
            || InclusionProof.Verify(seal.Index, read!.Size, leaf, seal.Proof, read.Root) != LogRejection.None)
        {
            return ReceiptRejection.NotIncluded;
        }

        checkpoint = read;
        return ReceiptRejection.None;
    }

    /// <summary>What the log's tree has at the seal's place; null where the salt is none.</summary>
    public static byte[]? LeafHash(PaymentReceipt receipt, ReceiptSeal seal)
    {
        ArgumentNullException.ThrowIfNull(receipt);
        ArgumentNullException.ThrowIfNull(seal);
        return seal.Salt.Length == SealedTransfer.SaltSize
            ? MerkleHash.Leaf(receipt.Transfer.Leaf(seal.Salt)) : null;
    }

    /// <summary>How much was drawn in a period, and until when, is between the ledger and the statement.</summary>
    private static bool IsMandate(PaymentReceipt receipt, DebitWord said) =>
        said.Action == CardActionKind.Post && receipt.Transfer.Kind != TransferKind.Refund
        && TermsHead.TryRead(receipt.Terms) is { Kind: CardKind.Mandate };

    private static bool IsNamed(AccountId named, AccountId account) => named.Value == Guid.Empty || named == account;

    private static bool IsSame(ReceiptView a, ReceiptView b) =>
        a == b with
        {
            DetailCommit = a.DetailCommit,
            Authorisation = a.Authorisation,
            Receipt = a.Receipt,
            Signature = a.Signature,
            Seal = a.Seal,
        }
        && a.DetailCommit.AsSpan().SequenceEqual(b.DetailCommit) && IsSame(a.Authorisation, b.Authorisation);

    private static bool IsSame(ReceiptAuthorisation? a, ReceiptAuthorisation? b) =>
        a is null || b is null ? a is null && b is null
        : a == b with { DeviceKey = a.DeviceKey } && a.DeviceKey.AsSpan().SequenceEqual(b.DeviceKey);

    private static ReceiptRejection FirstOf(params ReadOnlySpan<Func<ReceiptRejection>> checks)
    {
        foreach (var check in checks)
        {
            if (check() is var rejection and not ReceiptRejection.None)
            {
                return rejection;
            }
        }

        return ReceiptRejection.None;
    }
}
