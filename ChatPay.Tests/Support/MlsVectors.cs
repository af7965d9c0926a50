using System.Text.Json;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>The MLS working group's test vectors: every entry of every file of a kind.</summary>
internal static class MlsVectors
{
    private const string Source = "github.com/mlswg/mls-implementations, test-vectors";

    /// <param name="kind">What the file's name begins with.</param>
    public static void ForEach(string kind, Action<JsonElement> check)
    {
        var count = 0;
        foreach (var file in Vectors.Require(
            "mls", name => name.StartsWith(kind, StringComparison.Ordinal), Source))
        {
            using var document = Vectors.Load(file);
            foreach (var entry in document.RootElement.EnumerateArray())
            {
                check(entry);
                count++;
            }
        }

        TestContext.Current.SendDiagnosticMessage("{0}: {1} entries checked.", kind, count);
        Assert.NotEqual(0, count);
    }

    /// <summary>
    /// As above for entries that name their cipher suite. Those of suites that are not in the library are counted, and the
    /// test's output says how many they are and of which suites; of each suite that is there must be some.
    /// </summary>
    /// <param name="kind">What the file's name begins with.</param>
    public static void ForEach(string kind, Action<JsonElement, MlsCipherSuite> check)
    {
        var supported = new SortedDictionary<ushort, int>();
        var unsupported = new SortedDictionary<ushort, int>();
        ForEach(kind, entry =>
        {
            var id = entry.GetProperty("cipher_suite").GetUInt16();
            var counts = unsupported;
            if (MlsCipherSuite.TryGet(id, out var suite))
            {
                check(entry, suite);
                counts = supported;
            }

            counts[id] = counts.GetValueOrDefault(id) + 1;
        });
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{kind}: {Sum(supported)} checked; unsupported: {Sum(unsupported)}.");
        Assert.NotEmpty(supported);

        static string Sum(SortedDictionary<ushort, int> counts) =>
            string.Join(", ", counts.Select(static pair => $"{pair.Value} of suite {pair.Key}"));
    }
}
