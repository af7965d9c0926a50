using System.Globalization;
using System.Text;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>
/// Comma-separated values, RFC 4180: a header line, CRLF, quotes where needed, UTF-8 without a mark. Every entry is a
/// line; amounts have the asset's decimals and a point. Text that a spreadsheet would run as a formula gets an apostrophe.
/// </summary>
internal sealed class CsvStatementWriter : StatementWriter
{
    public static readonly StatementFormat Format = new(
        "csv", "text/csv; charset=utf-8; header=present", "csv", _ => null, () => new CsvStatementWriter());

    private const string Header =
        "version,time,transfer,kind,asset,posted,held,balance_after,held_after,counterparty_handle,counterparty_name,"
        + "card,conversation";

    private readonly StreamWriter _text;
    private StatementHead? _head;

    public CsvStatementWriter() =>
        _text = new StreamWriter(Output, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { NewLine = "\r\n" };

    public override void Begin(StatementHead head)
    {
        _head = head;
        _text.WriteLine(Header);
    }

    public override void Write(StatementEntry entry) => _text.WriteLine(string.Join(
        ',',
        entry.Version.ToString(CultureInfo.InvariantCulture),
        Instants.Text(entry.At),
        entry.Transfer,
        entry.Kind,
        _head!.Asset.Code,
        _head.Text(entry.PostedMinor),
        _head.Text(entry.HeldMinor),
        _head.Text(entry.BalanceAfterMinor),
        _head.Text(entry.HeldAfterMinor),
        Cell(entry.Counterparty?.Handle),
        Cell(entry.Counterparty?.DisplayName),
        entry.Card,
        entry.Conversation));

    public override void End()
    {
    }

    /// <summary>Somebody's own text as one field.</summary>
    internal static string Cell(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        var cell = new StringBuilder(text.Length + 1);
        var begins = true;
        foreach (var character in text)
        {
            if (begins && (IsFormula(character) || (cell.Length == 0 && char.IsControl(character))))
            {
                cell.Append('\'');
            }

            cell.Append(character);

            // Where commas are decimal points, spreadsheets separate by semicolons, whatever quotes say; some trim spaces.
            begins = character is ';' or '\t' or '\r' or '\n' || (begins && char.IsWhiteSpace(character));
        }

        var safe = cell.ToString();
        return safe.AsSpan().ContainsAny("\",\r\n'") || safe[0] == ' ' || safe[^1] == ' '
            ? $"\"{safe.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : safe;
    }

    /// <summary>OWASP's list of what begins a formula, with the wide forms that some programs take for the same.</summary>
    private static bool IsFormula(char character) =>
        character is '=' or '+' or '-' or '@' or '＝' or '＋' or '－' or '＠';

    protected override void Flush() => _text.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _text.Dispose();
        }

        base.Dispose(disposing);
    }
}
