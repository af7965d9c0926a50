using System.Text.Json.Serialization;
using ChatPay.Core.Ledger;

namespace ChatPay.Core.Protocol;

/// <summary><c>GET /v1/cards/{id}/receipts?after=&amp;limit=</c>: those that concern the caller, by transfer.</summary>
/// <param name="After">Cursor of the next page, or null at the end.</param>
public sealed record ReceiptsPage(IReadOnlyList<ReceiptView> Receipts, Guid? After);

/// <summary>
/// <c>GET /v1/receipts/{transfer}</c>: the ledger's word that money of a card moved, and what lets anybody check it without
/// asking a server. All but the last four members say what <paramref name="Receipt"/> says, in words.
/// </summary>
/// <param name="Transfer">The movement.</param>
/// <param name="Kind">How the ledger moved it.</param>
/// <param name="Exponent">Decimals of one unit of the asset.</param>
/// <param name="At">When the ledger decided it.</param>
/// <param name="DetailCommit">What binds the card's encrypted details, 32 bytes.</param>
/// <param name="Authorisation">The payer's device's word; null for what was paid before there was one.</param>
/// <param name="Origin">Of the ledger log.</param>
/// <param name="Receipt">docs/PROTOCOL.md, section Receipts: the bytes that are signed.</param>
/// <param name="VerifierKey">
/// The ledger log's key in C2SP signed-note's way of writing one, for convenience: a reader compares it with the one they know.
/// </param>
/// <param name="Signature">Ed25519 by that key, 64 bytes.</param>
/// <param name="Seal">Its place in the ledger log; null where the log has not taken it in yet: ask again.</param>
public sealed record ReceiptView(
    Guid Transfer, TransferKind Kind, CardId Card, CardKind CardKind, ConversationId Conversation, AccountId Payer,
    AccountId Payee,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor,
    string Asset, int Exponent, DateTimeOffset At, byte[] DetailCommit, ReceiptAuthorisation? Authorisation, string Origin,
    byte[] Receipt, string VerifierKey, byte[] Signature, ReceiptSeal? Seal = null);

/// <summary>What a device of the payer's signed.</summary>
/// <param name="Device">Of the payer's.</param>
/// <param name="DeviceKey">Ed25519, 32 bytes: the one that the payer's chain of the key log has for it.</param>
/// <param name="Action">What the payer did to the card.</param>
/// <param name="AmountMinor">The most that was let go.</param>
/// <param name="ExpiresAt">Until when it counted.</param>
public sealed record ReceiptAuthorisation(
    DeviceId Device, byte[] DeviceKey, CardActionKind Action,
    [property: JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    long AmountMinor,
    DateTimeOffset ExpiresAt);

/// <summary>Where a transfer is in the ledger log.</summary>
/// <param name="Salt">32 bytes: with it the transfer makes the log's leaf.</param>
/// <param name="Index">The leaf's place.</param>
/// <param name="Proof">Inclusion proof, 32 bytes each.</param>
/// <param name="Checkpoint">The signed note of the log's size and root, against which the proof is.</param>
public sealed record ReceiptSeal(byte[] Salt, long Index, IReadOnlyList<byte[]> Proof, string Checkpoint);
