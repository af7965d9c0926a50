using System.Security.Cryptography;
using System.Text;
using ChatPay.Client;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>The store on a disk: what it keeps, what it refuses, and what the death of its program leaves.</summary>
public sealed class FileStoreTests : IDisposable
{
    private const int TimeoutMs = 60_000;

    private readonly TemporaryFolder _temporary = new();
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(FileStore.KeyBytes);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Folder => Path.Combine(_temporary.Path, "store");

    private string FilePath => Path.Combine(Folder, "device.store");

    public void Dispose() => _temporary.Dispose();

    [Fact(Timeout = TimeoutMs)]
    public async Task What_was_written_is_there_when_it_is_opened_again()
    {
        await using (var store = await OpenAsync())
        {
            await WriteAsync(store, ("a/1", "one"), ("a/2", "two"), ("b/1", "three"));
            await WriteAsync(store, ("a/1", null), ("a/3", "four"), ("b/1", "five"));
            await WriteAsync(store, ("none", null));
        }

        await using var again = await OpenAsync();
        Assert.Equal(["a/2=two", "a/3=four", "b/1=five"], await AllAsync(again));
        Assert.Null(await again.ReadAsync("a/1", Cancellation));
        Assert.Equal("five", Text(await again.ReadAsync("b/1", Cancellation)));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Entries_are_listed_by_prefix_within_bounds_from_either_end()
    {
        await using var file = await OpenAsync();
        await using var memory = new MemoryStore();
        foreach (var store in new IDeviceStore[] { file, memory })
        {
            await WriteAsync(
                store, [.. Enumerable.Range(0, 10).Select(i => ($"k/{i}", (string?)$"{i}")), ("j", "x"), ("l", "y")]);
            Assert.Equal("0123456789", await ListAsync(store, new("k/")));
            Assert.Equal("345", await ListAsync(store, new("k/") { After = "k/2", Before = "k/6" }));
            Assert.Equal(
                "54", await ListAsync(store, new("k/") { After = "k/2", Before = "k/6", Backwards = true, Limit = 2 }));
            Assert.Equal("x0123456789y", await ListAsync(store, new("")));
            Assert.Equal("", await ListAsync(store, new("k/") { After = "k/9" }));
            Assert.Equal("", await ListAsync(store, new("k/") { After = "k/5", Before = "k/5" }));
            Assert.Equal("", await ListAsync(store, new("none")));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task One_program_has_it_open_at_a_time()
    {
        var first = await OpenAsync();
        Assert.Equal(ClientErrors.StoreInUse, await TroubleAsync());
        await first.DisposeAsync();
        await (await OpenAsync()).DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => WriteAsync(first, ("a", "b")));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Another_key_or_passphrase_does_not_open_it()
    {
        await (await OpenAsync()).DisposeAsync();
        _key[0] ^= 1;
        Assert.Equal(ClientErrors.StoreWrongKey, await TroubleAsync());
        _key[0] ^= 1;
        var wrong = await Assert.ThrowsAsync<ChatPayException>(
            () => FileStore.OpenAsync(Folder, "a passphrase", null, Cancellation));
        Assert.Equal(ClientErrors.StoreWrongKey, wrong.Name);

        var folder = Path.Combine(_temporary.Path, "passphrase");
        var quick = new FileStoreOptions { PassphraseMemoryKib = 64, PassphrasePasses = 1 };
        await using (var store = await FileStore.OpenAsync(folder, "a passphrase", quick, Cancellation))
        {
            await WriteAsync(store, ("a", "b"));
        }

        wrong = await Assert.ThrowsAsync<ChatPayException>(
            () => FileStore.OpenAsync(folder, "another passphrase", null, Cancellation));
        Assert.Equal(ClientErrors.StoreWrongKey, wrong.Name);
        await using var again = await FileStore.OpenAsync(folder, "a passphrase", null, Cancellation);
        Assert.Equal(["a=b"], await AllAsync(again));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Nothing_that_was_written_can_be_read_in_the_file()
    {
        await using (var store = await OpenAsync())
        {
            await WriteAsync(store, ("conversation/some-name", "A secret that nobody shall find"));
        }

        var bytes = await File.ReadAllBytesAsync(FilePath, Cancellation);
        Assert.True(bytes.AsSpan().IndexOf("secret"u8) < 0);
        Assert.True(bytes.AsSpan().IndexOf("some-name"u8) < 0);
        if (!OperatingSystem.IsWindows())
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(FilePath));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_write_that_the_programs_death_has_torn_is_as_if_it_had_never_begun()
    {
        long whole;
        await using (var store = await OpenAsync())
        {
            await WriteAsync(store, ("a", "one"), ("b", "two"));
            whole = new FileInfo(FilePath).Length;
            await WriteAsync(store, ("a", "three"), ("b", null), ("c", "four"));
        }

        var bytes = await File.ReadAllBytesAsync(FilePath, Cancellation);
        for (var length = (int)whole; length < bytes.Length; length++)
        {
            await File.WriteAllBytesAsync(FilePath, bytes[..length], Cancellation);
            await using (var torn = await OpenAsync())
            {
                Assert.Equal(["a=one", "b=two"], await AllAsync(torn));
                await WriteAsync(torn, ("d", "five"));
            }

            await using var again = await OpenAsync();
            Assert.Equal(["a=one", "b=two", "d=five"], await AllAsync(again));
        }

        // The file had grown, but not everything had reached the disk.
        await File.WriteAllBytesAsync(FilePath, [.. bytes[..(int)whole], .. new byte[500]], Cancellation);
        await using var zeros = await OpenAsync();
        Assert.Equal(["a=one", "b=two"], await AllAsync(zeros));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_write_of_which_no_sector_or_the_first_has_reached_the_disk_was_torn()
    {
        int whole;
        await using (var store = await OpenAsync())
        {
            await WriteAsync(store, ("a", "one"));
            whole = (int)new FileInfo(FilePath).Length;
            await WriteAsync(store, ("a", new string('x', 3000)));
        }

        var bytes = await File.ReadAllBytesAsync(FilePath, Cancellation);
        foreach (var missing in new[] { 512, 1024, bytes.Length - whole })
        {
            var torn = bytes.ToArray();
            torn.AsSpan(whole..((whole / 512 * 512) + missing)).Clear();
            await File.WriteAllBytesAsync(FilePath, torn, Cancellation);
            await using var again = await OpenAsync();
            Assert.Equal(["a=one"], await AllAsync(again));
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Any_flipped_bit_before_the_last_write_is_refused()
    {
        var ends = new List<int>();
        await using (var store = await OpenAsync())
        {
            for (var i = 0; i < 5; i++)
            {
                ends.Add((int)new FileInfo(FilePath).Length);
                await WriteAsync(store, ("key", $"value {i}"));
            }
        }

        var bytes = await File.ReadAllBytesAsync(FilePath, Cancellation);
        for (var bit = 8 * ends[0]; bit < 8 * ends[^1]; bit++)
        {
            await RefuseAsync(damaged => damaged[bit / 8] ^= (byte)(1 << (bit % 8)));
        }

        // Nor does a sector that is lost take what is behind it along.
        for (var at = ends[0]; at < ends[^1] - 12; at++)
        {
            await RefuseAsync(damaged => damaged.AsSpan(at, ends[^1] - at).Clear());
        }

        async Task RefuseAsync(Action<byte[]> damage)
        {
            var damaged = bytes.ToArray();
            damage(damaged);
            await File.WriteAllBytesAsync(FilePath, damaged, Cancellation);
            Assert.Equal(ClientErrors.StoreDamaged, await TroubleAsync());
            Assert.Equal(bytes.Length, new FileInfo(FilePath).Length);
        }
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task A_store_that_is_emptied_keeps_no_trace_of_what_was_in_it()
    {
        await using var store = await OpenAsync();
        var empty = new FileInfo(FilePath).Length;
        await WriteAsync(store, ("key", new string('x', 1000)));
        await WriteAsync(store, ("key", null));
        Assert.Equal(empty, new FileInfo(FilePath).Length);
        await WriteAsync(store, ("key", "anew"));
        Assert.Equal(["key=anew"], await AllAsync(store));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_is_no_store_or_one_of_a_later_version_is_refused()
    {
        await (await OpenAsync()).DisposeAsync();
        var bytes = await File.ReadAllBytesAsync(FilePath, Cancellation);
        await File.WriteAllTextAsync(
            FilePath, "something else entirely, and long enough to be taken for a header of some kind", Cancellation);
        Assert.Equal(ClientErrors.StoreDamaged, await TroubleAsync());
        var newer = bytes.ToArray();
        newer[12]++;
        await File.WriteAllBytesAsync(FilePath, newer, Cancellation);
        Assert.Equal(ClientErrors.StoreTooNew, await TroubleAsync());
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task What_was_replaced_leaves_the_file_and_the_rest_stays()
    {
        var options = new FileStoreOptions { CompactAfterBytes = 4096 };
        var large = new string('x', 1000);
        await using (var store = await OpenAsync(options))
        {
            await WriteAsync(store, ("first", "stays"), ("second", large));
            for (var i = 0; i < 200; i++)
            {
                await WriteAsync(store, ("moving", $"{large}{i}"), ($"one/{i % 7}", $"{i}"));
                Assert.InRange(new FileInfo(FilePath).Length, 1, 14_000);
            }

            Assert.Equal("stays", Text(await store.ReadAsync("first", Cancellation)));
        }

        // As if the program had died while it wrote the new file.
        await File.WriteAllTextAsync(FilePath + ".new", "half of a file", Cancellation);
        await using var again = await OpenAsync(options);
        Assert.False(File.Exists(FilePath + ".new"));
        Assert.Equal(10, (await AllAsync(again)).Count);
        Assert.Equal(large, Text(await again.ReadAsync("second", Cancellation)));
        Assert.Equal($"{large}199", Text(await again.ReadAsync("moving", Cancellation)));
    }

    [Fact(Timeout = TimeoutMs)]
    public async Task Keys_and_options_have_bounds()
    {
        await using var store = await OpenAsync();
        await Assert.ThrowsAsync<ArgumentException>(() => WriteAsync(store, ("", "x")));
        await Assert.ThrowsAsync<ArgumentException>(() => WriteAsync(store, ("ä", "x")));
        await Assert.ThrowsAsync<ArgumentException>(() => WriteAsync(store, (new string('k', 201), "x")));
        await Assert.ThrowsAsync<ArgumentException>(() => OpenAsync(new FileStoreOptions { PassphrasePasses = 0 }));
        await Assert.ThrowsAsync<ArgumentException>(() => OpenAsync(new FileStoreOptions { CompactAfterBytes = -1 }));
        await Assert.ThrowsAsync<ArgumentException>(
            () => FileStore.OpenAsync(Folder, new byte[31], null, Cancellation));
    }

    private Task<FileStore> OpenAsync(FileStoreOptions? options = null) =>
        FileStore.OpenAsync(Folder, _key, options, Cancellation);

    private async Task<string> TroubleAsync() => (await Assert.ThrowsAsync<ChatPayException>(() => OpenAsync())).Name;

    private static Task WriteAsync(IDeviceStore store, params (string Key, string? Value)[] changes)
    {
        var all = changes.Select(change =>
            new StoreChange(change.Key, change.Value is { } text ? Encoding.UTF8.GetBytes(text) : null));
        return store.WriteAsync([.. all], Cancellation).AsTask();
    }

    private static async Task<IReadOnlyList<string>> AllAsync(FileStore store) =>
        [.. (await store.ListAsync(new(""), Cancellation)).Select(entry => $"{entry.Key}={Text(entry.Value)}")];

    private static async Task<string> ListAsync(IDeviceStore store, StoreQuery query) =>
        string.Concat((await store.ListAsync(query, Cancellation)).Select(entry => Text(entry.Value)));

    private static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);
}
