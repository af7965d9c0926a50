using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>
/// An account in the ledger: one per owner and asset. The id follows from those two, so that opening an account twice,
/// on two nodes or after a lost reply, is the same act.
/// </summary>
public readonly record struct LedgerAccountId(Guid Value)
{
    /// <summary>
    /// A payment asks for these nine times, of two people. A place keeps whoever was asked for last, so there are never more.
    /// </summary>
    private static readonly Known?[] s_known = new Known?[1 << 14];

    public static LedgerAccountId Of(AccountId owner, AssetCode asset)
    {
        // References are read and written whole: whoever finds another's entry here makes a new one.
        ref var place = ref s_known[HashCode.Combine(owner, asset) & (s_known.Length - 1)];
        if (place is { } known && known.Owner == owner && known.Asset == asset)
        {
            return known.Id;
        }

        var id = Derive(owner, asset);
        place = new(owner, asset, id);
        return id;
    }

    public static LedgerAccountId OfSystem(string name, AssetCode asset) => new(DerivedId.From(
        "chatpay ledger account v1 system", Encoding.ASCII.GetBytes(name), Encoding.ASCII.GetBytes(asset.Value)));

    public override string ToString() => Value.ToString();

    private static LedgerAccountId Derive(AccountId owner, AssetCode asset)
    {
        Span<byte> ownerBytes = stackalloc byte[16];
        owner.Value.TryWriteBytes(ownerBytes, bigEndian: true, out _);
        return new(DerivedId.From("chatpay ledger account v1 owner", ownerBytes, Encoding.ASCII.GetBytes(asset.Value)));
    }

    private sealed record Known(AccountId Owner, AssetCode Asset, LedgerAccountId Id);
}

/// <summary>
/// A transfer: the idempotency key of the ledger. Ids that follow from what caused them make a retry find itself.
/// </summary>
public readonly record struct TransferId(Guid Value)
{
    /// <summary>
    /// The transfer of a card action: one per actor and idempotency key. It takes over the time that a key of version 7
    /// begins with, so that transfers of one time lie together in the index, however many there are.
    /// </summary>
    public static TransferId OfCardAction(AccountId actor, Guid idempotencyKey)
    {
        var derived = OfTwo("chatpay transfer v2 card action", actor.Value, idempotencyKey);
        if (idempotencyKey.Version != 7)
        {
            return new(derived);
        }

        const int TimeBytes = 6;
        Span<byte> key = stackalloc byte[16];
        Span<byte> id = stackalloc byte[16];
        idempotencyKey.TryWriteBytes(key, bigEndian: true, out _);
        derived.TryWriteBytes(id, bigEndian: true, out _);
        key[..TimeBytes].CopyTo(id);
        return new(new Guid(id, bigEndian: true));
    }

    /// <summary>The return of a card's held money when its time is up.</summary>
    public static TransferId OfCardExpiry(CardId card) =>
        new(OfTwo("chatpay transfer v1 card expiry", card.Value, Guid.Empty));

    /// <summary>The play money a new ledger account receives, once.</summary>
    public static TransferId OfSandboxGrant(LedgerAccountId account) =>
        new(OfTwo("chatpay transfer v1 sandbox grant", account.Value, Guid.Empty));

    public override string ToString() => Value.ToString();

    private static Guid OfTwo(string label, Guid first, Guid second)
    {
        Span<byte> firstBytes = stackalloc byte[16];
        Span<byte> secondBytes = stackalloc byte[16];
        first.TryWriteBytes(firstBytes, bigEndian: true, out _);
        second.TryWriteBytes(secondBytes, bigEndian: true, out _);
        return DerivedId.From(label, firstBytes, secondBytes);
    }
}

/// <summary>UUIDs of version 8 (RFC 9562 section 5.8) from SHA-256 over length-prefixed parts.</summary>
internal static class DerivedId
{
    private const int LengthBytes = sizeof(int);
    private const int StackBytes = 256;

    /// <param name="label">ASCII.</param>
    public static Guid From(string label, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        // In one piece: a hash that is fed piece by piece costs several times as much.
        var length = (3 * LengthBytes) + label.Length + first.Length + second.Length;
        var input = length <= StackBytes ? stackalloc byte[length] : new byte[length];
        BinaryPrimitives.WriteInt32BigEndian(input, label.Length);
        var at = LengthBytes + Encoding.ASCII.GetBytes(label, input[LengthBytes..]);
        at += Append(input[at..], first);
        Append(input[at..], second);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(input, digest);
        digest[6] = (byte)((digest[6] & 0x0f) | 0x80);
        digest[8] = (byte)((digest[8] & 0x3f) | 0x80);
        return new Guid(digest[..16], bigEndian: true);
    }

    private static int Append(Span<byte> input, ReadOnlySpan<byte> part)
    {
        BinaryPrimitives.WriteInt32BigEndian(input, part.Length);
        part.CopyTo(input[LengthBytes..]);
        return LengthBytes + part.Length;
    }
}
