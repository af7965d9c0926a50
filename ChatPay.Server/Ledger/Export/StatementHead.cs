using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>What a statement says before its entries. All of it is known before the first byte is written.</summary>
/// <param name="From">The beginning that was asked for; null for the account's own.</param>
/// <param name="To">The end, not within; the present where none was asked for.</param>
/// <param name="Opening">What the account had just before the first entry.</param>
/// <param name="Closing">What it had after the last one.</param>
/// <param name="CreatedAt">The database's clock when the bounds were read.</param>
internal sealed record StatementHead(
    AccountView Owner, LedgerAccountId Account, Asset Asset, DateTimeOffset? From, DateTimeOffset To,
    BalancePoint Opening, BalancePoint Closing, StatementTotals Totals, DateTimeOffset CreatedAt)
{
    /// <summary>For formats that need one: the beginning asked for, else the first entry's time, else the end.</summary>
    public DateTimeOffset Start => From ?? Totals.FirstAt ?? To;

    /// <summary>Entries in it, those that only held included.</summary>
    public long Entries => Closing.Version - Opening.Version;

    public string Text(long amountMinor) => Money.Of(amountMinor, Asset.Code).ToDecimalText(Asset.Exponent);
}

/// <summary>What moved within a statement; entries that only held or released are not in it.</summary>
/// <param name="FirstAt">The time of the first entry of any kind.</param>
/// <param name="CreditsMinor">Their sum; wider than 64 bits, because a busy account turns over more than it ever has.</param>
/// <param name="DebitsMinor">Their sum without the sign.</param>
internal sealed record StatementTotals(
    DateTimeOffset? FirstAt, long Credits, Int128 CreditsMinor, long Debits, Int128 DebitsMinor);
