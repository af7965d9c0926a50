using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Transparency;
using ChatPay.Server.Vault;
using ChatPay.Tests.Support;
using ChatPay.Verify;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Transparency;

/// <summary>A server's log with more entries than one tile, downloaded once; every test alters a copy of its own.</summary>
public sealed class DownloadedLog(PostgresFixture postgres) : IAsyncLifetime
{
    /// <summary>Requests of as many entries as one may have, each a new digest of a vault.</summary>
    private const int Requests = 20;

    private readonly TemporaryFolder _folder = new();
    private TestServer? _server;
    private string _token = "";

    public string Url => _server!.Address.ToString();

    public string Key { get; private set; } = "";

    public long Size { get; private set; }

    internal AccountId Account { get; private set; }

    /// <summary>Stands before the server.</summary>
    internal HttpFault Fault { get; } = new();

    /// <summary>The log's folder, and the account's chain page by page.</summary>
    public string Log => Path.Combine(_folder.Path, "log");

    public IReadOnlyList<string> Pages { get; private set; } = [];

    /// <summary>A checkpoint of when the log was shorter.</summary>
    public string Earlier => Path.Combine(_folder.Path, "earlier");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var source = NpgsqlDataSource.Create(database);
        _server = await TestServer.StartAsync(database, configure: Fault.AddTo);
        await using var person = await Person.SignUpAsync(_server.Address);
        Key = (await person.Client.KeyLogAsync(Cancellation)).VerifierKey;
        (Account, _token) = (person.Id, person.Client.Token!);
        var begun = await person.BeginChainAsync();
        await File.WriteAllTextAsync(Earlier, begun.Checkpoint, Cancellation);
        Assert.True(KeyLogEntry.TryRead(begun.Entries[^1].Entry, out var last, out _));
        for (var request = 0; request < Requests; request++)
        {
            var entries = new List<byte[]>();
            while (entries.Count < Limits.KeyEntriesPerRequest)
            {
                var digest = new byte[KeyLogEntry.DigestSize];
                digest[0] = (byte)(1 + request);
                digest[1] = (byte)entries.Count;
                last = KeyLogEntry.VaultConfigured(
                    new KeyLogPlace(person.Id, last.Sequence + 1, last.Hash()), digest, person.IdentityKey!);
                entries.Add(last.Encoding.ToArray());
            }

            await person.Client.AppendKeysAsync(entries, Cancellation);

            // More than an account may add in a day.
            await using var command = source.CreateCommand("update key_entry set added_at = now() - interval '1 day'");
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        Size = last.Sequence + 1;
        var (code, said) = await RunAsync("fetch", Url, Log);
        Assert.True(code == 0, said);
        Pages = await PagesAsync(Size);
    }

    /// <summary>What the tool ends with, and everything that it says.</summary>
    public static async Task<(int Code, string Said)> RunAsync(params string[] args)
    {
        await using var said = new StringWriter();
        var code = await VerifyCommandLine.RunAsync(args, said, said, Cancellation);
        return (code, said.ToString());
    }

    /// <summary>The chain as the server gives it to somebody who has a checkpoint of that size.</summary>
    public async Task<IReadOnlyList<string>> PagesAsync(long size)
    {
        using var http = new HttpClient { BaseAddress = _server!.Address };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", _token);
        var pages = new List<string>();
        for (var from = 0L; from < Size; from += Limits.KeyEntriesPerPage)
        {
            var file = Path.Combine(_folder.Path, string.Create(CultureInfo.InvariantCulture, $"page-{size}-{from}.json"));
            await File.WriteAllBytesAsync(
                file,
                await http.GetByteArrayAsync(
                    new Uri(
                        string.Create(CultureInfo.InvariantCulture, $"v1/keys/accounts/{Account}?from={from}&size={size}"),
                        UriKind.Relative),
                    Cancellation),
                Cancellation);
            pages.Add(file);
        }

        return pages;
    }

    /// <summary>A checkpoint that the log's own key signs and that is not of this log's history.</summary>
    public string SignAnother(long size)
    {
        Assert.True(NoteVerifier.TryParse(Key, out var verifier));
        using var file = LogKeyFile.Open(
            LogDefinition.Keys, _server!.Services.GetRequiredService<VaultPlan>().KeyFolder, mayCreate: false)!;
        var path = Path.Combine(_folder.Path, string.Create(CultureInfo.InvariantCulture, $"another-{size}"));
        File.WriteAllBytes(
            path, new Checkpoint(verifier.Name, size, new byte[32]).Sign(new NoteSigner(verifier.Name, file.Key)).ToBytes());
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        _folder.Dispose();
    }
}

/// <summary>The command-line tool for strangers: what it finds right, and that it finds everything that is not.</summary>
public sealed class VerifyToolTests(DownloadedLog log) : IClassFixture<DownloadedLog>
{
    private const int NotChecked = 2;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_log_holds_from_a_folder_and_from_the_server_and_goes_on_from_earlier_checkpoints()
    {
        foreach (var place in new[] { log.Log, log.Url, log.Url + "log/keys/" })
        {
            var (code, said) = await DownloadedLog.RunAsync("log", place, "--key", log.Key, "--since", log.Earlier);
            Assert.True(code == 0, said);
            Assert.Contains("The 322 entries give the root that was signed.", said, StringComparison.Ordinal);
            Assert.Contains("its first 2 entries are the same", said, StringComparison.Ordinal);
        }

        var (again, json) = await DownloadedLog.RunAsync(
            "log", log.Log, "--key", log.Key, "--since", Path.Combine(log.Log, "checkpoint"), "--json");
        Assert.Equal(0, again);
        Assert.True(JsonDocument.Parse(json).RootElement.GetProperty("holds").GetBoolean());
    }

    [Fact]
    public async Task Every_file_of_a_log_counts_whether_it_is_altered_cut_or_gone()
    {
        string[] expected =
        [
            "checkpoint", "tile/0/000", "tile/0/001.p/66", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/66",
        ];
        var files = Directory.EnumerateFiles(log.Log, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(log.Log, file).Replace('\\', '/')).Order(StringComparer.Ordinal);
        Assert.Equal(expected, files);
        foreach (var file in expected)
        {
            var bytes = await File.ReadAllBytesAsync(Path.Combine(log.Log, file), Cancellation);
            var altered = bytes.ToArray();
            altered[bytes.Length / 2] ^= 1;
            foreach (var broken in new[] { altered, bytes[..^1], null })
            {
                using var copy = Copy();
                var path = Path.Combine(copy.Path, file);
                if (broken is null)
                {
                    File.Delete(path);
                }
                else
                {
                    await File.WriteAllBytesAsync(path, broken, Cancellation);
                }

                var (code, said) = await DownloadedLog.RunAsync("log", copy.Path, "--key", log.Key);
                Assert.True(code == 1, $"{file}: {said}");
                Assert.Contains("DOES NOT HOLD", said, StringComparison.Ordinal);
                Assert.Contains(file, said, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public async Task A_changed_entry_is_named_and_so_is_another_root()
    {
        using var copy = Copy();
        var path = Path.Combine(copy.Path, "tile/entries/001.p/66");
        var bytes = await File.ReadAllBytesAsync(path, Cancellation);
        bytes[(34 * 3) + 2] ^= 0x80;
        await File.WriteAllBytesAsync(path, bytes, Cancellation);
        var (code, said) = await DownloadedLog.RunAsync("log", copy.Path, "--key", log.Key);
        Assert.Equal(1, code);
        Assert.Contains(
            "Entry 259 in tile/entries/001.p/66 does not give hash 3 of tile/0/001.p/66", said, StringComparison.Ordinal);
        Assert.Contains("The entries give another root", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_shrank_or_changed_its_history_does_not_hold()
    {
        var (shrunk, said) = await DownloadedLog.RunAsync(
            "log", log.Log, "--key", log.Key, "--since", log.SignAnother(log.Size + 1));
        Assert.Equal(1, shrunk);
        Assert.Contains("a log never shrinks", said, StringComparison.Ordinal);
        var (changed, sentence) = await DownloadedLog.RunAsync(
            "log", log.Log, "--key", log.Key, "--since", log.SignAnother(300));
        Assert.Equal(1, changed);
        Assert.Contains("first 300 entries are not those of the earlier checkpoint", sentence, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_download_goes_on_where_it_was_cut_off_and_is_bounded()
    {
        using var copy = Copy();
        File.Delete(Path.Combine(copy.Path, "tile/0/000"));
        await File.WriteAllBytesAsync(Path.Combine(copy.Path, "tile/0/001.p/66"), new byte[5], Cancellation);
        var (code, said) = await DownloadedLog.RunAsync("fetch", log.Url, copy.Path);
        Assert.Equal(0, code);
        Assert.StartsWith("2 files are new; the log has 322 entries.", said, StringComparison.Ordinal);
        Assert.Equal(0, (await DownloadedLog.RunAsync("log", copy.Path, "--key", log.Key)).Code);

        var (tooLong, reason) = await DownloadedLog.RunAsync("fetch", log.Url, copy.Path, "--max-entries", "321");
        Assert.Equal(NotChecked, tooLong);
        Assert.Contains("--max-entries", reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("7")]
    [InlineData("86400")]
    [InlineData(null)]
    public async Task A_server_that_asks_for_patience_gets_some_and_not_without_end(string? retryAfter)
    {
        var asked = 0;
        var refusals = int.MaxValue;
        log.Fault.Around = (context, carryOut) =>
        {
            if (asked++ >= refusals)
            {
                return carryOut();
            }

            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        };
        try
        {
            var time = new HurriedTime();
            using var files = LogFiles.Open(log.Url, time);
            var givenUp = await Assert.ThrowsAsync<UnreadableException>(() => files.ReadAsync("checkpoint", Cancellation));
            Assert.Contains("it answered 429", givenUp.Message, StringComparison.Ordinal);
            Assert.Equal(time.Waits.Count + 1, asked);
            Assert.All(time.Waits, wait => Assert.InRange(wait, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1)));
            Assert.InRange(time.Waits.Sum(wait => wait.TotalSeconds), 840, 900);

            (asked, refusals) = (0, 12);
            Assert.NotNull(await files.ReadAsync("checkpoint", Cancellation));
        }
        finally
        {
            log.Fault.Around = null;
        }
    }

    [Fact]
    public async Task A_chain_is_told_in_plain_words_against_a_checkpoint_of_its_size_or_an_earlier_one()
    {
        var (code, said) = await ChainAsync(log.Pages, Path.Combine(log.Log, "checkpoint"));
        Assert.True(code == 0, said);
        foreach (var words in new[]
        {
            $"The chain is of account {log.Account}", "Entry 0, at place 0 of the log: the account begins with identity key",
            "Entry 1, at place 1 of the log: device", "a PIN is set up; the vault's digest is 0100",
            "All 322 entries follow from one another", "The identity was never reset.",
        })
        {
            Assert.Contains(words, said, StringComparison.Ordinal);
        }

        Assert.Equal(0, (await ChainAsync(await log.PagesAsync(2), log.Earlier)).Code);
    }

    [Fact]
    public async Task A_chain_does_not_hold_where_anything_of_it_is_altered_left_out_or_not_tied_to_the_checkpoint()
    {
        var checkpoint = Path.Combine(log.Log, "checkpoint");
        (Action<JsonNode> Alter, string Says)[] alterations =
        [
            (page => Flip(page["entries"]![5]!, "entry"), "Entry 5 is no good"),
            (page => Flip(page["entries"]![5]!, "salt"), "Entry 5 is not proved to be in the log"),
            (page => page["entries"]![5]!["index"] = 6, "Entry 5 is not proved to be in the log at place 6"),
            (page => page["entries"]![5]!["proof"]!.AsArray().RemoveAt(0), "the proof is longer or shorter"),
            (page => page["entries"]!.AsArray().RemoveAt(5), "Entry 5 is no good: it does not have the next number"),
            (page => page["entries"]![5] = null, "is no chain as a server answers it"),
            (page => page["checkpoint"] = ((string)page["checkpoint"]!).Replace("322", "323", StringComparison.Ordinal),
                "its signature is not right"),
            (page => page["account"] = Guid.Empty.ToString(), "Entry 0 is no good: it is of another account"),
            (page => page["from"] = 1, "comes next"),
        ];
        foreach (var (alter, says) in alterations)
        {
            using var folder = new TemporaryFolder();
            var page = JsonNode.Parse(await File.ReadAllTextAsync(log.Pages[0], Cancellation))!;
            alter(page);
            var file = Path.Combine(folder.Path, "page.json");
            await File.WriteAllTextAsync(file, page.ToJsonString(), Cancellation);
            var (code, said) = await ChainAsync([file, .. log.Pages.Skip(1)], checkpoint);
            Assert.True(code == 1, $"{says}: {said}");
            Assert.Contains(says, said, StringComparison.Ordinal);
        }

        var (partly, missing) = await ChainAsync([.. log.Pages.SkipLast(1)], checkpoint);
        Assert.Equal(1, partly);
        Assert.Contains("name all pages", missing, StringComparison.Ordinal);

        // Proved from another size than the checkpoint's; of another history; older than the checkpoint.
        Assert.Equal(1, (await ChainAsync(log.Pages, log.Earlier)).Code);
        Assert.Contains("fork", (await ChainAsync(log.Pages, log.SignAnother(log.Size))).Said, StringComparison.Ordinal);
        Assert.Contains(
            "ask the server for the chain again", (await ChainAsync(log.Pages, log.SignAnother(log.Size + 5))).Said,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_another_key_signed_does_not_hold()
    {
        Assert.True(NoteVerifier.TryParse(log.Key, out var verifier));
        using var another = TestMls.NewSignatureKey();
        var other = new NoteVerifier(verifier.Name, another.PublicKey).ToString();
        var (code, said) = await DownloadedLog.RunAsync("log", log.Log, "--key", other);
        Assert.Equal(1, code);
        Assert.Contains("the key that was named did not sign it", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_says_when_it_was_called_wrongly()
    {
        foreach (var args in new string[][]
        {
            ["log"], ["log", log.Log], ["log", "no-such-folder", "--key", log.Key], ["log", log.Log, "--key", "no-key"],
            ["chain", log.Pages[0], "--key", log.Key], ["fetch", "no-address", "folder"], ["nonsense"],
            ["chain", "no-such-file", "--key", log.Key, "--checkpoint", log.Earlier],
            ["fetch", log.Url, "folder", "--max-entries", "0"],
        })
        {
            var (code, said) = await DownloadedLog.RunAsync(args);
            Assert.True(code == NotChecked, string.Join(' ', args) + ": " + said);
        }
    }

    private static void Flip(JsonNode entry, string member)
    {
        var bytes = Convert.FromBase64String((string)entry[member]!);
        bytes[^1] ^= 1;
        entry[member] = Convert.ToBase64String(bytes);
    }

    private Task<(int Code, string Said)> ChainAsync(IReadOnlyList<string> pages, string checkpoint) =>
        DownloadedLog.RunAsync(["chain", .. pages, "--key", log.Key, "--checkpoint", checkpoint]);

    private TemporaryFolder Copy()
    {
        var copy = new TemporaryFolder();
        foreach (var file in Directory.EnumerateFiles(log.Log, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(copy.Path, Path.GetRelativePath(log.Log, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }

        return copy;
    }

    /// <summary>A clock on which every wait is over at once, and that knows how long they would have been.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public List<TimeSpan> Waits { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Waits.Add(dueTime);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
