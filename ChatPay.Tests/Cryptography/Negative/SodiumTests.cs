using ChatPay.Core.Cryptography;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cryptography;

/// <summary>What is said where libsodium is missing or not what it should be: one sentence at start.</summary>
public sealed class SodiumTests
{
    private static readonly string[] s_names = ["libsodium.so", "libsodium.so.23", "libsodium.so.26"];

    [Theory]
    [InlineData(9, 6, false)]
    [InlineData(10, 2, false)]
    [InlineData(10, 3, true)]
    [InlineData(26, 0, true)]
    public void Older_than_1_0_18_is_too_old(int major, int minor, bool isYoungEnough)
    {
        var sentence = Sodium.JudgeAge(major, minor);

        Assert.Equal(isYoungEnough, sentence is null);
        if (sentence is not null)
        {
            Assert.Contains("older than 1.0.18; install it with", sentence, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', sentence);
        }
    }

    [Fact]
    public async Task A_missing_libsodium_is_named_at_start()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems look for libraries in other ways.");
        using var folder = new TemporaryFolder();
        foreach (var name in s_names)
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder.Path, name), "no library", TestContext.Current.CancellationToken);
        }

        await AssertToldAsync(folder, "libsodium 1.0.18 or later is needed and was not found; install it with");
    }

    [Fact]
    public async Task Another_library_under_its_name_is_told_apart()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Other systems look for libraries in other ways.");
        using var folder = new TemporaryFolder();
        var other = Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, "libSystem.Native.so");
        foreach (var name in s_names)
        {
            File.CreateSymbolicLink(Path.Combine(folder.Path, name), other);
        }

        await AssertToldAsync(folder, "The libsodium that was found is not the whole library; install it with");
    }

    private static async Task AssertToldAsync(TemporaryFolder folder, string sentence)
    {
        await using var server = new ServerProcess(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["LD_LIBRARY_PATH"] = folder.Path,
            ["Database__ConnectionString"] = "Host=127.0.0.1;Port=1;Username=x",
        });
        var (exitCode, output) = await server.RunAsync("serve", "--port", "0");

        Assert.Equal(1, exitCode);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.Contains(" warn: ", StringComparison.Ordinal));
        Assert.Contains(sentence, Assert.Single(lines), StringComparison.Ordinal);
    }
}
