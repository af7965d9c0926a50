using System.Text.Json;
using ChatPay.LoadTest;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.LoadTest;

/// <summary>The vault's scenario, tiny: that it runs and what it writes. No times are judged.</summary>
public sealed class VaultLoadTests
{
    [Fact]
    public async Task Vault_runs_end_to_end_and_every_invariant_holds()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "vault.json");
        await using var output = new StringWriter();

        var exitCode = await CommandLine.RunAsync(
            [
                "vault", "--rounds", "1", "--seconds", "1", "--people", "3", "--callers", "2", "--requests", "64", "--leaves",
                "1000", "70000", "--cold", "--json", file,
            ],
            output);

        Assert.True(exitCode == 0, output.ToString());
        using var report = JsonDocument.Parse(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        var ratios = report.RootElement.GetProperty("ratios");
        foreach (var ratio in new[]
        {
            "recoveries_per_second", "recoveries_vs_bare_requests", "evaluation_vs_libsodium",
            "evaluation_with_proof_vs_libsodium", "client_net_seconds", "append_cpu_70000_vs_1000",
            "inclusion_p50_70000_vs_1000", "consistency_p50_70000_vs_1000",
        })
        {
            Assert.True(ratios.GetProperty(ratio).GetDouble() > 0, ratio);
        }

        // Measured, or a reason: never neither.
        var figures = report.RootElement.GetProperty("figures");
        var chromium = figures.GetProperty("client_chromium_ms");
        Assert.True(
            chromium.TryGetProperty("total", out _) || chromium.GetProperty("notMeasured").GetString() is { Length: > 0 });
        Assert.True(figures.GetProperty("recoveries").GetProperty("proofsVerified").GetInt64() >= 3);

        // New entries stand at the right edge, where the tree is less deep than its 17 levels.
        Assert.InRange(figures.GetProperty("key_log_70000").GetProperty("inclusionHashes").GetInt32(), 1, 17);
        Assert.Equal(5, report.RootElement.GetProperty("invariants").EnumerateObject().Count());
    }

    [Theory]
    [InlineData("--people", "0")]
    [InlineData("--callers", "1001")]
    [InlineData("--leaves", "999")]
    [InlineData("--leaves", "2000 1000")]
    [InlineData("--requests", "7")]
    public async Task What_is_out_of_bounds_is_refused_before_anything_runs(string option, string value)
    {
        await using var output = new StringWriter();
        Assert.Equal(2, await CommandLine.RunAsync(["vault", option, .. value.Split(' ')], output));
    }
}
