using ChatPay.Core.Ledger;
using static System.FormattableString;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>Linked groups are complete and were applied as a whole or not at all.</summary>
internal sealed class GroupCheck(VerifyStore store, VerifyFindings findings)
{
    public async Task<string> RunAsync(VerifyStage stage, CancellationToken cancellationToken)
    {
        await using var members = store.GroupMembers(stage, cancellationToken);
        await members.NextAsync();
        var groups = 0L;
        while (members.HasRow)
        {
            var first = members.Row;
            var (count, applied, blamed, inPlace) = (0L, 0L, 0L, true);
            while (members.HasRow && members.Row.Group == first.Group)
            {
                var member = members.Row;
                inPlace &= member.Index == count && member.Size == first.Size;
                applied += member.Status == LedgerStatus.Applied ? 1 : 0;
                blamed += member.Status is LedgerStatus.Applied or LedgerStatus.LinkedFailed ? 0 : 1;
                count++;
                await members.NextAsync();
            }

            groups++;
            if (!inPlace || count != first.Size)
            {
                findings.Add(Invariant($"group {first.Group.ToGuid()}: {count} members of {first.Size} are there, ")
                    + Invariant($"or not in their places (transfer {first.Transfer.ToGuid()} is the first)"));
            }
            else if (applied != count && (applied != 0 || blamed != 1))
            {
                findings.Add(Invariant($"group {first.Group.ToGuid()}: {applied} of {count} members are applied and ")
                    + Invariant($"{blamed} failed by themselves (transfer {first.Transfer.ToGuid()} is the first)"));
            }
        }

        return Invariant($"{groups} groups");
    }
}
