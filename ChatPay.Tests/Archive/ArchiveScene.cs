using System.Text;
using System.Text.Json.Nodes;
using ChatPay.Core.Archive;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Archive;

/// <summary>An account of two devices, and everything about its archive that is in the shared fixture.</summary>
internal static class ArchiveScene
{
    private static readonly int[] s_padded = [1, 1023, 1024, 2047, 2048, 32_767, 32_768, 65_535];

    public static readonly AccountId Account = new(TestVault.IdOf("account"));
    public static readonly DeviceId One = new(TestVault.IdOf("device"));
    public static readonly DeviceId Two = new(TestVault.IdOf("another device"));

    private static readonly AccountId s_other = new(TestVault.IdOf("other account"));
    private static readonly DateTimeOffset s_at = new(2026, 11, 28, 9, 30, 15, 250, TimeSpan.Zero);

    public static ArchiveCipher Cipher() => ArchiveCipher.Of(Bytes("fixture archive"), Account);

    public static ArchivedItem Item(string name, ArchivedContent content, long seq = 7) => new(
        new(TestVault.IdOf("conversation")), seq, s_at.AddSeconds(seq), s_other, new(TestVault.IdOf("other device")),
        new(TestVault.IdOf("message " + name)), content);

    public static JsonObject Build(string note)
    {
        using var cipher = Cipher();
        var random = TestVault.Stream("fixture archive nonces");
        var one = Stream(cipher, One, FirstStream(), random);
        var two = Stream(cipher, Two, SecondStream(), random);
        return new JsonObject
        {
            ["note"] = note,
            ["account"] = Account.ToString(),
            ["archiveKey"] = Hex(Bytes("fixture archive")),
            ["archive"] = cipher.Id.ToString(),
            ["padding"] = new JsonArray(
                [.. s_padded.Select(size =>
                    new JsonArray(size, cipher.Seal(One, 0, Zeros(), new byte[size].Select(static _ => (byte)' ').ToArray(),
                        TestVault.Stream("padding")).Length - ArchiveCipher.OverheadBytes))]),
            ["streams"] = new JsonArray(one, two),
            ["refused"] = Refused(cipher, one, two),
            ["json"] = JsonCases(),
        };
    }

    private static IEnumerable<string> FirstStream() =>
    [
        OfSize(1023), OfSize(1024), Encoded(
            Item("card", Card("Für Kaffee ☕", isSound: true, CardKind.Transfer), 9),
            Item("request", Card(null, isSound: false, CardKind.Request), 10),
            Item("name", new ArchivedContent.GroupName("Kaffee & Kuchen 🍰"), 11)),
        """{"v":2,"things":[]}""",
    ];

    private static IEnumerable<string> SecondStream() =>
    [
        Encoded(Item("second device", new ArchivedContent.Text("<b>\"שלום\"</b>\n\u0001 \\ 😀"), 12)),
        """{"v":1,"people":[],"items":[],"later":{"a":1}}""",
    ];

    private static JsonObject Stream(ArchiveCipher cipher, DeviceId device, IEnumerable<string> jsons, FillRandom random)
    {
        var chunks = new JsonArray();
        var previous = Zeros();
        foreach (var json in jsons)
        {
            var nonce = new byte[12];
            random(nonce);
            var bytes = cipher.Seal(device, chunks.Count, previous, Encoding.UTF8.GetBytes(json), nonce.CopyTo);
            chunks.Add(new JsonObject
            {
                ["number"] = chunks.Count,
                ["previous"] = Hex(previous),
                ["nonce"] = Hex(nonce),
                ["json"] = json,
                ["items"] = Ids(json),
                ["sealed"] = Hex(bytes),
            });
            previous = ArchiveCipher.DigestOf(bytes);
        }

        return new JsonObject { ["device"] = device.ToString(), ["chunks"] = chunks };
    }

    private static JsonArray Refused(ArchiveCipher cipher, JsonObject one, JsonObject two)
    {
        byte[] first = Sealed(one, 0), second = Sealed(one, 1), third = Sealed(one, 2), foreign = Sealed(two, 0);
        var (afterFirst, afterSecond) = (ArchiveCipher.DigestOf(first), ArchiveCipher.DigestOf(second));
        using var otherKey = ArchiveCipher.Of(Bytes("another archive"), Account);
        using var otherAccount = ArchiveCipher.Of(Bytes("fixture archive"), s_other);
        var refused = new JsonArray();
        Add("the chunk after the next one", One, 1, afterFirst, third);
        Add("behind a chunk that was left out", One, 2, afterFirst, third);
        Add("another device's", One, 0, Zeros(), foreign);
        Add("of a number that is not its own", One, 3, afterSecond, third);
        Add("behind another history", One, 1, ArchiveCipher.DigestOf(foreign), second);
        Add("sealed with another archive's key", One, 0, Zeros(), Seal(otherKey, "{}"));
        Add("of another account", One, 0, Zeros(), Seal(otherAccount, "{}"));
        Add("another version", One, 0, Zeros(), Changed(first, 0));
        Add("another nonce", One, 0, Zeros(), Changed(first, 1));
        Add("another ciphertext", One, 0, Zeros(), Changed(first, 13));
        Add("another tag", One, 0, Zeros(), Changed(first, first.Length - 1));
        Add("too short", One, 0, Zeros(), first[..^1]);
        Add("too long", One, 0, Zeros(), [.. first, 0]);
        Add("nothing", One, 0, Zeros(), []);
        Add("padded further than it needs to be", One, 0, Zeros(), SealedRaw(cipher, [.. "{}"u8, 0x80], 2048));
        Add("without the end of its text", One, 0, Zeros(), SealedRaw(cipher, [.. "{}"u8], 1024));
        Add("nothing but padding", One, 0, Zeros(), SealedRaw(cipher, [0x80], 1024));
        return refused;

        void Add(string why, DeviceId device, long number, byte[] previous, byte[] bytes) => refused.Add(new JsonObject
        {
            ["why"] = why,
            ["device"] = device.ToString(),
            ["number"] = number,
            ["previous"] = Hex(previous),
            ["sealed"] = Hex(bytes),
        });
    }

    /// <summary>What the cipher itself never makes, sealed for the first place of the first stream.</summary>
    private static byte[] SealedRaw(ArchiveCipher cipher, byte[] start, int paddedBytes)
    {
        static byte[] Big(Guid id) => id.ToByteArray(bigEndian: true);
        byte[] place = [.. Big(Account.Value), .. Big(cipher.Id.Value), .. Big(One.Value), .. new byte[8]];
        var key = new byte[32];
        KeyDerivationAlgorithm.HkdfSha256.Expand(
            Bytes("fixture archive"), [.. "chatpay archive v1 chunk"u8, .. place], key);
        var nonce = Bytes("fixture odd nonce")[..12];
        var padded = new byte[paddedBytes];
        start.CopyTo(padded, 0);
        using var imported = Key.Import(AeadAlgorithm.Aes256Gcm, key, KeyBlobFormat.RawSymmetricKey);
        return
        [
            1, .. nonce, .. AeadAlgorithm.Aes256Gcm.Encrypt(
                imported, nonce, [.. "chatpay archive v1"u8, .. place, .. Zeros()], padded),
        ];
    }

    private static JsonArray JsonCases()
    {
        var (good, bad) = (Item("good", new ArchivedContent.Text("read")), Item("bad", new ArchivedContent.Text("TEXT")));
        var both = Encoded(good, bad);
        var card = Encoded(good, Item("card", Card("memo", isSound: true, CardKind.Transfer)));
        var cases = new JsonArray();
        Add("as it is", both);
        Add("members to come", both.Replace("\"v\":1", "\"v\":1,\"later\":[1]").Replace("TEXT", "TEXT\",\"later\":\"x"));
        Add("a type to come", both.Replace("\"text\",\"text\":\"TEXT\"", "\"poll\",\"text\":\"TEXT\""), 1);
        Add("text beyond its bound", both.Replace("TEXT", new string('x', Limits.TextMaxChars + 1)), 1);
        Add("no text", both.Replace("\"text\":\"TEXT\"", "\"text\":null"), 1);
        Add("text with half of a surrogate pair", both.Replace("TEXT", "a\\ud83d"), 1);
        Add("text that begins with the other half", both.Replace("TEXT", "\\ude00a"), 1);
        Add("text with a surrogate pair", both.Replace("TEXT", "\\ud83d\\ude00"));
        Add("a type with half of a surrogate pair", Second(both, "\"type\":\"text\"", "\"type\":\"\\ud800\""), 1);
        Add("an id with half of a surrogate pair", Second(both, bad.Id.ToString(), "\\ud800"), 1);
        Add("a person's name with half of a surrogate pair", both.Replace("Anna Ø", "\\udfff"), 2);
        Add("a card's memo with half of a surrogate pair", card.Replace("\"memo\":\"memo\"", "\"memo\":\"\\udbff!\""), 1);
        Add("a seq of zero", Second(both, "\"seq\":7", "\"seq\":0"), 1);
        Add("a seq that is no whole number", Second(both, "\"seq\":7", "\"seq\":7.5"), 1);
        Add("a seq beyond what every client reads", Second(both, "\"seq\":7", "\"seq\":9007199254740992"), 1);
        Add("an id that is none", Second(both, bad.Id.ToString(), "7"), 1);
        Add("a time that is none", Second(both, "2026-11-28T", "yesterday"), 1);
        Add("an item that is none", both.Replace("\"items\":[", "\"items\":[7,"), 2);
        Add("a person that is none", both.Replace("\"people\":[", "\"people\":[7,"), 2);
        Add("a card's amount with a sign", card.Replace("\"1234\"", "\"-1234\""), 1);
        Add("a card's amount of nothing", card.Replace("\"1234\"", "\"0\""), 1);
        Add("a card's amount beyond the limit", card.Replace("\"1234\"", "\"1000000000000001\""), 1);
        Add("a card of a kind to come", card.Replace("\"transfer\"", "\"gift\""), 1);
        Add("a card without a memo", card.Replace("\"memo\":\"memo\",", ""), 1);
        Add("a card without a judgement", card.Replace("\"sound\":true", "\"sound\":1"), 1);
        Add("a card's asset that cannot be", card.Replace("\"EUR\"", "\"eur\""), 1);
        Add("a group's name beyond its bound", Encoded(good).Replace(
            "\"type\":\"text\",\"text\":\"read\"", $"\"type\":\"group\",\"name\":\"{new string('n', 65)}\""), 0);
        Add("a version to come", both.Replace("\"v\":1", "\"v\":2"), 0);
        Refuse("no version", both.Replace("\"v\":1,", ""));
        Refuse("a version that is no number", both.Replace("\"v\":1", "\"v\":\"1\""));
        Refuse("no items", "{\"v\":1,\"people\":[]}");
        Refuse("people that are no list", "{\"v\":1,\"people\":{},\"items\":[]}");
        Refuse("a list", "[]");
        Refuse("not JSON", both[..^1]);
        return cases;

        void Add(string why, string json, int read = 2) => cases.Add(new JsonObject
        {
            ["why"] = why,
            ["json"] = json,
            ["items"] = new JsonArray([.. Ids(both).Take(read).Select(id => JsonValue.Create((string?)id))]),
        });

        void Refuse(string why, string json) =>
            cases.Add(new JsonObject { ["why"] = why, ["json"] = json, ["items"] = null });
    }

    private static string Second(string text, string from, string to)
    {
        var at = text.LastIndexOf(from, StringComparison.Ordinal);
        return text[..at] + to + text[(at + from.Length)..];
    }

    private static JsonArray Ids(string json)
    {
        var items = JsonNode.Parse(json)!["items"]?.AsArray() ?? [];
        return new JsonArray([.. items.Select(item => JsonValue.Create((string?)item!["id"]))]);
    }

    private static string OfSize(int jsonBytes)
    {
        var empty = Encoded(Item($"of {jsonBytes}", new ArchivedContent.Text(""))).Length;
        return Encoded(Item($"of {jsonBytes}", new ArchivedContent.Text(new string('a', jsonBytes - empty))));
    }

    private static string Encoded(params ArchivedItem[] items) => Encoding.UTF8.GetString(ArchiveJson.Encode(
        new ArchiveContent([new AccountView(s_other, "anna", "Anna Ø")], items)));

    private static ArchivedContent.Card Card(string? memo, bool isSound, CardKind kind) => new(
        new(TestVault.IdOf("card")), memo, isSound, kind, s_other, Account, 1234, "EUR");

    private static byte[] Seal(ArchiveCipher cipher, string json) =>
        cipher.Seal(One, 0, Zeros(), Encoding.UTF8.GetBytes(json), TestVault.Stream("fixture other nonce"));

    private static byte[] Sealed(JsonObject stream, int number) =>
        Convert.FromHexString((string)stream["chunks"]![number]!["sealed"]!);

    private static byte[] Changed(byte[] bytes, int at)
    {
        byte[] changed = [.. bytes];
        changed[at] ^= 1;
        return changed;
    }

    private static byte[] Bytes(string stream)
    {
        var bytes = new byte[32];
        TestVault.Stream(stream)(bytes);
        return bytes;
    }

    private static byte[] Zeros() => new byte[ArchiveCipher.DigestSize];

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
