using ChatPay.Core.Ledger;
using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Filling;

/// <summary>A wallet between the transfers that are made up for it.</summary>
internal sealed class FilledAccount(LedgerAccountId id, long balanceMinor, long heldMinor, long version)
{
    public LedgerAccountId Id => id;

    public long BalanceMinor { get; private set; } = balanceMinor;

    public long HeldMinor { get; private set; } = heldMinor;

    public long Version { get; private set; } = version;

    public DateTimeOffset LastEntryAt { get; private set; }

    public EntryRow Post(TransferId transfer, long postedMinor, long heldMinor, DateTimeOffset at)
    {
        BalanceMinor += postedMinor;
        HeldMinor += heldMinor;
        LastEntryAt = at;
        return new EntryRow(
            id, ++Version, transfer, new(postedMinor), new(heldMinor), new(BalanceMinor), new(HeldMinor), at);
    }
}

/// <summary>One chunk of made-up history: rows of three tables that belong together.</summary>
internal sealed record FillChunk(
    IReadOnlyList<TransferRow> Transfers, IReadOnlyList<EntryRow> Entries, IReadOnlyList<LedgerHold> Holds);

/// <summary>
/// Makes up history as the engine would have written it: mostly transfers, and of each ten movements one a hold that is
/// captured in full. Nothing is decided; wallets are rich enough that everything would be applied.
/// </summary>
internal sealed class FillPlan(
    IReadOnlyList<FilledAccount> accounts, AssetCode asset, IdOrder ids, ulong seed, DateTimeOffset begin)
{
    private const int HoldEvery = 10;

    /// <summary>Of ten movements nine are transfers of two entries, and one is a hold of one and its capture of two.</summary>
    public static (int Transfers, int Entries) TransfersPerEntries => (11, 21);

    private const int AmountMaxMinor = 1_000;
    private const int HoldLifetimeSeconds = 86_400;

    private SplitMix64 _random = new(seed);
    private DateTimeOffset _at = begin;
    private long _made;

    /// <param name="transfers">Rows of the table transfer; one more where the last is a hold, for its capture.</param>
    public FillChunk Make(int transfers)
    {
        var rows = new List<TransferRow>(transfers + 1);
        var entries = new List<EntryRow>((2 * transfers) + 2);
        var holds = new List<LedgerHold>();
        while (rows.Count < transfers)
        {
            var debit = accounts[_random.Below(accounts.Count)];
            FilledAccount credit;
            do
            {
                credit = accounts[_random.Below(accounts.Count)];
            }
            while (credit == debit);
            var money = Money.Of(1 + _random.Below(AmountMaxMinor), asset);
            if (_made % HoldEvery == 0)
            {
                HoldAndCapture(debit, credit, money, rows, entries, holds);
            }
            else
            {
                Transfer(debit, credit, money, rows, entries);
            }

            _made++;
        }

        return new FillChunk(rows, entries, holds);
    }

    private void Transfer(
        FilledAccount debit, FilledAccount credit, Money money, List<TransferRow> rows, List<EntryRow> entries)
    {
        var at = Next();
        var command = LedgerCommand.Transfer(NewId(at), debit.Id, credit.Id, money);
        entries.Add(debit.Post(command.Id, -money.Amount.Value, 0, at));
        entries.Add(credit.Post(command.Id, money.Amount.Value, 0, at));
        rows.Add(Row(command, at, debit.Version, credit.Version));
    }

    private void HoldAndCapture(
        FilledAccount debit, FilledAccount credit, Money money, List<TransferRow> rows, List<EntryRow> entries,
        List<LedgerHold> holds)
    {
        var at = Next();
        var hold = LedgerCommand.Hold(NewId(at), debit.Id, money, HoldLifetimeSeconds);
        entries.Add(debit.Post(hold.Id, 0, money.Amount.Value, at));
        rows.Add(Row(hold, at, debit.Version, null));
        holds.Add(new LedgerHold(
            hold.Id, debit.Id, AmountMinor.Zero, HoldState.Captured, at.AddSeconds(HoldLifetimeSeconds)));
        at = Next();
        var capture = LedgerCommand.Capture(NewId(at), hold.Id, debit.Id, credit.Id, money);
        entries.Add(debit.Post(capture.Id, -money.Amount.Value, -money.Amount.Value, at));
        entries.Add(credit.Post(capture.Id, money.Amount.Value, 0, at));
        rows.Add(Row(capture, at, debit.Version, credit.Version));
    }

    private TransferId NewId(DateTimeOffset at) =>
        new(ids == IdOrder.Random ? _random.NextUuid() : _random.NextOrderedUuid(at));

    /// <summary>A microsecond later, PostgreSQL's smallest step: slower than rows are made, so never in the future.</summary>
    private DateTimeOffset Next() => _at = _at.AddMicroseconds(1);

    private static TransferRow Row(
        LedgerCommand command, DateTimeOffset at, long debitVersion, long? creditVersion) =>
        new(command, command.Amount, LedgerStatus.Applied, command.HashPayload(), at, debitVersion, creditVersion);
}
