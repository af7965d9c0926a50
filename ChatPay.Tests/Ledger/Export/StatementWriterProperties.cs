using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// Whatever a statement holds, its files keep to their standards and say what it says. A failure prints the seed.
/// </summary>
public sealed class StatementWriterProperties
{
    private static readonly XNamespace s_camt = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";

    [Fact]
    public void Camt_keeps_to_the_message_definition_and_its_balances_add_up() => Check("EUR", 5, statement =>
    {
        var document = XDocument.Parse(Write(CamtStatementWriter.Format, statement));
        RequireNone(CamtGrammar.Check(document));
        var balances = document.Descendants(s_camt + "Bal").Select(Signed).ToList();
        var entries = document.Descendants(s_camt + "Ntry").Select(Signed).ToList();
        Assert.Equal(balances[1], balances[0] + entries.Sum());
        Assert.Equal(
            statement.Entries.Where(entry => entry.PostedMinor != 0).Select(entry => Decimal(statement, entry.PostedMinor)),
            entries);
        Assert.Equal(
            Decimal(statement, statement.Head.Closing.BalanceMinor - statement.Head.Closing.HeldMinor), balances[2]);
        var sums = document.Descendants(s_camt + "Sum").Select(sum => decimal.Parse(sum.Value, CultureInfo.InvariantCulture))
            .ToList();
        Assert.Equal([sums[1] + sums[2], sums[0]], [sums[0], entries.Sum(Math.Abs)]);
        Assert.Equal(sums[1] - sums[2], entries.Sum());
    });

    [Fact]
    public void OFX_keeps_to_the_specification() => Check("EUR", 9, statement =>
    {
        var text = Write(OfxStatementWriter.Format, statement);
        var document = XDocument.Parse(text);
        RequireNone(OfxGrammar.Check(text, document));
        Assert.Equal(
            statement.Entries.Where(entry => entry.PostedMinor != 0).Select(entry => statement.Head.Text(entry.PostedMinor)),
            document.Descendants("TRNAMT").Select(amount => amount.Value));
        Assert.Equal(
            statement.Head.Text(statement.Head.Closing.BalanceMinor),
            document.Descendants("LEDGERBAL").Single().Element("BALAMT")!.Value);
    });

    [Fact]
    public void CSV_is_read_back_as_it_was_and_no_name_begins_a_formula() => Check("POINTS", 9, statement =>
    {
        var records = CsvReader.Read(Write(CsvStatementWriter.Format, statement));
        Assert.Equal(statement.Entries.Count + 1, records.Count);
        foreach (var (record, entry) in records.Skip(1).Zip(statement.Entries))
        {
            Assert.Equal(13, record.Length);
            var name = entry.Counterparty?.DisplayName ?? "";
            Assert.Equal(name.Replace("'", ""), record[10].Replace("'", ""));
            Assert.DoesNotMatch("^[\t\r\n]", record[10]);

            // Nor where a spreadsheet separates by something else than commas.
            Assert.DoesNotMatch("(^|[;\t\r\n])\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]", record[10]);
            Assert.Equal(Decimal(statement, entry.PostedMinor), decimal.Parse(record[5], CultureInfo.InvariantCulture));
        }
    });

    [Fact]
    public void JSON_is_read_back_as_it_was() => Check("POINTS", 9, statement =>
    {
        var export = JsonSerializer.Deserialize<StatementExport>(
            Write(JsonStatementWriter.Format, statement), ProtocolJson.Create())!;
        Assert.Equal(statement.Entries, export.Entries);
        Assert.Equal(statement.Head.Owner, export.Owner);
        Assert.Equal(
            (statement.Head.From, statement.Head.To, statement.Head.Closing.BalanceMinor),
            (export.From, export.To, export.Closing.BalanceMinor));
    });

    [Theory]
    [InlineData("=1+1", "\"'=1+1\"")]
    [InlineData("Zoe; =1+1", "\"Zoe; '=1+1\"")]
    [InlineData("Zoe;\uff0b1;-2", "\"Zoe;'\uff0b1;'-2\"")]
    [InlineData("\u00a0@x", "\"\u00a0'@x\"")]
    [InlineData("\u001b=1", "\"'\u001b=1\"")]
    [InlineData("Anna-Zoe = @home, \"her\" place", "\"Anna-Zoe = @home, \"\"her\"\" place\"")]
    [InlineData("", "")]
    [InlineData(null, "")]
    public void A_cell_of_CSV_begins_no_formula_whatever_separates_cells(string? text, string cell) =>
        Assert.Equal(cell, CsvStatementWriter.Cell(text));

    [Theory]
    [InlineData("a name", 32, "a name")]
    [InlineData("  a\nname \u0001", 32, "a name \ufffd")]
    [InlineData("abcdef", 4, "abcd")]
    [InlineData("abc \ud83d\ude00", 5, "abc")]
    [InlineData("ab\ud83d\udc69\u200d\ud83d\udc67", 5, "ab")]
    [InlineData("e\u0301\u0301\u0301\u0301", 3, "e\u0301\u0301")]
    [InlineData(" \r\n\t", 32, null)]
    [InlineData(null, 32, null)]
    public void Text_is_cleaned_and_cut_between_characters(string? text, int maxChars, string? expected) =>
        Assert.Equal(expected, StatementText.Fit(text, maxChars));

    [Theory]
    [InlineData(18, false)]
    [InlineData(19, true)]
    public void Camt_refuses_sums_beyond_eighteen_digits(int digits, bool refused)
    {
        var amount = long.Parse("9" + new string('0', digits - 1), CultureInfo.InvariantCulture);
        var head = Gen.Sample(GeneratedStatement.Of("EUR", 2), 1).First().Head with
        {
            Opening = default,
            Closing = new BalancePoint(1, amount, 0),
            Totals = new StatementTotals(null, 1, amount, 0, 0),
        };
        Assert.Equal(refused, CamtStatementWriter.Format.Refuse(head) is not null);
    }

    private static void Check(string code, int exponentMax, Action<GeneratedStatement> law) => Prop
        .ForAll(GeneratedStatement.Of(code, exponentMax).ToArbitrary(), law)
        .Check(Config.QuickThrowOnFailure.WithMaxTest(300));

    /// <summary>In pieces, as a long one is written.</summary>
    private static string Write(StatementFormat format, GeneratedStatement statement)
    {
        Assert.Null(format.Refuse(statement.Head));
        using var file = new MemoryStream();
        using var writer = format.Create();
        writer.Begin(statement.Head);
        foreach (var piece in statement.Entries.Chunk(3))
        {
            Array.ForEach(piece, writer.Write);
            Drain(writer, file);
        }

        writer.End();
        Drain(writer, file);
        return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(file.ToArray());
    }

    private static void Drain(StatementWriter writer, MemoryStream file)
    {
        file.Write(writer.Pending().Span);
        writer.Forget();
    }

    private static void RequireNone(IReadOnlyList<string> findings) =>
        Assert.True(findings.Count == 0, string.Join('\n', findings));

    private static decimal Signed(XElement element) =>
        decimal.Parse(element.Element(s_camt + "Amt")!.Value, CultureInfo.InvariantCulture)
        * (element.Element(s_camt + "CdtDbtInd")!.Value == "DBIT" ? -1 : 1);

    private static decimal Decimal(GeneratedStatement statement, long amountMinor) =>
        decimal.Parse(statement.Head.Text(amountMinor), CultureInfo.InvariantCulture);
}
