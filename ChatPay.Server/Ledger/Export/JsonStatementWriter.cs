using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>A <see cref="StatementExport"/> as JSON; its entries are those of the statement's pages, oldest first.</summary>
internal sealed class JsonStatementWriter : StatementWriter
{
    public static readonly StatementFormat Format = new(
        "json", "application/json", "json", _ => null, () => new JsonStatementWriter());

    private static readonly JsonSerializerOptions s_json = new(ProtocolJson.Create())
    {
        // Names stay readable; whoever shows the file in a page escapes it as anything else.
        Encoder = JavaScriptEncoder.Create(UnicodeRanges.All),
    };

    private readonly Utf8JsonWriter _json;

    public JsonStatementWriter() => _json = new Utf8JsonWriter(
        Output, new JsonWriterOptions { Encoder = s_json.Encoder });

    public override void Begin(StatementHead head)
    {
        // The members of a whole one, without the entries that are still to come.
        var empty = JsonSerializer.SerializeToElement(
            new StatementExport(
                head.Account.Value, head.Owner, head.Asset.Code.Value, head.Asset.Exponent, head.From, head.To,
                BalanceOf(head.Opening), BalanceOf(head.Closing), []),
            s_json);
        _json.WriteStartObject();
        foreach (var member in empty.EnumerateObject().Where(member => member.Value.ValueKind != JsonValueKind.Array))
        {
            member.WriteTo(_json);
        }

        _json.WriteStartArray("entries");
    }

    public override void Write(StatementEntry entry) => JsonSerializer.Serialize(_json, entry, s_json);

    public override void End()
    {
        _json.WriteEndArray();
        _json.WriteEndObject();
    }

    protected override void Flush() => _json.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _json.Dispose();
        }

        base.Dispose(disposing);
    }

    private static StatementBalance BalanceOf(BalancePoint point) =>
        new(point.Version, point.BalanceMinor, point.HeldMinor);
}
