using System.Buffers.Binary;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>
/// What a payer's device signs so that money leaves the payer's account: the card's terms and details as that device
/// decrypted them, what is done to the card, how much may be taken, until when, and a nonce that serves once. The ledger takes
/// it for exactly this debit and for no other.
/// </summary>
/// <param name="Payer">Whose account is debited: the holder of the device.</param>
/// <param name="AmountMinor">The most that may leave the account by this action, in minor units of the terms' asset.</param>
/// <param name="Device">Of the payer's, in their chain of the key log.</param>
/// <param name="Nonce">The action's idempotency key, which an account uses for one action only.</param>
/// <param name="ExpiresAt">Seconds since the Unix epoch from which on the ledger refuses it.</param>
public sealed record DebitStatement(
    CardTerms Terms, byte[] DetailCommit, CardActionKind Action, int Version, AccountId Payer, long AmountMinor,
    DeviceId Device, Guid Nonce, long ExpiresAt)
{
    /// <summary>Bytes of an Ed25519 signature.</summary>
    public const int SignatureSize = 64;

    private const byte EncodingVersion = 1;
    private const int IdBytes = 16;

    private static ReadOnlySpan<byte> Label => "chatpay debit v1"u8;

    /// <summary>
    /// The canonical encoding of docs/PROTOCOL.md, section Authorisation: "chatpay debit v1" ‖ 0x01 ‖ payer (16) ‖ device (16) ‖
    /// nonce (16) ‖ action (1) ‖ version (4) ‖ amount (8) ‖ expires at (8) ‖ detail commitment (32) ‖ length of terms (2) ‖
    /// terms.
    /// </summary>
    /// <exception cref="InvalidOperationException">The commitment has another size.</exception>
    public byte[] Encode()
    {
        if (DetailCommit is not { Length: Limits.DetailCommitBytes })
        {
            throw new InvalidOperationException($"A commitment has {Limits.DetailCommitBytes} bytes.");
        }

        var terms = Terms.Encode();
        var bytes = new byte[
            Label.Length + 1 + (3 * IdBytes) + 1 + sizeof(int) + sizeof(long) + sizeof(long) + Limits.DetailCommitBytes
            + sizeof(ushort) + terms.Length];
        var rest = bytes.AsSpan();
        Label.CopyTo(Take(ref rest, Label.Length));
        Take(ref rest, 1)[0] = EncodingVersion;
        Payer.Value.TryWriteBytes(Take(ref rest, IdBytes), bigEndian: true, out _);
        Device.Value.TryWriteBytes(Take(ref rest, IdBytes), bigEndian: true, out _);
        Nonce.TryWriteBytes(Take(ref rest, IdBytes), bigEndian: true, out _);
        Take(ref rest, 1)[0] = (byte)Action;
        BinaryPrimitives.WriteInt32BigEndian(Take(ref rest, sizeof(int)), Version);
        BinaryPrimitives.WriteInt64BigEndian(Take(ref rest, sizeof(long)), AmountMinor);
        BinaryPrimitives.WriteInt64BigEndian(Take(ref rest, sizeof(long)), ExpiresAt);
        DetailCommit.CopyTo(Take(ref rest, Limits.DetailCommitBytes));
        BinaryPrimitives.WriteUInt16BigEndian(Take(ref rest, sizeof(ushort)), (ushort)terms.Length);
        terms.CopyTo(rest);
        return bytes;
    }

    /// <summary>Signs it with the device's signature key.</summary>
    public CardAuthorisation Sign(Key deviceKey) =>
        new(ExpiresAt, SignatureAlgorithm.Ed25519.Sign(deviceKey, Encode()));

    /// <summary>Whether this very statement was signed by a device's key.</summary>
    /// <param name="deviceKey">Ed25519, 32 bytes.</param>
    /// <returns>False for anything else, also for what is no key or no signature.</returns>
    public bool IsSignedBy(ReadOnlySpan<byte> deviceKey, ReadOnlySpan<byte> signature) =>
        SignatureAlgorithm.Ed25519.Verify(deviceKey, Encode(), signature);

    /// <summary>Reads a statement that was signed for a card.</summary>
    /// <param name="terms">Of the card that it must be for.</param>
    /// <param name="detailCommit">Likewise.</param>
    /// <returns>Null for what is no statement, or one of another card.</returns>
    public static DebitStatement? TryRead(ReadOnlySpan<byte> bytes, CardTerms terms, byte[] detailCommit)
    {
        var rest = bytes;
        if (bytes.Length < Label.Length + 1 + (3 * IdBytes) + 1 + sizeof(int) + sizeof(long) + sizeof(long)
            || !Take(ref rest, Label.Length + 1).StartsWith(Label))
        {
            return null;
        }

        var (payer, device, nonce) = (Id(ref rest), Id(ref rest), Id(ref rest));
        var action = (CardActionKind)Take(ref rest, 1)[0];
        var version = BinaryPrimitives.ReadInt32BigEndian(Take(ref rest, sizeof(int)));
        var amount = BinaryPrimitives.ReadInt64BigEndian(Take(ref rest, sizeof(long)));
        var expiresAt = BinaryPrimitives.ReadInt64BigEndian(Take(ref rest, sizeof(long)));
        var statement = new DebitStatement(
            terms, detailCommit, action, version, new(payer), amount, new(device), nonce, expiresAt);
        return bytes.SequenceEqual(statement.Encode()) ? statement : null;

        static Guid Id(ref ReadOnlySpan<byte> rest) => new(Take(ref rest, IdBytes), bigEndian: true);
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> rest, int size)
    {
        var taken = rest[..size];
        rest = rest[size..];
        return taken;
    }

    private static Span<byte> Take(ref Span<byte> rest, int size)
    {
        var taken = rest[..size];
        rest = rest[size..];
        return taken;
    }
}
