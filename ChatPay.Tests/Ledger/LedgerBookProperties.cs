using ChatPay.Core.Ledger;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The laws of the ledger over random streams of commands; a failure prints the seed to replay it.</summary>
public sealed class LedgerBookProperties
{
    private const int Guarded = 4;

    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");
    private static readonly AssetCode s_jpy = AssetCode.Parse("JPY");
    private static readonly Asset[] s_assets = [new(s_eur, 2, AssetKind.Currency), new(s_jpy, 0, AssetKind.Currency)];

    [Fact]
    public void Postings_sum_to_zero_and_floors_hold() => Check(stream =>
    {
        var desk = Desk(out var ids);
        foreach (var step in stream)
        {
            desk.Decide(step.ToCommand(ids), step.At);
            foreach (var id in ids[..Guarded])
            {
                var (balance, held) = desk.Balance(id);
                if (held < 0 || held > balance)
                {
                    return false;
                }
            }
        }

        return desk.Book.Entries
            .GroupBy(entry => entry.Transfer)
            .All(sides => sides.Sum(entry => entry.Posted.Value) == 0);
    });

    [Fact]
    public void Replaying_a_stream_changes_nothing() => Check(stream =>
    {
        var desk = Desk(out var ids);
        var first = stream.ConvertAll(step => desk.Decide(step.ToCommand(ids), step.At).Status);
        var (rows, entries) = (desk.Book.Transfers.Count, desk.Book.Entries.Count);
        var second = stream.ConvertAll(step => desk.Decide(step.ToCommand(ids), step.At.AddDays(1)));
        return first.SequenceEqual(second.Select(outcome => outcome.Status), EqualityComparer<LedgerStatus>.Default)
            && second.All(outcome => outcome.Replayed || outcome.Status == LedgerStatus.IdempotencyConflict)
            && (rows, entries) == (desk.Book.Transfers.Count, desk.Book.Entries.Count);
    });

    [Fact]
    public void Versions_are_gapless_and_after_values_chain() => Check(stream =>
    {
        var desk = Desk(out var ids);
        var opening = ids.ToDictionary(id => id, desk.Balance);
        stream.ForEach(step => desk.Decide(step.ToCommand(ids), step.At));
        foreach (var account in desk.Book.Entries.GroupBy(entry => entry.Account))
        {
            var (balance, held) = opening[account.Key];
            var version = 0L;
            foreach (var entry in account)
            {
                balance += entry.Posted.Value;
                held += entry.Held.Value;
                version++;
                if ((entry.Version, entry.BalanceAfter.Value, entry.HeldAfter.Value) != (version, balance, held))
                {
                    return false;
                }
            }
        }

        return true;
    });

    [Fact]
    public void The_book_and_a_naive_model_agree_on_every_status_and_balance() => Check(stream =>
    {
        var desk = Desk(out var ids);
        var model = new NaiveLedger();
        foreach (var id in ids)
        {
            var account = desk.Book.Find(id)!.Value;
            model.Open(id, account.Asset, account.Guarded, account.Balance.Value);
        }

        foreach (var step in stream)
        {
            var command = step.ToCommand(ids);
            var (expected, actual) = (model.Decide(command, step.At), desk.Decide(command, step.At).Status);
            if (expected != actual)
            {
                throw new InvalidOperationException($"{step}: the model says {expected}, the book {actual}.");
            }
        }

        return ids.All(id => model.Balance(id) == desk.Balance(id));
    });

    private static void Check(Func<List<LedgerStep>, bool> law) => Prop
        .ForAll(LedgerStep.Streams(120).ToArbitrary(), law)
        .Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    /// <summary>Three people with euros, one with yen, and a system account that may owe.</summary>
    private static BookDesk Desk(out LedgerAccountId[] ids)
    {
        var desk = new BookDesk(s_assets);
        ids =
        [
            desk.Person(1, s_eur, 500), desk.Person(2, s_eur, 100), desk.Person(3, s_eur, 0),
            desk.Person(4, s_jpy, 500), desk.System("sandbox", s_eur, 0),
        ];
        return desk;
    }
}
