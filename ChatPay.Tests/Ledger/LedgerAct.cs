using ChatPay.Core.Ledger;

namespace ChatPay.Tests.Ledger;

/// <summary>Anything that the ledger decides: one command, a linked group, or a change of an account.</summary>
internal abstract record LedgerAct
{
    private LedgerAct()
    {
    }

    internal sealed record Single(LedgerCommand Command) : LedgerAct
    {
        public override string ToString() => Command.ToString();
    }

    internal sealed record Linked(LedgerGroup Group) : LedgerAct
    {
        public override string ToString() => $"Group {Group.Id}: {string.Join("; ", Group.Members)}";
    }

    internal sealed record Change(AccountChange What) : LedgerAct
    {
        public override string ToString() => What.ToString();
    }
}
