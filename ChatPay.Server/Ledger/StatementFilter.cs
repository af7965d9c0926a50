using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>Which way money went by an entry.</summary>
internal enum StatementSide
{
    In = 1,
    Out = 2,

    /// <summary>Neither: it was set aside or returned.</summary>
    Held = 3,
}

/// <summary>Which entries of a statement are wanted.</summary>
/// <param name="With">Only those with this person on the other side.</param>
internal readonly record struct StatementFilter(AccountId? With, StatementSide? Side)
{
    public bool IsAny => With is null && Side is null;
}
