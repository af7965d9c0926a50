using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Archive;

/// <content>Reading, within bounds.</content>
public static partial class ArchiveJson
{
    /// <summary>Of the largest amount.</summary>
    private const int AmountMaxDigits = 16;

    private static ArchiveContent? Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("v", out var version)
            || version.ValueKind != JsonValueKind.Number)
        {
            return null;
        }

        if (!version.TryGetInt32(out var number) || number != Version)
        {
            return new ArchiveContent([], [], 1);
        }

        if (!TryGet(root, "people", JsonValueKind.Array, out var people)
            || !TryGet(root, "items", JsonValueKind.Array, out var items))
        {
            return null;
        }

        // The chunk's size bounds both.
        var known = people.EnumerateArray().Select(static person => ReadOne(person, ReadPerson)).ToList();
        var read = items.EnumerateArray().Select(static item => ReadOne(item, ReadItem)).ToList();
        return new ArchiveContent(
            [.. known.OfType<AccountView>()], [.. read.OfType<ArchivedItem>()],
            known.Count(static person => person is null) + read.Count(static item => item is null));
    }

    /// <summary>Text that is no text, half of a surrogate pair, is out of bounds for what it stands in, and no damage.</summary>
    private static T? ReadOne<T>(JsonElement element, Func<JsonElement, T?> read)
        where T : class
    {
        try
        {
            return read(element);
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static AccountView? ReadPerson(JsonElement person) =>
        person.ValueKind == JsonValueKind.Object && IdOf(person, "account") is { } account
        && TextOf(person, "handle", Limits.HandleMaxChars) is { } handle

        // Counted in UTF-16 units here, of which a character has one or two.
        && TextOf(person, "displayName", 2 * Limits.DisplayNameMaxChars) is { } displayName
            ? new AccountView(new AccountId(account), handle, displayName) : null;

    private static ArchivedItem? ReadItem(JsonElement item) =>
        item.ValueKind == JsonValueKind.Object && IdOf(item, "conversation") is { } conversation
        && TryGet(item, "seq", JsonValueKind.Number, out var number)
        && number.TryGetInt64(out var seq) && seq is > 0 and <= Limits.JsonNumberMax
        && TryGet(item, "at", JsonValueKind.String, out var time) && time.TryGetDateTimeOffset(out var at)
        && IdOf(item, "account") is { } account && IdOf(item, "device") is { } device && IdOf(item, "id") is { } id
        && TryGet(item, "content", JsonValueKind.Object, out var inner) && ReadContent(inner) is { } content
            ? new ArchivedItem(
                new ConversationId(conversation), seq, at.ToUniversalTime(), new AccountId(account), new DeviceId(device),
                new ClientMessageId(id), content)
            : null;

    private static ArchivedContent? ReadContent(JsonElement content) =>
        (content.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String
            ? type.GetString() : null) switch
        {
            "text" => TextOf(content, "text", Limits.TextMaxChars) is { } text ? new ArchivedContent.Text(text) : null,
            "group" => TextOf(content, "name", Limits.GroupNameMaxChars) is { } name
                ? new ArchivedContent.GroupName(name) : null,
            "card" => ReadCard(content),
            _ => null,
        };

    private static ArchivedContent.Card? ReadCard(JsonElement card)
    {
        if (IdOf(card, "card") is not { } id || IdOf(card, "payer") is not { } payer
            || IdOf(card, "payee") is not { } payee || !card.TryGetProperty("sound", out var sound)
            || sound.ValueKind is not (JsonValueKind.True or JsonValueKind.False)
            || AmountOf(card) is not { } amountMinor || !AssetCode.TryParse(
                TextOf(card, "asset", AssetCode.MaxChars), out var asset)
            || !card.TryGetProperty("memo", out var memo))
        {
            return null;
        }

        CardKind? kind = TextOf(card, "kind", Limits.CardMemoMaxChars) switch
        {
            "transfer" => CardKind.Transfer,
            "request" => CardKind.Request,
            _ => null,
        };
        var text = TextOf(card, "memo", Limits.CardMemoMaxChars);
        return kind is null || (text is null && memo.ValueKind != JsonValueKind.Null)
            ? null
            : new ArchivedContent.Card(
                new CardId(id), text, sound.GetBoolean(), kind.Value, new AccountId(payer), new AccountId(payee),
                amountMinor, asset.Value);
    }

    /// <summary>Decimal digits without a sign or a leading zero.</summary>
    private static long? AmountOf(JsonElement card) =>
        TextOf(card, "amountMinor", AmountMaxDigits) is { Length: > 0 } text && text[0] != '0'
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var amountMinor)
        && amountMinor <= Limits.AmountMaxMinor
            ? amountMinor : null;

    private static Guid? IdOf(JsonElement element, string name) =>
        TryGet(element, name, JsonValueKind.String, out var value)
        && Guid.TryParseExact(value.GetString(), "D", out var id) ? id : null;

    private static string? TextOf(JsonElement element, string name, int maxChars) =>
        TryGet(element, name, JsonValueKind.String, out var value) && value.GetString() is { } text
        && text.Length <= maxChars ? text : null;

    private static bool TryGet(JsonElement element, string name, JsonValueKind kind, out JsonElement value) =>
        element.TryGetProperty(name, out value) && value.ValueKind == kind;
}
