using ChatPay.Core.Ledger;
using FsCheck;
using FsCheck.Fluent;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// A command by small numbers, so that random ones meet: the same ids again, holds that exist, money that is scarce.
/// </summary>
/// <param name="Debit">0 to 4, a place in the test's list of accounts.</param>
internal sealed record LedgerStep(
    TransferKind Kind, int Id, int Hold, int Debit, int Credit, int AmountMinor, bool Yen, int Second)
{
    private const int AccountMax = 4;
    private const int LifetimeSeconds = 60;

    private static readonly DateTimeOffset s_start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");
    private static readonly AssetCode s_jpy = AssetCode.Parse("JPY");

    public DateTimeOffset At => s_start.AddSeconds(Second);

    /// <param name="stepsMax">Twice as many as there are ids, so that many come again.</param>
    public static Gen<List<LedgerStep>> Streams(int stepsMax) =>
        from size in Gen.Choose(1, stepsMax)
        from steps in Steps(stepsMax / 2).ListOf(size)
        select steps.ToList();

    public LedgerCommand ToCommand(IReadOnlyList<LedgerAccountId> accounts, Func<int, TransferId>? name = null)
    {
        name ??= BookDesk.Id;
        var (id, hold) = (name(Id), name(Hold));
        var (debit, credit, asset) = (accounts[Debit], accounts[Credit], Yen ? s_jpy : s_eur);
        var money = Money.Of(AmountMinor, asset);
        return Kind switch
        {
            TransferKind.Transfer => LedgerCommand.Transfer(id, debit, credit, money),
            TransferKind.Hold => LedgerCommand.Hold(id, debit, money, LifetimeSeconds),
            TransferKind.Capture => LedgerCommand.Capture(id, hold, debit, credit, money),
            TransferKind.Release => LedgerCommand.Release(id, hold, debit, asset),
            TransferKind.Expire => LedgerCommand.Expire(id, hold, debit, asset),
            TransferKind.Refund => LedgerCommand.Refund(id, hold, debit, credit, money),
            TransferKind.Balancing => LedgerCommand.Balancing(id, debit, credit, money),
            TransferKind.CaptureAll => LedgerCommand.CaptureAll(id, hold, debit, credit, asset),
        };
    }

    private static Gen<LedgerStep> Steps(int idMax) =>
        from kind in Gen.Frequency(
            (4, Gen.Constant(TransferKind.Transfer)), (4, Gen.Constant(TransferKind.Hold)),
            (3, Gen.Constant(TransferKind.Capture)), (1, Gen.Constant(TransferKind.Release)),
            (1, Gen.Constant(TransferKind.Expire)))
        from id in Gen.Choose(1, idMax)
        from hold in Gen.Choose(1, idMax)
        from debit in Gen.Choose(0, AccountMax)
        from credit in Gen.Choose(0, AccountMax)
        from amount in Gen.Frequency((1, Gen.Choose(-1, 1)), (8, Gen.Choose(1, 200)), (1, Gen.Choose(400, 2_000)))
        from yen in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
        from second in Gen.Choose(0, 120)
        select new LedgerStep(kind, id, hold, debit, credit, amount, yen, second);
}
