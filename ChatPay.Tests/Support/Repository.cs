using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>The repository's own files, for tests over the sources.</summary>
internal static class Repository
{
    private static readonly string[] s_generated = ["bin", "obj", "node_modules", "artifacts"];

    public static string Root { get; } = FindRoot();

    public static string PathOf(string path) => Path.Combine(Root, path);

    /// <summary>The C# files written by hand, with their paths from the root, '/' between folders.</summary>
    public static IEnumerable<(string Path, string Text)> Sources(string folder = ".") =>
        Directory.EnumerateFiles(PathOf(folder), "*.cs", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(Root, path).Replace('\\', '/'))
            .Where(path => !path.Split('/').Any(s_generated.Contains))
            .Order(StringComparer.Ordinal)
            .Select(path => (path, File.ReadAllText(PathOf(path))));

    /// <summary>Fails with every finding in full, one per line.</summary>
    public static void AssertNone(IEnumerable<string> findings)
    {
        var all = string.Join('\n', findings);
        Assert.True(all.Length == 0, all);
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "ChatPay.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not lie in the repository.");
        }

        return folder.FullName;
    }
}
