using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;

namespace ChatPay.Server.Ledger;

/// <summary>
/// The ledger's own answer, applied or rejected; an error beside it says only that nothing was decided. Submitted again
/// with the same ids it gets the same answer.
/// </summary>
/// <param name="Now">The deciding clock.</param>
internal readonly record struct LedgerDecision(LedgerOutcome Outcome, DateTimeOffset Now);

/// <summary>One answer per member, in order.</summary>
internal sealed record LedgerGroupDecision(IReadOnlyList<LedgerOutcome> Outcomes, DateTimeOffset Now);

/// <summary>Posts one movement: the engine's door where no card is involved.</summary>
internal sealed class PostTransferCommand(LedgerCommand command) : WriteCommand<LedgerDecision>
{
    public override void Declare(WriteSet set) => set.Rows<LedgerRows>().Need(command);

    protected override Result<LedgerDecision> DecideOutcome(WriteSet set) =>
        new LedgerDecision(set.Rows<LedgerRows>().Decide(command), set.Now);
}

/// <summary>Posts one linked group.</summary>
internal sealed class PostGroupCommand(LedgerGroup group) : WriteCommand<LedgerGroupDecision>
{
    public override void Declare(WriteSet set) => set.Rows<LedgerRows>().Need(group);

    protected override Result<LedgerGroupDecision> DecideOutcome(WriteSet set) =>
        new LedgerGroupDecision(set.Rows<LedgerRows>().Decide(group), set.Now);
}

/// <summary>Freezes, unfreezes or closes one account.</summary>
internal sealed class ChangeAccountCommand(AccountChange change) : WriteCommand<LedgerDecision>
{
    public override void Declare(WriteSet set) => set.Rows<LedgerRows>().Need(change);

    protected override Result<LedgerDecision> DecideOutcome(WriteSet set) =>
        new LedgerDecision(set.Rows<LedgerRows>().Decide(change), set.Now);
}
