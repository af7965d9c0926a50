using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// The plaintext of an application message, JSON as docs/PROTOCOL.md has it under <i>Application content</i>.
/// </summary>
internal abstract record MessageContent
{
    private const int Version = 1;

    /// <summary>A checkpoint with one signature has about 250; others may have witnesses'.</summary>
    private const int LogNoteMaxChars = 4096;

    /// <summary>Text is content, not markup: what need not be escaped is not.</summary>
    private static readonly JsonWriterOptions s_writing =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private MessageContent()
    {
    }

    /// <summary>Whether it says that it is not to be kept; reserved for messages that disappear.</summary>
    public bool Expires { get; private init; }

    /// <summary>What somebody says.</summary>
    public sealed record Text(string Value) : MessageContent;

    /// <summary>What the group is called from here on.</summary>
    public sealed record GroupName(string Value) : MessageContent;

    /// <summary>What a card says besides its terms.</summary>
    public sealed record CardDetails(CardId Card, byte[] Salt, string Memo) : MessageContent;

    /// <summary>Well formed, but of a version or type to come.</summary>
    public sealed record Newer : MessageContent;

    /// <summary>No content at all.</summary>
    public sealed record Malformed : MessageContent;

    /// <param name="log">
    /// The key log's signed checkpoint that the sender has seen, so that the receivers can tell whether they see the same.
    /// </param>
    /// <exception cref="InvalidOperationException">It is none that can be sent.</exception>
    public byte[] Encode(string? log = null)
    {
        var output = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(output, s_writing))
        {
            json.WriteStartObject();
            json.WriteNumber("v", Version);
            WriteFields(json);
            if (log is not null)
            {
                json.WriteString("log", log);
            }

            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Whatever a sender put in: never throws, and lets nothing beyond the protocol's bounds through.
    /// </summary>
    public static MessageContent Parse(ReadOnlyMemory<byte> plaintext)
    {
        try
        {
            using var document = JsonDocument.Parse(plaintext);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("v", out var version)
                || version.ValueKind != JsonValueKind.Number)
            {
                return new Malformed();
            }

            return !version.TryGetInt32(out var number) || number != Version
                ? new Newer()
                : ParseFields(root) with { Expires = root.TryGetProperty("expires", out _) };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The latter for text that is no text: half of a surrogate pair.
            return new Malformed();
        }
    }

    /// <summary>The checkpoint of the key log that a message's sender had seen; null where it does not say.</summary>
    public static string? LogOf(ReadOnlyMemory<byte> plaintext)
    {
        try
        {
            using var document = JsonDocument.Parse(plaintext);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && TextOf(document.RootElement, "log") is { Length: <= LogNoteMaxChars } note ? note : null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static MessageContent ParseFields(JsonElement root) => TextOf(root, "type") switch
    {
        null => new Malformed(),
        "text" => TextOf(root, "text") is { Length: <= Limits.TextMaxChars } text ? new Text(text) : new Malformed(),
        "group" => TextOf(root, "name") is { Length: <= Limits.GroupNameMaxChars } name
                ? new GroupName(name) : new Malformed(),
        "card" => ParseCard(root),
        _ => new Newer(),
    };

    private static MessageContent ParseCard(JsonElement root)
    {
        if (!Guid.TryParseExact(TextOf(root, "card"), "D", out var card)
            || TextOf(root, "memo") is not { Length: <= Limits.CardMemoMaxChars } memo
            || !root.TryGetProperty("items", out var items) || items.ValueKind != JsonValueKind.Array)
        {
            return new Malformed();
        }

        if (items.GetArrayLength() > 0)
        {
            return new Newer();
        }

        var salt = new byte[Limits.CardSaltBytes];
        return Convert.TryFromBase64String(TextOf(root, "salt") ?? "", salt, out var bytes) && bytes == salt.Length
            ? new CardDetails(new CardId(card), salt, memo)
            : new Malformed();
    }

    private static string? TextOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private void WriteFields(Utf8JsonWriter json)
    {
        switch (this)
        {
            case Text text:
                json.WriteString("type", "text");
                json.WriteString("text", text.Value);
                break;
            case GroupName name:
                json.WriteString("type", "group");
                json.WriteString("name", name.Value);
                break;
            case CardDetails card:
                json.WriteString("type", "card");
                json.WriteString("card", card.Card.Value);
                json.WriteBase64String("salt", card.Salt);
                json.WriteString("memo", card.Memo);
                json.WriteStartArray("items");
                json.WriteEndArray();
                break;
            default:
                throw new InvalidOperationException("Only content that this version knows can be sent.");
        }
    }
}
