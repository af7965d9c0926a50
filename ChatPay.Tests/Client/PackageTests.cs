using System.Diagnostics;
using System.IO.Compression;
using System.Reflection;
using System.Xml.Linq;
using ChatPay.Client;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>The SDK as others get it: its packages, its README, its documentation.</summary>
public sealed class PackageTests
{
    private static readonly string[] s_generated = ["DisposeAsync", "Deconstruct", "Equals", "GetHashCode", "ToString"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = SdkPerson.TimeoutMs)]
    public async Task The_packages_hold_what_a_package_should()
    {
        using var folder = new TemporaryFolder();
        var core = await PackAsync("ChatPay.Core", folder.Path);
        var client = await PackAsync("ChatPay.Client", folder.Path);

        Assert.Equal("Apache-2.0", Value(core, "license"));
        Assert.Equal("Apache-2.0", Value(client, "license"));
        Assert.Equal("README.md", Value(client, "readme"));
        Assert.NotEmpty(Value(client, "description"));
        var dependency = client.Nuspec.Descendants().Single(element =>
            element.Name.LocalName == "dependency" && element.Attribute("id")!.Value == "ChatPay.Core");
        Assert.Equal(Value(core, "version"), dependency.Attribute("version")!.Value);
        foreach (var (name, entries) in new[] { ("ChatPay.Core", core.Entries), ("ChatPay.Client", client.Entries) })
        {
            Assert.Contains($"lib/net10.0/{name}.dll", entries);
            Assert.Contains($"lib/net10.0/{name}.xml", entries);
            Assert.Contains("README.md", entries);
        }
    }

    [Fact]
    public void The_readmes_example_is_the_sample_that_is_run() => Assert.Contains(
        $"```csharp\n{File.ReadAllText(Repository.PathOf("samples/GreetingBot/Program.cs"))}```",
        File.ReadAllText(Repository.PathOf("ChatPay.Client/README.md")), StringComparison.Ordinal);

    [Fact]
    public void Every_public_method_has_an_example_and_says_what_may_go_wrong()
    {
        var documentation = XDocument.Load(Path.Combine(AppContext.BaseDirectory, "ChatPay.Client.xml"));
        var members = documentation.Descendants("member").ToLookup(
            member => member.Attribute("name")!.Value.Split('(')[0].Split("``")[0], StringComparer.Ordinal);
        var methods =
            from type in typeof(ChatPayDevice).Assembly.GetExportedTypes()
            from method in type.GetMethods(
                BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            where !method.IsSpecialName && !s_generated.Contains(method.Name) && !method.Name.StartsWith('<')
                && type.GetInterfaces().All(face => face.GetMethod(method.Name) is null)
            select $"M:{type.FullName}.{method.Name}";
        var all = methods.Distinct().ToList();
        Assert.True(all.Count > 80, $"Only {all.Count} methods were found.");
        Repository.AssertNone(all.Where(
            name => !members[name].Any() || members[name].Any(member => member.Element("example") is null)));
        string[] failures = ["exception", "inheritdoc"];
        Repository.AssertNone(all.Where(name => name.EndsWith("Async", StringComparison.Ordinal)
            && members[name].Any(member => failures.All(tag => member.Element(tag) is null))));
    }

    [Fact]
    public void There_is_one_error() => Assert.Equal(
        [typeof(ChatPayException)],
        typeof(ChatPayDevice).Assembly.GetExportedTypes().Where(type => type.IsAssignableTo(typeof(Exception))));

    private static string Value(Package package, string name) =>
        package.Nuspec.Descendants().First(element => element.Name.LocalName == name).Value;

    private static async Task<Package> PackAsync(string project, string folder)
    {
        // Built with these tests, in the same configuration.
        var configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        var start = new ProcessStartInfo(
            "dotnet",
            [
                "pack", Repository.PathOf(project), "--no-build", "--nologo", "-v", "quiet", "-c", configuration,
                "-o", folder,
            ])
        {
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
        using var process = Process.Start(start)!;
        var said = await process.StandardOutput.ReadToEndAsync(Cancellation);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, said);
        var file = Assert.Single(Directory.GetFiles(folder, $"{project}.*.nupkg"));
        await using var archive = await ZipFile.OpenReadAsync(file, Cancellation);
        var nuspec = archive.Entries.Single(entry => entry.FullName.EndsWith(".nuspec", StringComparison.Ordinal));
        await using var content = await nuspec.OpenAsync(Cancellation);
        return new(
            await XDocument.LoadAsync(content, LoadOptions.None, Cancellation),
            [.. archive.Entries.Select(entry => entry.FullName)]);
    }

    private sealed record Package(XDocument Nuspec, IReadOnlyList<string> Entries);
}
