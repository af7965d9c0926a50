using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>What a transfer row does; numbers are stored.</summary>
public enum TransferKind
{
    /// <summary>Debit to credit at once.</summary>
    Transfer = 1,

    /// <summary>Sets money of the debit account aside.</summary>
    Hold = 2,

    /// <summary>Pays some or all of a hold out to a credit account.</summary>
    Capture = 3,

    /// <summary>Gives what remains of a hold back.</summary>
    Release = 4,

    /// <summary>As release, once the hold's time is up.</summary>
    Expire = 5,
}

/// <summary>Who and what made a transfer happen, kept with it.</summary>
public readonly record struct TransferCause(AccountId? Actor = null, CardId? Card = null);

/// <summary>
/// One movement of money to decide. Made by the static methods, one per kind, so that a command has exactly the parts
/// its kind needs.
/// </summary>
public sealed record LedgerCommand
{
    private LedgerCommand()
    {
    }

    public required TransferId Id { get; init; }

    public required TransferKind Kind { get; init; }

    /// <summary>The paying account; of a hold and what follows it: the account that holds.</summary>
    public required LedgerAccountId Debit { get; init; }

    /// <summary>The receiving account of a transfer or capture.</summary>
    public LedgerAccountId? Credit { get; private init; }

    public required AssetCode Asset { get; init; }

    /// <summary>Zero for release and expire, which move what remains.</summary>
    public AmountMinor Amount { get; private init; }

    /// <summary>The hold that a capture, release or expire acts on.</summary>
    public TransferId? HoldId { get; private init; }

    /// <summary>How long a new hold waits, from the deciding clock on, so that a retry is the same command.</summary>
    public int LifetimeSeconds { get; private init; }

    public required TransferCause Cause { get; init; }

    public static LedgerCommand Transfer(
        TransferId id, LedgerAccountId debit, LedgerAccountId credit, Money money,
        TransferCause cause = default) => new()
        {
            Id = id,
            Kind = TransferKind.Transfer,
            Debit = debit,
            Credit = credit,
            Asset = money.Asset,
            Amount = money.Amount,
            Cause = cause,
        };

    public static LedgerCommand Hold(
        TransferId id, LedgerAccountId debit, Money money, int lifetimeSeconds, TransferCause cause = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(lifetimeSeconds);
        return new()
        {
            Id = id,
            Kind = TransferKind.Hold,
            Debit = debit,
            Asset = money.Asset,
            Amount = money.Amount,
            LifetimeSeconds = lifetimeSeconds,
            Cause = cause,
        };
    }

    public static LedgerCommand Capture(
        TransferId id, TransferId hold, LedgerAccountId debit, LedgerAccountId credit, Money money,
        TransferCause cause = default) => new()
        {
            Id = id,
            Kind = TransferKind.Capture,
            Debit = debit,
            Credit = credit,
            Asset = money.Asset,
            Amount = money.Amount,
            HoldId = hold,
            Cause = cause,
        };

    public static LedgerCommand Release(
        TransferId id, TransferId hold, LedgerAccountId debit, AssetCode asset, TransferCause cause = default) => new()
        {
            Id = id,
            Kind = TransferKind.Release,
            Debit = debit,
            Asset = asset,
            HoldId = hold,
            Cause = cause,
        };

    public static LedgerCommand Expire(
        TransferId id, TransferId hold, LedgerAccountId debit, AssetCode asset, TransferCause cause = default) => new()
        {
            Id = id,
            Kind = TransferKind.Expire,
            Debit = debit,
            Asset = asset,
            HoldId = hold,
            Cause = cause,
        };

    /// <summary>SHA-256 over every part but the id: tells a retry from another command under the same id.</summary>
    public PayloadHash HashPayload()
    {
        const int Fixed = 1 + (16 * 3) + (17 * 2) + 8 + 4;
        Span<byte> buffer = stackalloc byte[Fixed + AssetCode.MaxChars];
        buffer[0] = (byte)Kind;
        Write(Debit.Value, buffer[1..]);
        Write(Credit?.Value ?? Guid.Empty, buffer[17..]);
        Write(HoldId?.Value ?? Guid.Empty, buffer[33..]);
        WriteOptional(Cause.Actor?.Value, buffer[49..]);
        WriteOptional(Cause.Card?.Value, buffer[66..]);
        BinaryPrimitives.WriteInt64BigEndian(buffer[83..], Amount.Value);
        BinaryPrimitives.WriteInt32BigEndian(buffer[91..], LifetimeSeconds);
        var length = Fixed + Encoding.ASCII.GetBytes(Asset.Value, buffer[Fixed..]);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(buffer[..length], digest);
        return PayloadHash.From(digest);
    }

    private static void Write(Guid id, Span<byte> destination) => id.TryWriteBytes(destination, bigEndian: true, out _);

    private static void WriteOptional(Guid? id, Span<byte> destination)
    {
        destination[0] = id is null ? (byte)0 : (byte)1;
        Write(id ?? Guid.Empty, destination[1..]);
    }
}

/// <summary>A SHA-256 value that compares by value and costs no allocation.</summary>
public readonly record struct PayloadHash(UInt128 High, UInt128 Low)
{
    public const int Bytes = 32;

    public static PayloadHash From(ReadOnlySpan<byte> digest) => digest.Length == Bytes
        ? new(BinaryPrimitives.ReadUInt128BigEndian(digest), BinaryPrimitives.ReadUInt128BigEndian(digest[16..]))
        : throw new ArgumentException("A payload hash has 32 bytes.", nameof(digest));

    public byte[] ToArray()
    {
        var digest = new byte[Bytes];
        BinaryPrimitives.WriteUInt128BigEndian(digest, High);
        BinaryPrimitives.WriteUInt128BigEndian(digest.AsSpan(16), Low);
        return digest;
    }
}
