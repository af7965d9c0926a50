using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>Statements as files: what is in each form, for an account with an entry of every kind.</summary>
public sealed class ExportTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static readonly XNamespace s_camt = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_scene_has_an_entry_of_every_kind()
    {
        var scene = await StatementScene.PlayAsync(money);
        Assert.Equal(
            "funding hold capture hold release transfer refund transfer hold capture capture transfer hold expire hold",
            string.Join(' ', scene.Entries.Select(entry => entry.Kind)));
        Assert.Equal((6_451, 200), (scene.Entries[^1].BalanceAfterMinor, scene.Entries[^1].HeldAfterMinor));
    }

    [Fact]
    public async Task CSV_has_every_entry_with_decimals_and_no_formula()
    {
        var scene = await StatementScene.PlayAsync(money);
        var records = CsvReader.Read(await scene.ExportAsync("csv"));
        Assert.Equal(
            [
                "version", "time", "transfer", "kind", "asset", "posted", "held", "balance_after", "held_after",
                "counterparty_handle", "counterparty_name", "card", "conversation",
            ],
            records[0]);
        Assert.Equal(scene.Entries.Count, records.Count - 1);
        foreach (var (record, entry) in records.Skip(1).Zip(scene.Entries))
        {
            Assert.Equal(
                [
                    entry.Version.ToString(CultureInfo.InvariantCulture), Instants.Text(entry.At),
                    entry.Transfer.ToString(), entry.Kind, "EUR", Euros(entry.PostedMinor), Euros(entry.HeldMinor),
                    Euros(entry.BalanceAfterMinor), Euros(entry.HeldAfterMinor), entry.Counterparty?.Handle ?? "",
                    entry.Counterparty is null ? "" : "'" + entry.Counterparty.DisplayName, entry.Card?.ToString() ?? "",
                    entry.Conversation?.ToString() ?? "",
                ],
                record);
        }
    }

    [Fact]
    public async Task JSON_is_the_statement_with_its_bounds()
    {
        var scene = await StatementScene.PlayAsync(money);
        var export = JsonSerializer.Deserialize<StatementExport>(
            await scene.ExportAsync("json"), ProtocolJson.Create())!;
        Assert.Equal(scene.Entries, export.Entries);
        Assert.Equal((scene.Anna.Account, "EUR", 2), (export.Owner.Id, export.Asset, export.Exponent));
        Assert.Equal(new StatementBalance(0, 0, 0), export.Opening);
        Assert.Equal(new StatementBalance(scene.Entries.Count, 6_451, 200), export.Closing);
        Assert.Null(export.From);
        Assert.True(export.To > scene.Entries[^1].At);
    }

    [Fact]
    public async Task OFX_has_what_was_booked_and_keeps_to_the_specification()
    {
        var scene = await StatementScene.PlayAsync(money);
        var text = await scene.ExportAsync("ofx");
        var document = XDocument.Parse(text);
        Assert.Empty(OfxGrammar.Check(text, document));
        var booked = scene.Entries.Where(entry => entry.PostedMinor != 0).ToList();
        Assert.Equal(
            booked.Select(entry => $"{Euros(entry.PostedMinor)} {entry.Transfer}"),
            document.Descendants("STMTTRN").Select(line => $"{line.Element("TRNAMT")!.Value} {line.Element("FITID")!.Value}"));
        Assert.Equal("64.51", document.Descendants("LEDGERBAL").Single().Element("BALAMT")!.Value);
        Assert.Equal("62.51", document.Descendants("AVAILBAL").Single().Element("BALAMT")!.Value);
        var paid = document.Descendants("STMTTRN").First(line => line.Element("TRNTYPE")!.Value == "DEBIT");
        Assert.Equal("=cmd|'/C X'!A0, \"Bob\"", paid.Element("NAME")!.Value);
        Assert.Contains("👩‍👩‍👧‍👦 of the very long name (@person", paid.Element("MEMO")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Camt_has_what_was_booked_and_keeps_to_the_message_definition()
    {
        var scene = await StatementScene.PlayAsync(money);
        var document = XDocument.Parse(await scene.ExportAsync("camt053"));
        Assert.Empty(CamtGrammar.Check(document));
        Assert.Equal(
            ["OPBD 0.00 CRDT", "CLBD 64.51 CRDT", "CLAV 62.51 CRDT"],
            document.Descendants(s_camt + "Bal").Select(balance =>
                $"{balance.Descendants(s_camt + "Cd").Single().Value} {Amount(balance)}"));
        var booked = scene.Entries.Where(entry => entry.PostedMinor != 0).ToList();
        var entries = document.Descendants(s_camt + "Ntry").ToList();
        Assert.Equal(
            booked.Select(entry =>
                $"{entry.Version} {Euros(Math.Abs(entry.PostedMinor))} {(entry.PostedMinor < 0 ? "DBIT" : "CRDT")} "
                + $"{entry.Transfer:N} {entry.Kind}"),
            entries.Select(entry =>
                $"{entry.Element(s_camt + "NtryRef")!.Value} {Amount(entry)} {entry.Element(s_camt + "AcctSvcrRef")!.Value} "
                + entry.Element(s_camt + "BkTxCd")!.Element(s_camt + "Prtry")!.Element(s_camt + "Cd")!.Value));

        // 100.00 came to begin with, 5.00 was refunded, 0.01 and 1.00 were paid back; 12.50, 20.00, 4.00 and 5.00 went.
        var summary = document.Descendants(s_camt + "TxsSummry").Single();
        Assert.Equal("8 147.51 64.51 CRDT 4 106.01 4 41.50", string.Join(
            ' ', summary.Descendants().Where(leaf => !leaf.HasElements).Select(leaf => leaf.Value)));

        var paid = entries[1].Descendants(s_camt + "RltdPties").Single();
        Assert.Equal("Anna & <Söhne>", paid.Element(s_camt + "Dbtr")!.Descendants(s_camt + "Nm").Single().Value);
        Assert.StartsWith(
            "person", paid.Element(s_camt + "Cdtr")!.Descendants(s_camt + "Othr").Single().Element(s_camt + "Id")!.Value,
            StringComparison.Ordinal);
        Assert.Equal(
            scene.Entries[2].Card!.Value.Value.ToString("N"), entries[1].Descendants(s_camt + "EndToEndId").Single().Value);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("json")]
    [InlineData("ofx")]
    [InlineData("camt053")]
    public async Task Periods_that_meet_have_every_entry_once_and_balances_that_follow(string format)
    {
        var scene = await StatementScene.PlayAsync(money);
        var middle = Instants.Text(scene.Entries[6].At);
        var (whole, first, second) = (
            await scene.ExportAsync(format), await scene.ExportAsync(format, null, middle),
            await scene.ExportAsync(format, middle));
        foreach (var entry in scene.Entries.Where(entry => entry.PostedMinor != 0))
        {
            var id = entry.Transfer.ToString(format == "camt053" ? "N" : "D");
            Assert.Contains(id, whole, StringComparison.Ordinal);
            Assert.Equal(entry.Version <= 6, first.Contains(id, StringComparison.Ordinal));
            Assert.Equal(entry.Version > 6, second.Contains(id, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task An_empty_period_is_a_statement_too()
    {
        var scene = await StatementScene.PlayAsync(money);
        var to = Instants.Text(scene.Entries[0].At);
        var camt = XDocument.Parse(await scene.ExportAsync("camt053", "2020-01-01", to));
        Assert.Empty(CamtGrammar.Check(camt));
        Assert.Empty(camt.Descendants(s_camt + "Ntry"));
        var ofx = await scene.ExportAsync("ofx", "2020-01-01", to);
        Assert.Empty(OfxGrammar.Check(ofx, XDocument.Parse(ofx)));
        Assert.Single(CsvReader.Read(await scene.ExportAsync("csv", "2020-01-01", to)));
    }

    [Fact]
    public async Task The_same_period_is_the_same_statement_and_another_message()
    {
        var scene = await StatementScene.PlayAsync(money);
        var to = Instants.Text(scene.Entries[^1].At);
        var (first, second) = (
            XDocument.Parse(await scene.ExportAsync("camt053", null, to)),
            XDocument.Parse(await scene.ExportAsync("camt053", null, to)));
        Assert.Equal(Id(first, "Stmt", "Id"), Id(second, "Stmt", "Id"));
        Assert.NotEqual(Id(first, "GrpHdr", "MsgId"), Id(second, "GrpHdr", "MsgId"));
    }

    [Fact]
    public async Task What_is_posted_while_a_file_is_written_is_not_in_it()
    {
        var scene = await StatementScene.PlayAsync(money);
        var export = (await scene.Exports.PrepareAsync(
            scene.Anna.Account, "EUR", "json", null, null, Limits.ExportEntries, Cancel)).Value;
        await scene.PayAsync(7);
        await using var file = new MemoryStream();
        await export.WriteAsync(file, Cancel);
        var read = JsonSerializer.Deserialize<StatementExport>(
            Encoding.UTF8.GetString(file.ToArray()), ProtocolJson.Create())!;
        Assert.Equal(scene.Entries, read.Entries);
        Assert.Equal(6_451, read.Closing.BalanceMinor);
    }

    [Fact]
    public async Task A_long_statement_is_written_piece_by_piece_from_its_first_entry_to_its_last()
    {
        const int versions = 20_000;
        var alice = await money.PersonAsync();
        await DeepHistory.WriteAsync(money, alice, versions);
        var exports = money.Server.Services.GetRequiredService<ExportService>();
        foreach (var format in StatementFormat.All)
        {
            var export = (await exports.PrepareAsync(
                alice.Account, "EUR", format.Name, null, null, versions, Cancel)).Value;
            await using var pieces = new Pieces();
            await export.WriteAsync(pieces, Cancel);

            // Memory is that of the largest piece.
            Assert.InRange(pieces.Largest, 1, 1024 * 1024);
            Assert.True(pieces.Count >= versions / 500, format.Name);
        }

        var refused = await exports.PrepareAsync(
            alice.Account, "EUR", "csv", null, null, versions - 1, Cancel);
        Assert.Equal(ErrorCode.InvalidArgument, refused.Error?.Code);
        Assert.Contains("20,000 entries", refused.Error!.Message, StringComparison.Ordinal);
    }

    private static string Euros(long minor) => (minor / 100m).ToString("0.00", CultureInfo.InvariantCulture);

    private static string Amount(XElement element) =>
        $"{element.Element(s_camt + "Amt")!.Value} {element.Element(s_camt + "CdtDbtInd")!.Value}";

    private static string Id(XDocument document, string parent, string name) =>
        document.Descendants(s_camt + parent).Single().Element(s_camt + name)!.Value;

    /// <summary>Takes everything and keeps nothing but how it came.</summary>
    private sealed class Pieces : MemoryStream
    {
        public int Largest { get; private set; }

        public int Count { get; private set; }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Largest = Math.Max(Largest, buffer.Length);
            Count++;
            return ValueTask.CompletedTask;
        }
    }
}
