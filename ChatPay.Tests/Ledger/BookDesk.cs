using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Tests.Ledger;

/// <summary>A book with accounts by number, which loads for each command what it needs.</summary>
internal sealed class BookDesk(IEnumerable<Asset> assets)
{
    private readonly HashSet<LedgerAccountId> _loaded = [];
    private readonly HashSet<TransferId> _asked = [];

    public LedgerBook Book { get; } = new(assets);

    public static TransferId Id(int number) => new(Number(number));

    public LedgerAccountId Person(int number, AssetCode asset, long balanceMinor)
    {
        var account = LedgerAccount.Open(LedgerOwner.Of(new AccountId(Number(number))), asset);
        return LoadOnce(account with { Balance = new AmountMinor(balanceMinor) });
    }

    public LedgerAccountId System(string name, AssetCode asset, long balanceMinor) =>
        LoadOnce(LedgerAccount.Open(LedgerOwner.OfSystem(name), asset) with { Balance = new(balanceMinor) });

    public LedgerAccountId Unknown(int number)
    {
        var id = new LedgerAccountId(Number(number));
        Book.Load(id, account: null);
        return id;
    }

    public LedgerOutcome Decide(LedgerCommand command, DateTimeOffset now)
    {
        if (_asked.Add(command.Id))
        {
            Book.Load(command.Id, transfer: null);
            Book.LoadHold(command.Id, hold: null);
            Book.LoadRefundable(command.Id, movement: null);
        }

        if (command.HoldId is { } hold && _asked.Add(hold))
        {
            Book.Load(hold, transfer: null);
            Book.LoadHold(hold, hold: null);
        }

        return Book.Decide(command, now);
    }

    public (long BalanceMinor, long HeldMinor) Balance(LedgerAccountId id)
    {
        var account = Book.Find(id)!.Value;
        return (account.Balance.Value, account.Held.Value);
    }

    public int RowsOf(LedgerStatus status) => Book.Transfers.Count(row => row.Status == status);

    /// <summary>Adds money out of nowhere, as if another batch had.</summary>
    public void Fund(LedgerAccountId id, long amountMinor)
    {
        var account = Book.Find(id)!.Value;
        Book.Load(id, account with { Balance = account.Balance + new AmountMinor(amountMinor) });
    }

    private static Guid Number(int number) =>
        Guid.Parse("00000000-0000-0000-0000-" + number.ToString("x12", CultureInfo.InvariantCulture));

    private LedgerAccountId LoadOnce(LedgerAccount account)
    {
        if (_loaded.Add(account.Id))
        {
            Book.Load(account.Id, account);
        }

        return account.Id;
    }
}
