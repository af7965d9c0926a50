using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Receipts;

/// <summary>
/// An applied transfer as the ledger log seals it: everything that was decided about it. The versions of the accounts are not
/// in it, because they tell one side how much the other one does; they follow from the entries, which are checked with them.
/// </summary>
/// <param name="Credit">Null for what pays nobody: a hold, a release, an expiry.</param>
/// <param name="Hold">The hold that it acts on, where it does.</param>
/// <param name="RefundOf">Of a refund: what it gives back.</param>
/// <param name="At">To the microsecond, as the ledger keeps it.</param>
/// <param name="Payload">What was asked for, as the ledger hashes it.</param>
public sealed record SealedTransfer(
    TransferId Id, TransferKind Kind, LedgerAccountId Debit, LedgerAccountId? Credit, Money Money, TransferId? Hold,
    CardId? Card, AccountId? Actor, TransferId? RefundOf, DateTimeOffset At, PayloadHash Payload)
{
    /// <summary>Bytes of a salt.</summary>
    public const int SaltSize = 32;

    private const byte EncodingVersion = 1;

    private static ReadOnlySpan<byte> Label => "chatpay transfer v1"u8;

    private static ReadOnlySpan<byte> LeafLabel => "chatpay ledger log v1 leaf"u8;

    /// <summary>
    /// The canonical encoding of docs/PROTOCOL.md, section Receipts: "chatpay transfer v1" ‖ 0x01 ‖ id (16) ‖ kind (1) ‖
    /// debit (16) ‖ credit (16) ‖ amount (8) ‖ hold (16) ‖ card (16) ‖ actor (16) ‖ refund of (16) ‖ microseconds since the Unix
    /// epoch (8) ‖ payload hash (32) ‖ length of asset (2) ‖ asset. An id that is not there is zeros.
    /// </summary>
    public byte[] Encode() => new EncodingWriter()
        .Bytes(Label).Byte(EncodingVersion)
        .Id(Id.Value).Byte((byte)Kind).Id(Debit.Value).Id(Credit?.Value).Int64(Money.Amount.Value).Id(Hold?.Value)
        .Id(Card?.Value).Id(Actor?.Value).Id(RefundOf?.Value)
        .Int64((At - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond)
        .Bytes(Payload.ToArray()).Counted(Encoding.ASCII.GetBytes(Money.Asset.Value)).ToArray();

    /// <summary>What stands of it in the ledger log.</summary>
    /// <param name="salt">32 bytes; without them nobody can tell whose it is, by guessing either.</param>
    /// <returns>32 bytes.</returns>
    public byte[] Leaf(ReadOnlySpan<byte> salt) => LeafOf(Encode(), salt);

    /// <summary>As <see cref="Leaf"/>, of an encoding.</summary>
    /// <exception cref="ArgumentException">The salt has another size.</exception>
    public static byte[] LeafOf(ReadOnlySpan<byte> encoding, ReadOnlySpan<byte> salt) => salt.Length == SaltSize
        ? SHA256.HashData([.. LeafLabel, .. salt, .. SHA256.HashData(encoding)])
        : throw new ArgumentException($"A salt has {SaltSize} bytes.", nameof(salt));

    /// <summary>
    /// The salt of a transfer, made of the log's secret: it is shown to those who may see the transfer, and kept nowhere.
    /// </summary>
    /// <param name="saltKey">32 bytes that only the log's keeper has.</param>
    public static byte[] SaltOf(ReadOnlySpan<byte> saltKey, TransferId transfer)
    {
        Span<byte> id = stackalloc byte[EncodingWriter.IdBytes];
        transfer.Value.TryWriteBytes(id, bigEndian: true, out _);
        return HMACSHA256.HashData(saltKey, id);
    }

    /// <summary>Reads an encoding; there is one for each transfer.</summary>
    /// <returns>Null for what is none.</returns>
    public static SealedTransfer? TryRead(ReadOnlySpan<byte> bytes)
    {
        var reader = new EncodingReader(bytes);
        reader.Take(Label.Length + 1);
        var (id, kind, debit, credit) =
            (reader.Id(), (TransferKind)reader.Byte(), reader.Id(), reader.OptionalId());
        var (amount, hold, card, actor, refundOf) =
            (reader.Int64(), reader.OptionalId(), reader.OptionalId(), reader.OptionalId(), reader.OptionalId());
        var (micros, payload) = (reader.Int64(), PayloadHash.From(reader.Take(PayloadHash.Bytes)));
        var code = Encoding.ASCII.GetString(reader.Counted());
        if (!reader.IsComplete || !AssetCode.TryParse(code, out var asset) || !Enum.IsDefined(kind)
            || amount <= 0 || !IsInstant(micros))
        {
            return null;
        }

        var transfer = new SealedTransfer(
            new(id), kind, new(debit), credit is { } payee ? new(payee) : null, Money.Of(amount, asset),
            hold is { } held ? new(held) : null, card is { } of ? new(of) : null, actor is { } by ? new(by) : null,
            refundOf is { } original ? new(original) : null,
            DateTimeOffset.UnixEpoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond), payload);
        return transfer.HasItsParts && bytes.SequenceEqual(transfer.Encode()) ? transfer : null;
    }

    private bool HasItsParts => Kind.HasCredit() == (Credit is not null) && Kind.HasHold() == (Hold is not null)
        && (Kind == TransferKind.Refund) == (RefundOf is not null);

    private static bool IsInstant(long micros) =>
        micros >= 0 && micros <= (DateTimeOffset.MaxValue - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
