using System.Text.Json;
using System.Text.Json.Nodes;
using ChatPay.Core.Protocol;
using ChatPay.Core.Receipts;
using ChatPay.Core.Transparency;
using ChatPay.Tests.Support;
using ChatPay.Tests.Transparency;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Receipts;

/// <summary>A sealed receipt, the payer's chain and the ledger log's files, downloaded once.</summary>
public sealed class DownloadedReceipt(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();

    public string Key { get; private set; } = "";

    public string Json { get; private set; } = "";

    public string Receipt => PathOf("receipt.json");

    /// <summary>The payer's chain, and the payee's.</summary>
    public string Chain => PathOf("payer.json");

    public string PayeesChain => PathOf("payee.json");

    /// <summary>The log as it was when the receipt was sealed, and later.</summary>
    public string Log => PathOf("log");

    public string Later => PathOf("later");

    internal string Payer { get; private set; } = "";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        await using var server = await TestServer.StartAsync(database);
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await ben.BeChainedAsync();
        var group = await TestGroup.DirectAsync(ada, ben);
        var card = await LedgerLogTests.PayAsync(group, ada, ben, 1234);
        await LedgerLogScene.SealedAsync(source);
        var receipt = await ReceiptDoorTests.SealedAsync(ben, card.Id);
        (Key, Payer) = ((await ben.Client.LedgerLogAsync(Cancellation)).VerifierKey, ada.Id.ToString());
        using var http = server.CreateClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", ben.Client.Token);
        Json = await http.GetStringAsync($"v1/receipts/{receipt.Transfer}", Cancellation);
        await File.WriteAllTextAsync(Receipt, Json, Cancellation);
        foreach (var (file, person) in new[] { (Chain, ada), (PayeesChain, ben) })
        {
            await File.WriteAllTextAsync(
                file, await http.GetStringAsync($"v1/keys/accounts/{person.Id}", Cancellation), Cancellation);
        }

        var address = new Uri(server.Address, "log/ledger/").ToString();
        Assert.Equal(0, (await DownloadedLog.RunAsync("fetch", address, Log)).Code);
        for (var i = 0; i < 3; i++)
        {
            await LedgerLogTests.PayAsync(group, ben, ada, 1);
        }

        await LedgerLogScene.SealedAsync(source);
        Assert.Equal(0, (await DownloadedLog.RunAsync("fetch", address, Later)).Code);
        var earlier = Path.Combine(Log, "checkpoint");
        Assert.Equal(0, (await DownloadedLog.RunAsync("log", Later, "--key", Key, "--since", earlier)).Code);
    }

    /// <summary>What the tool says of a file with this text.</summary>
    public async Task<(int Code, string Said)> CheckAsync(string text, params string[] more)
    {
        var file = PathOf(Path.GetRandomFileName());
        await File.WriteAllTextAsync(file, text, Cancellation);
        return await DownloadedLog.RunAsync(["receipt", file, .. more]);
    }

    public string PathOf(string name) => Path.Combine(_folder.Path, name);

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary><c>chatpay-verify receipt</c>: what holds is said in words, and nothing that was altered passes.</summary>
public sealed class ReceiptToolTests(DownloadedReceipt download) : IClassFixture<DownloadedReceipt>
{
    [Fact]
    public async Task A_receipt_holds_and_the_tool_says_in_words_what_it_proves()
    {
        var (code, said) = await DownloadedLog.RunAsync(
            "receipt", download.Receipt, "--key", download.Key, "--keys", download.Chain, "--log", download.Later);
        Assert.True(code == 0, said);
        Assert.Contains($"account {download.Payer} paid 12.34 EUR to account", said, StringComparison.Ordinal);
        Assert.Contains("signed for exactly this", said, StringComparison.Ordinal);
        Assert.Contains("was added to the payer's chain by entry 1.", said, StringComparison.Ordinal);
        Assert.Contains("The ledger log has it at place", said, StringComparison.Ordinal);
        Assert.Contains("goes on from the receipt's checkpoint", said, StringComparison.Ordinal);
        Assert.EndsWith("Everything holds.\n", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_ledgers_key_or_without_its_proof_nobody_knows()
    {
        var (code, said) = await DownloadedLog.RunAsync("receipt", download.Receipt);
        Assert.Equal(2, code);
        Assert.Contains("Whether that is the ledger's, --key has to say", said, StringComparison.Ordinal);
        Assert.DoesNotContain("Everything holds", said, StringComparison.Ordinal);
        var open = Parse();
        open.Remove("seal");
        (code, said) = await download.CheckAsync(open.ToJsonString(), "--key", download.Key);
        Assert.Equal(2, code);
        Assert.Contains("had not taken it in yet", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receipt_of_a_device_that_the_payers_chain_has_not_is_refused()
    {
        var (code, said) = await DownloadedLog.RunAsync(
            "receipt", download.Receipt, "--key", download.Key, "--keys", download.PayeesChain);
        Assert.Equal(1, code);
        Assert.Contains("is not the payer's", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Another_history_of_the_log_is_found_and_an_older_copy_tells_nothing()
    {
        var (code, said) = await CompareAsync(download.Log);
        Assert.True(code == 0, said);
        var forked = download.PathOf("forked");
        CopyFolder(download.Later, forked);
        var tile = Directory.EnumerateFiles(Path.Combine(forked, "tile", "0"), "*", SearchOption.AllDirectories).Last();
        var bytes = await File.ReadAllBytesAsync(tile, TestContext.Current.CancellationToken);
        bytes[5] ^= 1;
        await File.WriteAllBytesAsync(tile, bytes, TestContext.Current.CancellationToken);
        (code, said) = await CompareAsync(forked);
        Assert.Equal(1, code);
        Assert.Contains("two histories", said, StringComparison.Ordinal);
        File.Delete(tile);
        (code, said) = await CompareAsync(forked);
        Assert.Equal(2, code);
        Assert.Contains("is missing", said, StringComparison.Ordinal);
        Assert.Equal(2, (await CompareAsync(download.PathOf("none"))).Code);

        Task<(int Code, string Said)> CompareAsync(string log) =>
            DownloadedLog.RunAsync("receipt", download.Receipt, "--key", download.Key, "--log", log);
    }

    /// <summary>Every member, one by one: removed, emptied, of another kind, and changed a little.</summary>
    [Fact]
    public async Task A_file_in_which_any_member_was_altered_does_not_hold()
    {
        var paths = new List<string[]>();
        Collect(Parse(), [], paths);
        Assert.Contains(paths, path => path is ["seal", "proof"]);
        Assert.Contains(paths, path => path is ["authorisation", "deviceKey"]);
        foreach (var path in paths)
        {
            foreach (var (how, change) in Changes(path))
            {
                var altered = Parse();
                var parent = path[..^1].Aggregate((JsonNode)altered, (node, name) => node[name]!);
                change(parent.AsObject(), path[^1]);
                var (code, said) = await download.CheckAsync(altered.ToJsonString(), "--key", download.Key);
                var isOpen = path is ["seal"] && how is "removed" or "null";
                Assert.True(
                    isOpen ? code != 0 : code == 1, $"{string.Join('.', path)} {how}: {code}\n{said}");
            }
        }
    }

    [Fact]
    public async Task What_is_added_to_a_receipt_is_refused()
    {
        foreach (var path in new[] { Array.Empty<string>(), ["authorisation"], ["seal"] })
        {
            var altered = Parse();
            path.Aggregate((JsonNode)altered, (node, name) => node[name]!).AsObject()["memo"] = "for a house";
            Assert.Equal(1, (await download.CheckAsync(altered.ToJsonString(), "--key", download.Key)).Code);
        }

        var twice = download.Json.Insert(1, "\"amountMinor\":\"999999\",");
        Assert.Equal(1, (await download.CheckAsync(twice, "--key", download.Key)).Code);
    }

    [Fact]
    public async Task What_is_no_receipt_at_all_is_refused_and_what_is_too_large_is_not_read()
    {
        foreach (var text in new[]
        {
            "", "{", "[]", "{}", "null", "\"receipt\"", "12", "\0\0\0", download.Json[..^1], download.Json + "x",
            $"[{download.Json}]", new string('[', 5000), "{\"transfer\":" + new string('9', 5000) + "}",
        })
        {
            var (code, said) = await download.CheckAsync(text, "--key", download.Key);
            Assert.True(code == 1, $"{text[..Math.Min(20, text.Length)]}: {code} {said}");
        }

        for (var length = 0; length < download.Json.Length; length += 97)
        {
            Assert.Equal(1, (await download.CheckAsync(download.Json[..length], "--key", download.Key)).Code);
        }

        Assert.Equal(2, (await download.CheckAsync(new string(' ', 300_000) + download.Json, "--key", download.Key)).Code);
        Assert.Equal(2, (await DownloadedLog.RunAsync("receipt", download.PathOf("nothing"), "--key", download.Key)).Code);
        Assert.Equal(2, (await DownloadedLog.RunAsync("receipt", download.Receipt, "--key", "no key")).Code);
    }

    /// <summary>Every byte of what was signed, through the whole tool's checks.</summary>
    [Fact]
    public void A_receipt_in_which_any_signed_byte_was_altered_does_not_hold()
    {
        var view = JsonSerializer.Deserialize<ReceiptView>(download.Json, ProtocolJson.Create())!;
        Assert.True(NoteVerifier.TryParse(download.Key, out var verifier));
        Assert.Equal(ReceiptRejection.None, ReceiptChecks.Verify(view, verifier, out _));
        for (var at = 0; at < view.Receipt.Length; at++)
        {
            var bytes = view.Receipt.ToArray();
            bytes[at] ^= 0x20;
            Assert.NotEqual(ReceiptRejection.None, ReceiptChecks.Verify(view with { Receipt = bytes }, verifier, out _));
        }
    }

    private JsonObject Parse() => JsonNode.Parse(download.Json)!.AsObject();

    private static void Collect(JsonObject node, string[] at, List<string[]> paths)
    {
        foreach (var (name, value) in node)
        {
            paths.Add([.. at, name]);
            if (value is JsonObject inner)
            {
                Collect(inner, [.. at, name], paths);
            }
        }
    }

    private static IEnumerable<(string How, Action<JsonObject, string> Change)> Changes(string[] path)
    {
        yield return ("removed", (parent, name) => parent.Remove(name));
        yield return ("null", (parent, name) => parent[name] = null);
        yield return ("a number", (parent, name) => parent[name] = 7);
        yield return ("another text", (parent, name) => parent[name] = "AAAA");
        yield return ("an object", (parent, name) => parent[name] = new JsonObject());
        yield return ("a list", (parent, name) => parent[name] = new JsonArray(1, null));
        yield return ("changed a little", (parent, name) => parent[name] = ChangeALittle(parent[name]!));
        if (path is ["seal", "proof"])
        {
            yield return ("a hash more", (parent, name) => parent[name]!.AsArray().Add(Convert.ToBase64String(new byte[32])));
            yield return ("nothing in it", (parent, name) => parent[name]!.AsArray().Insert(0, null));
        }
    }

    /// <summary>One character, so that it is still of the same kind where that can be.</summary>
    private static JsonNode ChangeALittle(JsonNode node) => node switch
    {
        JsonArray list => new JsonArray([.. list.Skip(1).Select(hash => hash!.DeepClone())]),
        JsonObject inner => new JsonObject(inner.Skip(1).Select(
            member => KeyValuePair.Create(member.Key, member.Value?.DeepClone()))),
        _ when node.GetValueKind() == JsonValueKind.Number => node.GetValue<long>() + 1,
        _ => Twisted(node.GetValue<string>()),
    };

    private static string Twisted(string text)
    {
        var at = text.Length / 2;
        while (!char.IsAsciiLetterOrDigit(text[at]))
        {
            at++;
        }

        var other = text[at] switch { '9' => '8', 'z' => 'y', 'Z' => 'Y', var one => (char)(one + 1) };
        return text[..at] + other + text[(at + 1)..];
    }

    private static void CopyFolder(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
