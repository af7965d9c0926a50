using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Database;
using Npgsql;

namespace ChatPay.LoadTest.Paying;

/// <summary>
/// Whether packets were given out exactly: what the database holds against what everybody was answered and told.
/// </summary>
internal sealed class PacketExactness
{
    private readonly Dictionary<string, bool> _invariants = new(StringComparer.Ordinal);

    /// <summary>By name, over all packets so far.</summary>
    public IReadOnlyDictionary<string, bool> Invariants => _invariants;

    /// <summary>What was wrong first; null as long as nothing was.</summary>
    public string? Wrong { get; private set; }

    /// <param name="members">Who posted it, and after it everybody who wanted a share.</param>
    /// <param name="owed">What everybody should have; it is brought to after this packet.</param>
    public async Task CheckAsync(
        NpgsqlDataSource owner, CardId id, IReadOnlyList<PacketMember> members, int shares,
        Dictionary<AccountId, long> owed, CancellationToken cancellationToken)
    {
        var card = await PayStore.ReadCardAsync(owner, id, cancellationToken);
        var parts = await PayStore.ReadPartsAsync(owner, id, cancellationToken);
        var claimants = members.Skip(1).ToArray();
        var winners = claimants.Where(member => member.Answer!.Place is not null).ToArray();

        // With fewer people than shares it stays open, so there are at least as many.
        Hold("every_share_is_taken_once", parts.Count == shares && card.State == CardState.Exhausted
            && parts.Index().All(part => part.Item.Place == part.Index)
            && parts.Select(part => part.Account).Distinct().Count() == shares);
        Hold("shares_are_those_of_the_seed",
            parts.Zip(card.PacketShares()).All(pair => pair.First.AmountMinor == pair.Second));
        Hold("shares_sum_to_the_packet",
            parts.Sum(part => part.AmountMinor) == card.Terms.Money.Amount.Value
            && card.Tally.PaidMinor == card.Terms.Money.Amount.Value);
        Hold("answers_are_the_shares", winners.Length == shares && winners
            .Select(member => (member.Person.Account, member.Answer!.Place!.Value, member.Answer.AmountMinor)).ToHashSet()
            .SetEquals(parts.Select(part => (part.Account, part.Place, part.AmountMinor))));
        Hold("everybody_else_is_told_that_it_is_over", claimants.Except(winners)
            .All(member => member.Answer!.Refusal == ErrorCode.CardTerminal));
        Hold("everybody_is_told_of_every_share", members.All(member => member.Shown == shares));

        owed[card.Terms.Payer] -= card.Terms.Money.Amount.Value;
        foreach (var winner in winners)
        {
            owed[winner.Person.Account] += winner.Answer!.AmountMinor;
        }

        void Hold(string name, bool holds)
        {
            _invariants[name] = holds && _invariants.GetValueOrDefault(name, true);
            Wrong ??= holds ? null : $"{name}: {id}, {parts.Count} parts, {winners.Length} shares answered";
        }
    }
}
