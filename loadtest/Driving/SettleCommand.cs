using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;

namespace ChatPay.LoadTest.Driving;

/// <summary>One movement of money on the server's write path.</summary>
internal sealed class SettleCommand(LedgerCommand command) : WriteCommand<LedgerOutcome>
{
    public override void Declare(WriteSet set) => set.Rows<LedgerRows>().Need(command);

    protected override Result<LedgerOutcome> DecideOutcome(WriteSet set) => set.Rows<LedgerRows>().Decide(command);
}
