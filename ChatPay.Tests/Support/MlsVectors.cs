using System.Text.Json;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>The MLS working group's vectors, by kind, for the cipher suites that this library has.</summary>
internal static class MlsVectors
{
    private const string Source = "github.com/mlswg/mls-implementations, test-vectors";

    /// <summary>How the names of the files begin that some test reads.</summary>
    public static IReadOnlyList<string> Kinds { get; } =
    [
        "tree-math", "crypto-basics", "secret-tree", "message-protection", "key-schedule", "psk_secret", "transcript-hashes",
        "welcome", "tree-operations", "tree-validation", "treekem", "messages", "deserialization", "passive-client-",
    ];

    /// <summary>All files of the folder, whatever their kind, or a skipped test.</summary>
    public static IReadOnlyList<string> Files() => Vectors.Require("mls", static _ => true, Source);

    /// <summary>Hands every entry of every file of a kind without suites to the check.</summary>
    /// <param name="kind">What the file's name begins with.</param>
    public static void ForEach(string kind, Action<JsonElement> check)
    {
        foreach (var file in Vectors.Require(
            "mls", name => name.StartsWith(kind, StringComparison.Ordinal), Source))
        {
            using var document = Vectors.Load(file);
            var count = 0;
            foreach (var entry in document.RootElement.EnumerateArray())
            {
                check(entry);
                count++;
            }

            TestContext.Current.TestOutputHelper!.WriteLine($"{Path.GetFileName(file)}: {count} entries checked.");
            Assert.NotEqual(0, count);
        }
    }

    /// <summary>
    /// Hands every case of every file of the kind to the check, or skips the test where there is no such file. Cases of
    /// other suites are counted in the test's output.
    /// </summary>
    /// <param name="kind">How the files' names begin.</param>
    public static void Check(string kind, Action<MlsCipherSuite, JsonElement> check)
    {
        var output = TestContext.Current.TestOutputHelper!;
        foreach (var file in Vectors.Require("mls", name => name.StartsWith(kind, StringComparison.Ordinal), Source))
        {
            using var document = Vectors.Load(file);
            var unsupported = new SortedDictionary<int, int>();
            var supported = new SortedDictionary<int, int>();
            foreach (var (index, entry) in document.RootElement.EnumerateArray().Index())
            {
                var number = entry.GetProperty("cipher_suite").GetUInt16();
                if (!MlsCipherSuite.TryGet(number, out var suite))
                {
                    unsupported[number] = unsupported.GetValueOrDefault(number) + 1;
                    continue;
                }

                supported[number] = supported.GetValueOrDefault(number) + 1;
                try
                {
                    check(suite, entry);
                }
                catch (Exception failure)
                {
                    throw new InvalidOperationException($"{Path.GetFileName(file)}, case {index}, suite {number}", failure);
                }
            }

            output.WriteLine(
                $"{Path.GetFileName(file)}: {supported.Values.Sum()} cases of suites {List(supported)}; "
                + $"not supported: {unsupported.Values.Sum()} cases of suites {List(unsupported)}");
            Assert.NotEmpty(supported);
        }
    }

    private static string List(SortedDictionary<int, int> counts) =>
        string.Join(", ", counts.Select(static count => $"{count.Key} ({count.Value})"));
}
