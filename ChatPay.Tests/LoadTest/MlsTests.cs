using System.Text.Json;
using ChatPay.LoadTest;
using ChatPay.LoadTest.Baselines;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.LoadTest;

/// <summary>The comparison with ts-mls, tiny: that it runs and what it writes. No times are judged.</summary>
public sealed class MlsTests
{
    [Fact]
    public async Task Mls_runs_end_to_end_beside_ts_mls_and_every_invariant_holds()
    {
        Assert.SkipWhen(NodeDriver.Missing() is not null, NodeDriver.Missing() ?? "");
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "mls.json");
        await using var output = new StringWriter();

        var exitCode = await CommandLine.RunAsync(
            ["mls", "--members", "2", "9", "--rounds", "3", "--window-ms", "1", "--json", file], output);

        Assert.True(exitCode == 0, output.ToString());
        using var report = JsonDocument.Parse(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken));
        var ratios = report.RootElement.GetProperty("ratios");
        foreach (var ratio in new[]
        {
            "encrypt_vs_tsmls", "decrypt_vs_tsmls", "commit_9_vs_tsmls", "join_9_vs_tsmls", "process_2_vs_tsmls",
            "update_time_9_vs_2",
        })
        {
            Assert.True(ratios.GetProperty(ratio).GetDouble() > 0, ratio);
        }

        var figures = report.RootElement.GetProperty("figures");
        Assert.True(figures.GetProperty("add_9_tsmls").GetProperty("perSecond").GetDouble() > 0);
        Assert.True(figures.GetProperty("state_bytes").GetProperty("9").GetProperty("chatpay").GetInt64() > 0);
        Assert.Equal("1.6.4", figures.GetProperty("versions").GetProperty("tsMls").GetString());
    }

    [Theory]
    [InlineData("--members", "1")]
    [InlineData("--members", "2 5001")]
    [InlineData("--rounds", "2")]
    public async Task What_is_out_of_bounds_is_refused_before_anything_runs(string option, string value)
    {
        await using var output = new StringWriter();
        Assert.Equal(2, await CommandLine.RunAsync(["mls", option, .. value.Split(' ')], output));
    }
}
