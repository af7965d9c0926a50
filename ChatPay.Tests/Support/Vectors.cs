using System.Text.Json;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>
/// Published test vectors, read in place: the folder named by <c>CHATPAY_VECTORS</c>, else <c>../shared/vectors</c>
/// beside the repository.
/// </summary>
internal static class Vectors
{
    private const string Variable = "CHATPAY_VECTORS";

    private static bool IsNamed => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 };

    /// <summary>All JSON files of one folder, such as <c>wycheproof</c>, or none where the folder is absent.</summary>
    public static IReadOnlyList<string> Files(string folder) =>
        Root() is { } root && Directory.Exists(Path.Combine(root, folder))
            ? [.. Directory.EnumerateFiles(Path.Combine(root, folder), "*.json", SearchOption.AllDirectories)
                .Order(StringComparer.Ordinal)]
            : [];

    /// <summary>
    /// The files of one folder whose names fit, or a skipped test that says where to get them. A folder that is there and
    /// holds nothing, or was named and is not there, is a mistake and no reason to skip.
    /// </summary>
    public static IReadOnlyList<string> Require(string folder, Func<string, bool> fits, string source)
    {
        Assert.False(IsNamed && !Directory.Exists(Root()), $"{Variable} names {Root()}, which is no folder.");
        Assert.False(
            Root() is { } root && Directory.Exists(Path.Combine(root, folder)) && Files(folder).Count == 0,
            $"The folder {folder}/ of the vectors is empty.");
        IReadOnlyList<string> files = [.. Files(folder).Where(file => fits(Path.GetFileName(file)))];
        Assert.SkipWhen(
            files.Count == 0, $"No such vectors in {folder}/; get them from {source} and name their folder in {Variable}.");
        return files;
    }

    public static JsonDocument Load(string file) => JsonDocument.Parse(File.ReadAllBytes(file));

    public static byte[] Hex(this JsonElement element, string property) =>
        Convert.FromHexString(element.GetProperty(property).GetString()!);

    private static string? Root()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
        {
            return named;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ChatPay.sln")))
            {
                return folder.Parent is null ? null : Path.Combine(folder.Parent.FullName, "shared", "vectors");
            }
        }

        return null;
    }
}
