using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Npgsql;
using NpgsqlTypes;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>What an account had at an instant.</summary>
public sealed class BalanceAtTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private const int Versions = 100_000;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_an_instant_it_is_the_balance_now_with_what_is_held_and_what_is_left()
    {
        var (alice, bob) = (await money.PersonAsync(), await money.PersonAsync());
        var conversation = await money.ConversationAsync(alice, bob);
        await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 2_500);
        var balance = await BalanceAsync(alice, null);
        Assert.Equal(
            new WalletBalanceAt("EUR", 2, 10_000, 2_500, 7_500, 2, balance.At), balance);
        Assert.InRange(balance.At, DateTimeOffset.UnixEpoch, await ClockAsync());
    }

    [Fact]
    public async Task A_wallet_that_is_missing_is_opened_by_asking_for_its_balance()
    {
        var alice = await money.PersonAsync(withWallets: false);
        var balance = await BalanceAsync(alice, null);
        Assert.Equal((1, 10_000), (balance.Version, balance.BalanceMinor));
    }

    [Fact]
    public async Task Every_entry_is_in_force_from_its_instant_to_that_of_the_next()
    {
        var (alice, bob) = (await money.PersonAsync(), await money.PersonAsync());
        var conversation = await money.ConversationAsync(alice, bob);
        for (var count = 1; count <= 3; count++)
        {
            var card = await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100 * count);
            await money.ActAsync(bob, card, count == 2 ? CardActionKind.Decline : CardActionKind.Accept);
        }

        var page = (await money.Statements.ReadPageAsync(alice.Account, "EUR", null, 100, null, null, default, Cancel)).Value;
        Assert.Equal(7, page.Entries.Count);
        foreach (var entry in page.Entries)
        {
            var at = await BalanceAsync(alice, Instants.Text(entry.At));
            Assert.Equal(
                (entry.Version, entry.BalanceAfterMinor, entry.HeldAfterMinor, entry.At),
                (at.Version, at.BalanceMinor, at.HeldMinor, at.At));
            var before = await BalanceAsync(alice, Instants.Text(entry.At - Instants.Resolution));
            Assert.Equal(entry.Version - 1, before.Version);
            Assert.Equal(entry.BalanceAfterMinor - entry.PostedMinor, before.BalanceMinor);
            Assert.Equal(entry.HeldAfterMinor - entry.HeldMinor, before.HeldMinor);
        }
    }

    [Fact]
    public async Task Halving_finds_what_looking_at_every_entry_finds()
    {
        var alice = await money.PersonAsync();
        const int few = 20_000;
        var account = await DeepHistory.WriteAsync(money, alice, few);
        const int span = (few - 2) / DeepHistory.EntriesPerSecond;
        var end = DeepHistory.Start.AddSeconds(span);
        var instants = new List<DateTimeOffset>
        {
            DeepHistory.Start.AddDays(-2), DeepHistory.Start.AddDays(-1), DeepHistory.Start.AddDays(-1).AddMicroseconds(-1),
            DeepHistory.Start, DeepHistory.Start.AddMicroseconds(-1), end, end.AddMicroseconds(-1), end.AddDays(1),
        };
        for (var count = 0; count < 400; count++)
        {
            var at = DeepHistory.Start.AddSeconds(RandomNumberGenerator.GetInt32(span + 1));
            instants.Add(count % 2 == 0 ? at : at.AddMicroseconds(RandomNumberGenerator.GetInt32(1_000_000)));
        }

        var store = new StatementStore(money.DataSource);
        var (points, _) = await store.ReadPointsAsync(account, [.. instants.Cast<DateTimeOffset?>()], Cancel);
        Assert.Equal(instants.Count, points.Count);

        await using var connection = await money.DataSource.OpenConnectionAsync(Cancel);
        var entries = (await connection.QueryAsync<(long Version, long Balance, long Held, DateTime At)>(
            """
            select version, balance_after_minor, held_after_minor, created_at from entry where account_id = @id
            order by version
            """,
            new { id = account.Value })).AsList();
        foreach (var (at, point) in instants.Zip(points))
        {
            var expected = new BalancePoint();
            foreach (var entry in entries)
            {
                if (new DateTimeOffset(entry.At) <= at)
                {
                    expected = new BalancePoint(entry.Version, entry.Balance, entry.Held, new(entry.At));
                }
            }

            Assert.True(expected == point, $"at {at:O}: {expected} by looking at all, {point} by halving");
        }
    }

    [Fact]
    public async Task Finding_an_instant_among_a_hundred_thousand_entries_looks_at_few_pages()
    {
        var alice = await money.PersonAsync();
        var account = await DeepHistory.WriteAsync(money, alice, Versions);
        var (middle, plan) = await ExplainAsync(account, DeepHistory.Start.AddHours(2));
        var (first, _) = await ExplainAsync(account, DeepHistory.Start.AddDays(-3));
        var (last, _) = await ExplainAsync(
            account, DeepHistory.Start.AddSeconds((Versions - 2) / DeepHistory.EntriesPerSecond));

        // 17 halvings of 100,000; each descends an index of three levels and reads one row.
        Assert.InRange(middle, 1, 100);
        Assert.InRange(first, 1, 100);
        Assert.InRange(last, 1, 100);

        // The few accounts of a test may well be read one by one; the entries never.
        Assert.DoesNotMatch("\"Seq Scan\"[^{}]*\"Relation Name\": \"entry\"", plan);
    }

    [Theory]
    [InlineData("yesterday")]
    [InlineData("2026-13-01")]
    [InlineData("2026-11-20T25:00:00Z")]
    [InlineData("2026-11-20T09:30:00")]
    [InlineData("2026-11-20T09:30:00 01:00")]
    [InlineData("11/20/2026")]
    [InlineData("2026-11-20T09:30:00Z; drop table entry")]
    public async Task What_is_no_instant_is_refused(string at)
    {
        var alice = await money.PersonAsync();
        var refused = await money.Statements.ReadBalanceAsync(alice.Account, "EUR", at, Cancel);
        Assert.Equal(ErrorCode.InvalidArgument, refused.Error?.Code);
        Assert.Contains("RFC 3339", refused.Error!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-11-20T09:30:00+01:00", "2026-11-20T08:30:00Z")]
    [InlineData("2026-11-20t09:30:00.1234567z", "2026-11-20T09:30:00.123456Z")]
    [InlineData("2026-11-20", "2026-11-20T00:00:00Z")]
    public void An_instant_is_read_in_any_zone_and_cut_to_microseconds(string written, string expected)
    {
        Assert.Null(Instants.Read(written, "at", out var instant));
        Assert.Equal(expected, Instants.Text(instant!.Value));
    }

    [Fact]
    public async Task The_future_is_refused_and_says_what_time_it_is()
    {
        var alice = await money.PersonAsync();
        var now = await ClockAsync();
        var refused = await money.Statements.ReadBalanceAsync(
            alice.Account, "EUR", Instants.Text(now.AddMinutes(5)), Cancel);
        Assert.Equal(ErrorCode.InvalidArgument, refused.Error?.Code);
        Assert.Contains("has not happened yet", refused.Error!.Message, StringComparison.Ordinal);
        Assert.Contains(
            now.Year.ToString(CultureInfo.InvariantCulture), refused.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_asset_is_refused()
    {
        var alice = await money.PersonAsync();
        var refused = await money.Statements.ReadBalanceAsync(alice.Account, "XAU", null, Cancel);
        Assert.Equal(ErrorCode.AssetUnknown, refused.Error?.Code);
    }

    [Fact]
    public async Task Over_HTTP_amounts_are_texts_and_strangers_get_nothing()
    {
        await using var alice = await Person.SignUpAsync(money.Server.Address);
        var balance = await alice.Client.BalanceAsync("EUR", null, Cancel);
        Assert.Equal((10_000, 10_000, 1), (balance.BalanceMinor, balance.AvailableMinor, balance.Version));
        Assert.Equal(0, (await alice.Client.BalanceAsync("EUR", DateTimeOffset.UnixEpoch, Cancel)).Version);

        using var stranger = money.Server.CreateClient();
        var refused = await stranger.GetAsync("/v1/wallet/EUR/balance", Cancel);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    private async Task<WalletBalanceAt> BalanceAsync(WalletHolder holder, string? at)
    {
        var balance = await money.Statements.ReadBalanceAsync(holder.Account, "EUR", at, Cancel);
        Assert.Null(balance.Error);
        return balance.Value;
    }

    private Task<(long Buffers, string Plan)> ExplainAsync(LedgerAccountId account, DateTimeOffset at) =>
        DeepHistory.ExplainAsync(
            money.DataSource, StatementStore.PointsSql, account.Value,
            new NpgsqlParameter
            {
                Value = new DateTimeOffset?[] { at },
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz,
            });

    private async Task<DateTimeOffset> ClockAsync()
    {
        await using var connection = await money.DataSource.OpenConnectionAsync(Cancel);
        return new DateTimeOffset(await connection.QuerySingleAsync<DateTime>("select clock_timestamp()"));
    }
}
