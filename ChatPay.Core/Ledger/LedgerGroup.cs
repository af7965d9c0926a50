using ChatPay.Core.Protocol;

namespace ChatPay.Core.Ledger;

/// <summary>Names a linked group; like a transfer's id it is used once.</summary>
public readonly record struct LedgerGroupId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>A command's place in its group.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Size">1 to <see cref="Limits.LedgerGroupMax"/>.</param>
public readonly record struct GroupPart(LedgerGroupId Group, int Index, int Size);

/// <summary>
/// Commands that are applied together or not at all. They are decided in order and each sees what those before it did,
/// so a group may hold money and capture it. Each has its own id, row and outcome.
/// </summary>
public sealed class LedgerGroup
{
    /// <exception cref="ArgumentException">No members, too many, two of one id, or members of another group.</exception>
    public LedgerGroup(LedgerGroupId id, params IReadOnlyList<LedgerCommand> members)
    {
        ArgumentNullException.ThrowIfNull(members);
        if (members.Count is < 1 or > Limits.LedgerGroupMax)
        {
            throw new ArgumentException($"A group has 1 to {Limits.LedgerGroupMax} members.", nameof(members));
        }

        if (members.Any(member => member.Group is not null))
        {
            throw new ArgumentException("A member already belongs to a group.", nameof(members));
        }

        if (members.DistinctBy(member => member.Id).Count() < members.Count)
        {
            throw new ArgumentException("Each member needs an id of its own.", nameof(members));
        }

        Id = id;
        Members = [.. members.Select((member, index) => member.InGroup(new GroupPart(id, index, members.Count)))];
    }

    public LedgerGroupId Id { get; }

    /// <summary>In the order they are decided in, each stamped with its place.</summary>
    public IReadOnlyList<LedgerCommand> Members { get; }
}
