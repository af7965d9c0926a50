using System.Diagnostics;
using System.Text.RegularExpressions;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests;

/// <summary>What the README says can be done, can be done.</summary>
public sealed partial class ReadmeTests
{
    private const int PictureMaxBytes = 300_000;

    private static readonly string s_readme = File.ReadAllText(Repository.PathOf("README.md"));

    [Fact]
    public void Every_command_exists_and_may_be_run() => Repository.AssertNone(
        from command in Script().Matches(s_readme).Select(match => match.Value).Distinct(StringComparer.Ordinal)
        let path = Repository.PathOf(command)
        where !File.Exists(path)
            || (!OperatingSystem.IsWindows() && !File.GetUnixFileMode(path).HasFlag(UnixFileMode.UserExecute))
        select command);

    [Fact]
    public async Task The_options_are_those_that_scripts_run_offers()
    {
        var help = await HelpAsync("scripts/run");
        Assert.Equal(OptionsOf(help), OptionsOf(RowsOf(s_readme)));
        foreach (Match row in OptionRow().Matches(s_readme))
        {
            // The default and the meaning are told alike; only the README has marks for code.
            var (option, meaning) = (row.Groups["option"].Value, row.Groups["meaning"].Value.Replace("`", "", default));
            if (option != "--help")
            {
                Assert.Matches($"{Regex.Escape(option)} +{Regex.Escape(meaning)}", help);
            }
        }
    }

    [Fact]
    public void Every_file_it_points_to_is_there() => Repository.AssertNone(
        from Match link in Link().Matches(s_readme)
        let path = link.Groups["path"].Value
        where !File.Exists(Repository.PathOf(path))
        select path);

    [Fact]
    public void The_map_names_every_folder()
    {
        var map = MapLine().Matches(s_readme).Select(match => match.Groups["folder"].Value).Order(StringComparer.Ordinal);
        var folders = Directory.EnumerateDirectories(Repository.Root)
            .Select(path => Path.GetFileName(path)!)
            .Where(name => !name.StartsWith('.') && name is not ("artifacts" or "bin" or "obj"))
            .Order(StringComparer.Ordinal);
        Assert.Equal(folders, map);
    }

    [Fact]
    public void The_transcript_lists_every_migration()
    {
        var applied = Regex.Matches(s_readme, @"Applied migration (\w+)\.").Select(match => match.Groups[1].Value);
        var migrations = Directory.EnumerateFiles(Repository.PathOf("ChatPay.Server/Database/Migrations"), "*.sql")
            .Select(path => Path.GetFileNameWithoutExtension(path)!)
            .Order(StringComparer.Ordinal);
        Assert.Equal(migrations, applied);
    }

    [Fact]
    public void The_picture_is_small_enough_to_clone() =>
        Assert.InRange(new FileInfo(Repository.PathOf("docs/chatpay.png")).Length, 1, PictureMaxBytes);

    private static async Task<string> HelpAsync(string script)
    {
        var start = new ProcessStartInfo(Repository.PathOf(script), ["--help"])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        using var process = Process.Start(start)!;
        var help = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, process.ExitCode);
        return help;
    }

    private static string RowsOf(string readme) =>
        string.Join('\n', OptionRow().Matches(readme).Select(match => match.Groups["option"].Value));

    private static string[] OptionsOf(string text) =>
        [.. Option().Matches(text).Select(match => match.Value).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"\bscripts/\w+\b")]
    private static partial Regex Script();

    [GeneratedRegex(@"--[a-z]+\b")]
    private static partial Regex Option();

    [GeneratedRegex(@"^\| `(?<option>--[^`]+)` \| (?<meaning>.+) \|$", RegexOptions.Multiline)]
    private static partial Regex OptionRow();

    [GeneratedRegex(@"\]\((?<path>[^)#:]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^(?<folder>[\w.]+)/ {2,}", RegexOptions.Multiline)]
    private static partial Regex MapLine();
}
