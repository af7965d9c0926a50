using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Pages of a long statement, and those of a period.</summary>
public sealed class StatementTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_costs_the_same_at_any_depth()
    {
        const int versions = 110_000;
        var alice = await money.PersonAsync();
        var account = await DeepHistory.WriteAsync(money, alice, versions);
        foreach (var limit in new[] { 1, 50, Limits.StatementPageEntries })
        {
            var (newest, plan) = await ExplainAsync(account.Value, long.MaxValue, limit);
            var (deep, deepPlan) = await ExplainAsync(account.Value, versions - 100_000, limit);
            var (oldest, _) = await ExplainAsync(account.Value, limit + 1, limit);

            // The index has a few pages above its leaves, and an entry finds its transfer and the other account.
            Assert.InRange(newest, 1, 20 + (6 * limit));
            Assert.InRange(deep, 1, newest + 10);
            Assert.InRange(oldest, 1, newest + 10);
            Assert.Contains("entry_pkey", plan, StringComparison.Ordinal);
            Assert.Contains("entry_pkey", deepPlan, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_pages_of_a_period_have_its_entries_and_no_other()
    {
        var alice = await money.PersonAsync();
        await DeepHistory.WriteAsync(money, alice, 1_000);
        var (from, to) = (DeepHistory.Start.AddSeconds(10), DeepHistory.Start.AddSeconds(20));
        var found = new List<long>();
        long? before = null;
        do
        {
            var page = (await money.Statements.ReadPageAsync(
                alice.Account, "EUR", before, 17, Instants.Text(from), Instants.Text(to), default, Cancel)).Value;
            Assert.All(page.Entries, entry => Assert.True(entry.At >= from && entry.At < to));
            found.AddRange(page.Entries.Select(entry => entry.Version));
            before = page.Before;
        }
        while (before is not null);

        // Seven to a second from version 2 on: ten seconds are seventy entries, and the last page is no empty one.
        Assert.Equal(Enumerable.Range(72, 70).Reverse().Select(version => (long)version), found);
    }

    [Theory]
    [InlineData("2019-01-01", "2019-06-01", 0)]
    [InlineData(null, "2020-01-01", 1)]
    [InlineData("2020-01-01T00:02:00Z", null, 159)]
    [InlineData("2020-01-01", "2099-01-01", 100)]
    public async Task Periods_may_be_empty_or_open(string? from, string? to, int entries)
    {
        var alice = await money.PersonAsync();
        await DeepHistory.WriteAsync(money, alice, 1_000);
        var page = (await money.Statements.ReadPageAsync(alice.Account, "EUR", null, 100, from, to, default, Cancel)).Value;
        Assert.Equal(Math.Min(entries, 100), page.Entries.Count);
        Assert.Equal(entries >= 100, page.Before is not null);
    }

    [Theory]
    [InlineData("soon", null)]
    [InlineData(null, "later")]
    [InlineData("2026-01-02", "2026-01-01")]
    [InlineData("2026-01-01", "2026-01-01")]
    public async Task A_period_that_is_none_is_refused(string? from, string? to)
    {
        var alice = await money.PersonAsync();
        var refused = await money.Statements.ReadPageAsync(alice.Account, "EUR", null, 10, from, to, default, Cancel);
        Assert.Equal(ErrorCode.InvalidArgument, refused.Error?.Code);
    }

    private Task<(long Buffers, string Plan)> ExplainAsync(Guid account, long before, int limit) =>
        DeepHistory.ExplainAsync(money.DataSource, StatementStore.PageSql, account, 0L, before, limit);
}
