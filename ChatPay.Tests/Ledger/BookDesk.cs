using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Tests.Ledger;

/// <summary>A book with accounts by number, which loads for each act what it needs.</summary>
internal sealed class BookDesk(IEnumerable<Asset> assets)
{
    private readonly HashSet<Guid> _asked = [];

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
        NeedAccount(id);
        return id;
    }

    public LedgerOutcome[] Decide(LedgerAct act, DateTimeOffset now) => act switch
    {
        LedgerAct.Single single => [Decide(single.Command, now)],
        LedgerAct.Linked linked => [.. Decide(linked.Group, now)],
        LedgerAct.Change change => [Decide(change.What, now)],
        _ => throw new InvalidOperationException("No such act."),
    };

    public LedgerOutcome Decide(LedgerCommand command, DateTimeOffset now)
    {
        Need(command);
        return Book.Decide(command, now);
    }

    public LedgerOutcome Foresee(LedgerCommand command, DateTimeOffset now)
    {
        Need(command);
        return Book.Foresee(command, now);
    }

    public IReadOnlyList<LedgerOutcome> Decide(LedgerGroup group, DateTimeOffset now)
    {
        foreach (var member in group.Members)
        {
            Need(member);
        }

        if (_asked.Add(group.Id.Value))
        {
            Book.Load(group.Id, known: false);
        }

        return Book.DecideGroup(group, now);
    }

    public LedgerOutcome Decide(AccountChange change, DateTimeOffset now)
    {
        NeedAccount(change.Account);
        if (_asked.Add(change.Id.Value))
        {
            Book.Load(change.Id, change: null);
        }

        return Book.Decide(change, now);
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

    private void Need(LedgerCommand command)
    {
        Need(command.Id);
        NeedAccount(command.Debit);
        if (command.Credit is { } credit)
        {
            NeedAccount(credit);
        }

        if ((command.HoldId ?? command.RefundOf) is { } earlier)
        {
            Need(earlier);
        }
    }

    /// <summary>The book starts empty: what it has not decided itself does not exist.</summary>
    private void Need(TransferId id)
    {
        if (_asked.Add(id.Value))
        {
            Book.Load(id, transfer: null);
            Book.LoadHold(id, hold: null);
            Book.LoadRefundable(id, movement: null);
        }
    }

    private void NeedAccount(LedgerAccountId id)
    {
        if (_asked.Add(id.Value))
        {
            Book.Load(id, account: null);
        }
    }

    private LedgerAccountId LoadOnce(LedgerAccount account)
    {
        if (_asked.Add(account.Id.Value))
        {
            Book.Load(account.Id, account);
        }

        return account.Id;
    }
}
