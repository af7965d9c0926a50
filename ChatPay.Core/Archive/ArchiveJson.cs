using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Archive;

/// <summary>
/// A chunk's JSON, version 1: {"v":1,"people":[…],"items":[…]}, member by member in docs/ARCHIVE.md. Only devices of the
/// account can have written it, but of any version: what this one does not know is passed over, and nothing beyond the
/// protocol's bounds comes through.
/// </summary>
public static partial class ArchiveJson
{
    private const int Version = 1;

    /// <summary>Text is content, not markup: what need not be escaped is not.</summary>
    private static readonly JsonWriterOptions s_writing =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static readonly JsonDocumentOptions s_reading = new() { MaxDepth = ProtocolJson.MaxDepth };

    public static byte[] Encode(ArchiveContent content)
    {
        ArgumentNullException.ThrowIfNull(content);
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, s_writing))
        {
            json.WriteStartObject();
            json.WriteNumber("v", Version);
            json.WriteStartArray("people");
            foreach (var person in content.People)
            {
                json.WriteStartObject();
                json.WriteString("account", person.Id.Value);
                json.WriteString("handle", person.Handle);
                json.WriteString("displayName", person.DisplayName);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartArray("items");
            foreach (var item in content.Items)
            {
                Write(json, item);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }

    /// <returns>False where it is no chunk at all; what is to come is passed over.</returns>
    public static bool TryDecode(ReadOnlyMemory<byte> json, [NotNullWhen(true)] out ArchiveContent? content)
    {
        content = null;
        if (json.Length > Limits.ArchiveJsonBytes)
        {
            return false;
        }

        try
        {
            using var document = JsonDocument.Parse(json, s_reading);
            content = Read(document.RootElement);
            return content is not null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The latter for half of a surrogate pair in a name beside people and items.
            return false;
        }
    }

    private static void Write(Utf8JsonWriter json, ArchivedItem item)
    {
        json.WriteStartObject();
        json.WriteString("conversation", item.Conversation.Value);
        json.WriteNumber("seq", item.Seq);
        json.WriteString("at", item.At.ToUniversalTime());
        json.WriteString("account", item.Account.Value);
        json.WriteString("device", item.Device.Value);
        json.WriteString("id", item.Id.Value);
        json.WriteStartObject("content");
        switch (item.Content)
        {
            case ArchivedContent.Text text:
                json.WriteString("type", "text");
                json.WriteString("text", text.Value);
                break;
            case ArchivedContent.GroupName name:
                json.WriteString("type", "group");
                json.WriteString("name", name.Value);
                break;
            case ArchivedContent.Card card:
                json.WriteString("type", "card");
                json.WriteString("card", card.Id.Value);
                json.WriteString("memo", card.Memo);
                json.WriteBoolean("sound", card.IsSound);
                json.WriteString("kind", card.Kind == CardKind.Transfer ? "transfer" : "request");
                json.WriteString("payer", card.Payer.Value);
                json.WriteString("payee", card.Payee.Value);
                json.WriteString("amountMinor", card.AmountMinor.ToString(CultureInfo.InvariantCulture));
                json.WriteString("asset", card.Asset);
                break;
            default:
                throw new InvalidOperationException("Only content that this version knows is archived.");
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
