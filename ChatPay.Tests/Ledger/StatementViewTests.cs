using System.Globalization;
using System.Text.RegularExpressions;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The view that people read with: it says what the statement says, and its example is true.</summary>
public sealed partial class StatementViewTests(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");

    private readonly MoneyFixture _money = new(postgres);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => _money.InitializeAsync();

    public ValueTask DisposeAsync() => _money.DisposeAsync();

    [Fact]
    public async Task Every_row_says_what_the_statement_says()
    {
        var scene = await StatementScene.PlayAsync(_money);
        var rows = await QueryAsync(
            $"""
            select version, kind, posted, held, balance_before, balance_after, held_before, held_after, transfer_id
            from statement where account_id = '{Account(scene.Anna)}'
            order by version
            """);
        Assert.Equal(
            scene.Entries.Select(entry => string.Join(
                ' ', entry.Version, entry.Kind, Euros(entry.PostedMinor), Euros(entry.HeldMinor),
                Euros(entry.BalanceAfterMinor - entry.PostedMinor), Euros(entry.BalanceAfterMinor),
                Euros(entry.HeldAfterMinor - entry.HeldMinor), Euros(entry.HeldAfterMinor), entry.Transfer)),
            rows.Rows.Select(row => string.Join(' ', row)));
    }

    [Fact]
    public async Task The_documented_example_prints_what_is_recorded()
    {
        var page = await File.ReadAllTextAsync(Repository.PathOf("docs/LEDGER.md"), Cancel);
        var example = Example().Match(page);
        Assert.True(example.Success);
        var (anna, bob) = (await NamedAsync("anna"), await NamedAsync("bob"));
        var conversation = await _money.ConversationAsync(anna, bob);
        var card = await _money.PostAsync(CardKind.Transfer, conversation, anna, bob, 1_250);
        await _money.ActAsync(bob, card, CardActionKind.Accept);
        var (from, to, paid) = (Account(anna), Account(bob), new TransferId(_money.NewId()));
        await PostAsync(LedgerCommand.Transfer(paid, from, to, Money.Of(2_000, s_eur)));
        await PostAsync(LedgerCommand.Refund(new(_money.NewId()), paid, to, from, Money.Of(500, s_eur)));
        Assert.Equal(
            example.Groups["output"].Value.ReplaceLineEndings(),
            Print(await QueryAsync(example.Groups["sql"].Value)).ReplaceLineEndings());
    }

    [Fact]
    public async Task A_long_account_is_read_along_the_primary_key()
    {
        var anna = await NamedAsync("anna");
        var account = await DeepHistory.WriteAsync(_money, anna, 50_000);
        var (buffers, plan) = await DeepHistory.ExplainAsync(
            _money.DataSource,
            "select * from statement where account_id = $1 and version < 20000 order by version desc limit 20",
            account.Value);
        Assert.InRange(buffers, 1, 300);
        Assert.Contains("entry_pkey", plan, StringComparison.Ordinal);
    }

    private static LedgerAccountId Account(WalletHolder holder) => LedgerAccountId.Of(holder.Account, s_eur);

    private static string Euros(long minor) => (minor / 100m).ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>As psql prints: names at the left, numbers at the right.</summary>
    private static string Print(QueryOutput output)
    {
        var widths = output.Columns.Select((column, index) =>
            output.Rows.Select(row => row[index].Length).Append(column.Length).Max()).ToArray();
        var numbers = output.Columns.Select((column, index) => output.Rows.All(row => Number().IsMatch(row[index])))
            .ToArray();
        string Line(string[] cells, bool header) => " " + string.Join(" | ", cells.Select((cell, index) =>
            numbers[index] && !header ? cell.PadLeft(widths[index]) : cell.PadRight(widths[index]))).TrimEnd();
        return string.Join('\n',
        [
            Line(output.Columns, header: true),
            string.Join('+', widths.Select(width => new string('-', width + 2))),
            .. output.Rows.Select(row => Line(row, header: false)),
        ]);
    }

    private async Task<WalletHolder> NamedAsync(string handle)
    {
        var holder = await _money.PersonAsync();
        await using var connection = await _money.DataSource.OpenConnectionAsync(Cancel);
        await connection.ExecuteAsync(
            "update account set handle = @handle, skeleton = @handle where id = @id",
            new { handle, id = holder.Account.Value });
        return holder;
    }

    private async Task PostAsync(LedgerCommand command)
    {
        var committer = _money.Server.Services.GetRequiredService<GroupCommitter>();
        var decided = await committer.SubmitAsync(new PostTransferCommand(command), Cancel);
        Assert.Equal(LedgerStatus.Applied, decided.Value.Outcome.Status);
    }

    private async Task<QueryOutput> QueryAsync(string sql)
    {
        await using var command = _money.DataSource.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(Cancel);
        var columns = Enumerable.Range(0, reader.FieldCount).Select(reader.GetName).ToArray();
        var rows = new List<string[]>();
        while (await reader.ReadAsync(Cancel))
        {
            rows.Add([.. columns.Select((_, index) =>
                Convert.ToString(reader.GetValue(index), CultureInfo.InvariantCulture) ?? "")]);
        }

        return new QueryOutput(columns, rows);
    }

    [GeneratedRegex(
        """```sql\r?\n(?<sql>select version[^`]+)```\r?\n\r?\n```\r?\n(?<output>[^`]+?)\r?\n```""",
        RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Example();

    [GeneratedRegex(@"^-?[0-9.]+\z", RegexOptions.None, 1_000)]
    private static partial Regex Number();

    private sealed record QueryOutput(string[] Columns, List<string[]> Rows);
}
