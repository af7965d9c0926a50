using System.Security.Cryptography;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Cards;

/// <summary>The parts of splits and packets as a client puts them together: events tell of those that changed.</summary>
public static class CardParts
{
    /// <summary>What is known with what has come, by place.</summary>
    public static IReadOnlyList<CardPart>? Merge(IReadOnlyList<CardPart>? known, IReadOnlyList<CardPart>? news)
    {
        if (known is null || news is null)
        {
            return known ?? news;
        }

        var parts = ByAccount(known);
        foreach (var part in news)
        {
            if (!parts.TryGetValue(part.Account, out var before) || before.State == CardState.Open)
            {
                parts[part.Account] = part;
            }
        }

        return [.. parts.Values.OrderBy(part => part.Place)];
    }

    /// <summary>A later view of a card with the parts of an earlier one.</summary>
    public static CardView Merge(CardView known, CardView news)
    {
        ArgumentNullException.ThrowIfNull(known);
        ArgumentNullException.ThrowIfNull(news);
        return news.Progress is { } progress
            ? news with { Progress = progress with { Parts = Merge(known.Progress?.Parts, progress.Parts) } }
            : news;
    }

    /// <summary>All parts of a split, also those of which no event has told: open as long as the card is.</summary>
    public static IReadOnlyList<CardPart> OfSplit(CardView card)
    {
        ArgumentNullException.ThrowIfNull(card);
        var known = ByAccount(card.Progress?.Parts ?? []);
        var others = CardTransitions.IsOpen(card.State) ? CardState.Open : card.State;
        return
        [
            .. (card.Plan?.Shares ?? []).Select((share, place) =>
                known.TryGetValue(share.Account, out var part) && part.State != CardState.Open
                    ? part
                    : new CardPart(share.Account, place, share.AmountMinor, others, card.ClosedAt ?? card.CreatedAt)),
        ];
    }

    /// <summary>
    /// Whether what is known of a random packet is what its seed gives: the seed that was committed to when it was posted, and
    /// the shares in the order in which they were taken. True for everything of which nothing can be said yet.
    /// </summary>
    /// <param name="commit">As first seen; null where it is not known.</param>
    public static bool AreFair(CardView card, byte[]? commit)
    {
        ArgumentNullException.ThrowIfNull(card);
        if (card is not { Kind: CardKind.Packet, Plan: { Packet: PacketMode.Random, Count: { } count }, Progress: { } progress }
            || count is < 1 or > Limits.PacketShares || card.AmountMinor < count)
        {
            return true;
        }

        if (commit is not null && progress.SeedCommit is { } now && !now.AsSpan().SequenceEqual(commit))
        {
            return false;
        }

        if (progress.Seed is not { } seed)
        {
            return true;
        }

        if (seed.Length != PacketShares.SeedSize
            || !CryptographicOperations.FixedTimeEquals(PacketShares.CommitTo(seed), commit ?? progress.SeedCommit ?? []))
        {
            return false;
        }

        var shares = PacketShares.Divide(PacketMode.Random, card.AmountMinor, count, seed);
        return (progress.Parts ?? []).All(part =>
            part.Place >= 0 && part.Place < shares.Length && part.AmountMinor == shares[part.Place]);
    }

    /// <summary>A server that names somebody twice is not believed the second time.</summary>
    private static Dictionary<AccountId, CardPart> ByAccount(IEnumerable<CardPart> parts) =>
        parts.GroupBy(part => part.Account).ToDictionary(same => same.Key, same => same.First());
}
