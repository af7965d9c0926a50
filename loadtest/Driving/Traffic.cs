using ChatPay.Core.Ledger;

namespace ChatPay.LoadTest.Driving;

/// <summary>How the ids of transfers follow on one another.</summary>
internal enum IdOrder
{
    /// <summary>Not at all, as ids do that are hashes of idempotency keys.</summary>
    Random,

    /// <summary>By time, as UUIDs of version 7 do.</summary>
    Time,
}

/// <summary>Which movements callers ask for.</summary>
internal abstract class Traffic(IReadOnlyList<LedgerAccountId> accounts, AssetCode asset, IdOrder order)
{
    /// <summary>1 to this many cents: wallets of ten thousand million never run dry.</summary>
    private const int AmountMaxMinor = 1_000;

    /// <summary>Nothing expires while it is measured.</summary>
    private const int HoldLifetimeSeconds = 86_400;

    /// <summary>How many commands settle one payment.</summary>
    public virtual int Steps => 1;

    public abstract LedgerCommand Next(ref SplitMix64 random);

    /// <summary>Pays a hold out in full, to anybody but the payer.</summary>
    public LedgerCommand CaptureOf(LedgerCommand hold, ref SplitMix64 random)
    {
        LedgerAccountId payee;
        do
        {
            payee = Any(ref random);
        }
        while (payee == hold.Debit);
        return LedgerCommand.Capture(
            NewId(ref random), hold.Id, hold.Debit, payee, new Money(hold.Amount, asset));
    }

    protected LedgerAccountId Any(ref SplitMix64 random) => accounts[random.Below(accounts.Count)];

    protected LedgerCommand Pay(LedgerAccountId debit, LedgerAccountId credit, ref SplitMix64 random) =>
        LedgerCommand.Transfer(NewId(ref random), debit, credit, Amount(ref random));

    protected LedgerCommand SetAside(LedgerAccountId debit, ref SplitMix64 random) =>
        LedgerCommand.Hold(NewId(ref random), debit, Amount(ref random), HoldLifetimeSeconds);

    private TransferId NewId(ref SplitMix64 random) => new(
        order == IdOrder.Random ? random.NextUuid() : random.NextOrderedUuid(TimeProvider.System.GetUtcNow()));

    private Money Amount(ref SplitMix64 random) => Money.Of(1 + random.Below(AmountMaxMinor), asset);
}

/// <summary>From any account to any other.</summary>
internal sealed class UniformTraffic(IReadOnlyList<LedgerAccountId> accounts, AssetCode asset, IdOrder order)
    : Traffic(accounts, asset, order)
{
    public override LedgerCommand Next(ref SplitMix64 random)
    {
        var debit = Any(ref random);
        LedgerAccountId credit;
        do
        {
            credit = Any(ref random);
        }
        while (credit == debit);
        return Pay(debit, credit, ref random);
    }
}

/// <summary>Nine of ten credit one merchant; the tenth is uniform.</summary>
internal sealed class HotTraffic(IReadOnlyList<LedgerAccountId> accounts, AssetCode asset, IdOrder order)
    : Traffic(accounts, asset, order)
{
    private const int HotPercent = 90;

    private readonly UniformTraffic _uniform = new(accounts, asset, order);
    private readonly LedgerAccountId _merchant = accounts[0];

    public override LedgerCommand Next(ref SplitMix64 random)
    {
        if (random.Below(100) >= HotPercent)
        {
            return _uniform.Next(ref random);
        }

        LedgerAccountId debit;
        do
        {
            debit = Any(ref random);
        }
        while (debit == _merchant);
        return Pay(debit, _merchant, ref random);
    }
}

/// <summary>Money is set aside, and a second command pays it out: the two make one settled payment.</summary>
internal sealed class HoldCaptureTraffic(IReadOnlyList<LedgerAccountId> accounts, AssetCode asset, IdOrder order)
    : Traffic(accounts, asset, order)
{
    public override int Steps => 2;

    public override LedgerCommand Next(ref SplitMix64 random) => SetAside(Any(ref random), ref random);
}
