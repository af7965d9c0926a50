using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>What an account has of one asset, as the ledger says.</summary>
/// <param name="Balance">What it owns, held or not, in minor units.</param>
/// <param name="Held">What of it waits in holds.</param>
/// <param name="Exponent">How many decimals one unit has: EUR 2, JPY 0, KWD 3.</param>
public sealed record ChatBalance(Money Balance, Money Held, int Exponent)
{
    /// <summary>What can be spent: balance − held.</summary>
    public Money Available => Balance - Held;

    internal static ChatBalance From(WalletBalance balance)
    {
        var asset = AssetCode.Parse(balance.Asset);
        return new(Money.Of(balance.BalanceMinor, asset), Money.Of(balance.HeldMinor, asset), balance.Exponent);
    }
}

/// <summary>One line of a statement.</summary>
/// <param name="Entry">The ledger's entry; its version is the cursor.</param>
/// <param name="Posted">Change of the balance, signed, in minor units.</param>
/// <param name="HeldChange">Change of what is held, signed.</param>
/// <param name="BalanceAfter">The balance after it.</param>
public sealed record ChatStatementEntry(StatementEntry Entry, Money Posted, Money HeldChange, Money BalanceAfter)
{
    internal static ChatStatementEntry From(StatementEntry entry, AssetCode asset) => new(
        entry, Money.Of(entry.PostedMinor, asset), Money.Of(entry.HeldMinor, asset),
        Money.Of(entry.BalanceAfterMinor, asset));
}
