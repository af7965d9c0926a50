using System.Buffers.Binary;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>What the kinds' plans may say, and how they are encoded after the other terms.</summary>
public static class CardPlans
{
    /// <summary>Whether a plan is one that the kind can have; null where it is.</summary>
    public static Error? Check(CardTerms terms)
    {
        ArgumentNullException.ThrowIfNull(terms);
        var plan = terms.Plan;
        var flaw = terms.Kind switch
        {
            CardKind.Transfer => plan is null || plan == new CardPlan(Delivery: plan.Delivery) && IsKnown(plan.Delivery)
                ? null : "A transfer's plan says when it arrives, and nothing else.",
            CardKind.Request => plan is null ? null : "A request has no plan.",
            CardKind.Split => CheckSplit(terms),
            CardKind.Packet => CheckPacket(terms),
            CardKind.Mandate => plan is not null && plan == new CardPlan(Period: plan.Period) && IsKnown(plan.Period)
                ? null : "A mandate's plan is its period, and nothing else.",
            _ => "This server does not know this kind of card.",
        };
        return flaw is null ? null : new Error(ErrorCode.CardPlanInvalid, flaw);
    }

    /// <summary>
    /// Bytes after the asset: of a transfer with a plan delivery (1); of a split own part (8) ‖ count (2) ‖ per share
    /// account (16) ‖ amount (8); of a packet mode (1) ‖ count (4); of a mandate period (1); of others none.
    /// </summary>
    internal static byte[] Encode(CardKind kind, CardPlan? plan) => (kind, plan) switch
    {
        (CardKind.Transfer, { Delivery: { } delivery }) => [(byte)delivery],
        (CardKind.Split, { Shares: { } shares }) => EncodeSplit(plan.OwnMinor ?? 0, shares),
        (CardKind.Packet, { Packet: { } mode }) => [(byte)mode, .. Bytes(plan.Count ?? 0)],
        (CardKind.Mandate, { Period: { } period }) => [(byte)period],
        _ => [],
    };

    private static byte[] EncodeSplit(long own, IReadOnlyList<CardShare> shares)
    {
        const int Head = sizeof(long) + sizeof(ushort);
        const int Share = 16 + sizeof(long);
        var bytes = new byte[Head + (shares.Count * Share)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, own);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(sizeof(long)), (ushort)shares.Count);
        for (var index = 0; index < shares.Count; index++)
        {
            var place = bytes.AsSpan(Head + (index * Share));
            shares[index].Account.Value.TryWriteBytes(place, bigEndian: true, out _);
            BinaryPrimitives.WriteInt64BigEndian(place[16..], shares[index].AmountMinor);
        }

        return bytes;
    }

    private static string? CheckSplit(CardTerms terms)
    {
        if (terms.Plan is not { Shares: { Count: > 0 and <= Limits.SplitShares } shares, OwnMinor: >= 0 and var own } plan
            || own > Limits.AmountMaxMinor
            || plan != new CardPlan(Shares: shares, OwnMinor: own))
        {
            return $"A split asks 1 to {Limits.SplitShares} people, and says what its author bears.";
        }

        if (terms.Payer != CardTerms.Nobody)
        {
            return "A split has no single payer.";
        }

        var people = new HashSet<AccountId> { terms.Payee, CardTerms.Nobody };
        Int128 sum = 0;
        foreach (var share in shares)
        {
            if (share is null || share.AmountMinor is <= 0 or > Limits.AmountMaxMinor || !people.Add(share.Account))
            {
                return "A split asks each person once, for more than nothing, and not its author.";
            }

            sum += share.AmountMinor;
        }

        return sum == terms.Money.Amount.Value ? null : "The shares do not add up to the amount.";
    }

    private static string? CheckPacket(CardTerms terms)
    {
        if (terms.Plan is not { Packet: { } mode, Count: >= 1 and <= Limits.PacketShares and var count } plan
            || !Enum.IsDefined(mode) || plan != new CardPlan(Packet: mode, Count: count))
        {
            return $"A packet has 1 to {Limits.PacketShares} shares, fixed or by chance.";
        }

        return terms.Money.Amount.Value < count ? "Each share of a packet has at least one unit."
            : terms.Payee != CardTerms.Nobody && count != 1 ? "A packet for one person has one share."
            : null;
    }

    private static bool IsKnown(CardDelivery? delivery) => delivery is CardDelivery.AtOnce or CardDelivery.Delayed;

    private static bool IsKnown(MandatePeriod? period) => period is { } named && Enum.IsDefined(named);

    private static byte[] Bytes(int number)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32BigEndian(bytes, number);
        return bytes;
    }
}
