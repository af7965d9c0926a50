using System.Text;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Core.Receipts;

/// <summary>What a device of the payer's signed, with what checks it.</summary>
/// <param name="Statement">The encoding of docs/PROTOCOL.md, section Authorisation.</param>
/// <param name="Signature">64 bytes.</param>
/// <param name="DeviceKey">Ed25519, 32 bytes.</param>
public sealed record ReceiptWord(byte[] Statement, byte[] Signature, byte[] DeviceKey);

/// <summary>
/// What the ledger signs of one movement of a card's money: the transfer, whose it was, the card's terms, and the payer's word
/// that let it happen. Whoever has it needs nobody's help to check it, and nobody can make one up: not a client, for the ledger
/// signs it, and not the server, for the payer's device signed what is in it.
/// </summary>
/// <param name="Origin">Of the ledger log.</param>
/// <param name="Exponent">Decimals of one unit of the asset, 0 to <see cref="Asset.ExponentMax"/>.</param>
/// <param name="DetailCommit">32 bytes.</param>
/// <param name="Terms">The encoding of the card's terms.</param>
/// <param name="Word">Null for what was paid before payers' devices signed.</param>
public sealed record PaymentReceipt(
    string Origin, SealedTransfer Transfer, int Exponent, AccountId Payer, AccountId Payee, byte[] DetailCommit, byte[] Terms,
    ReceiptWord? Word)
{
    /// <summary>Bytes of an Ed25519 signature.</summary>
    public const int SignatureSize = 64;

    private const byte EncodingVersion = 1;
    private const int DeviceKeySize = 32;

    private static ReadOnlySpan<byte> Label => "chatpay receipt v1"u8;

    /// <summary>
    /// The canonical encoding of docs/PROTOCOL.md, section Receipts: "chatpay receipt v1" ‖ 0x01 ‖ length (2) ‖ origin ‖
    /// length (2) ‖ transfer ‖ exponent (1) ‖ payer (16) ‖ payee (16) ‖ detail commitment (32) ‖ length (2) ‖ terms ‖ 0x00, or
    /// 0x01 ‖ length (2) ‖ statement ‖ its signature (64) ‖ device's key (32).
    /// </summary>
    public byte[] Encode()
    {
        var writer = new EncodingWriter()
            .Bytes(Label).Byte(EncodingVersion).Counted(Encoding.UTF8.GetBytes(Origin)).Counted(Transfer.Encode())
            .Byte((byte)Exponent).Id(Payer.Value).Id(Payee.Value).Bytes(DetailCommit).Counted(Terms)
            .Byte(Word is null ? (byte)0 : (byte)1);
        return (Word is null ? writer
            : writer.Counted(Word.Statement).Bytes(Word.Signature).Bytes(Word.DeviceKey)).ToArray();
    }

    /// <summary>Reads an encoding; there is one for each receipt.</summary>
    /// <returns>Null for what is none.</returns>
    public static PaymentReceipt? TryRead(ReadOnlySpan<byte> bytes)
    {
        var reader = new EncodingReader(bytes);
        reader.Take(Label.Length + 1);
        var origin = Encoding.UTF8.GetString(reader.Counted());
        var transfer = SealedTransfer.TryRead(reader.Counted());
        var (exponent, payer, payee) = (reader.Byte(), reader.Id(), reader.Id());
        var (commit, terms) = (reader.Take(Limits.DetailCommitBytes).ToArray(), reader.Counted().ToArray());
        var word = reader.Byte() == 0 ? null : new ReceiptWord(
            reader.Counted().ToArray(), reader.Take(SignatureSize).ToArray(), reader.Take(DeviceKeySize).ToArray());
        if (!reader.IsComplete || transfer is null || exponent > Asset.ExponentMax)
        {
            return null;
        }

        var receipt = new PaymentReceipt(origin, transfer, exponent, new(payer), new(payee), commit, terms, word);
        return bytes.SequenceEqual(receipt.Encode()) ? receipt : null;
    }

    /// <summary>Signs it, and says in words what it says.</summary>
    /// <param name="ledger">Of the log that <see cref="Origin"/> names, with the key that signs it.</param>
    /// <param name="key">That key.</param>
    /// <exception cref="InvalidOperationException">The terms or the statement are none: a bug, they were checked.</exception>
    public ReceiptView Sign(NoteVerifier ledger, Key key, ReceiptSeal? seal)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        var encoding = Encode();
        return InWords(ledger, encoding, SignatureAlgorithm.Ed25519.Sign(key, encoding), seal)
            ?? throw new InvalidOperationException($"Transfer {Transfer.Id} cannot have a receipt.");
    }

    /// <returns>Null where terms or statement are none.</returns>
    internal ReceiptView? InWords(NoteVerifier ledger, byte[] encoding, byte[] signature, ReceiptSeal? seal)
    {
        if (TermsHead.TryRead(Terms) is not { } terms || Transfer.Card is not { } card)
        {
            return null;
        }

        ReceiptAuthorisation? authorisation = null;
        if (Word is not null)
        {
            if (DebitWord.TryRead(Word.Statement) is not { } said)
            {
                return null;
            }

            authorisation = new(said.Device, Word.DeviceKey, said.Action, said.AmountMinor, said.ExpiresAt);
        }

        return new ReceiptView(
            Transfer.Id.Value, Transfer.Kind, card, terms.Kind, terms.Conversation, Payer, Payee,
            Transfer.Money.Amount.Value, Transfer.Money.Asset.Value, Exponent, Transfer.At, DetailCommit, authorisation, Origin,
            encoding, ledger.ToString(), signature, seal);
    }
}
