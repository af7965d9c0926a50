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

    /// <param name="side"><c>in</c>, <c>out</c> or <c>held</c>; null for all.</param>
    /// <returns>What is wrong, or null.</returns>
    public static Error? Read(Guid? with, string? side, out StatementFilter filter)
    {
        StatementSide? known = side switch
        {
            "in" => StatementSide.In,
            "out" => StatementSide.Out,
            "held" => StatementSide.Held,
            _ => null,
        };
        filter = new StatementFilter(with is { } person ? new AccountId(person) : null, known);
        return side is not null && known is null
            ? new Error(ErrorCode.InvalidArgument, "A side is in, out or held.") : null;
    }
}
