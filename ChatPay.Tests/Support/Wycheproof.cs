using System.Text.Json;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>
/// Project Wycheproof's vectors, whole files at a time: every test is judged, or counted under the reason why it cannot be
/// asked here, and the two together are as many as the file says it has.
/// </summary>
internal static class Wycheproof
{
    private const string Source = "github.com/C2SP/wycheproof, testvectors_v1";

    /// <summary>Judges one test: asserts, or returns why the test asks for what is not offered here.</summary>
    internal delegate string? Judgement(JsonElement root, JsonElement group, JsonElement test);

    /// <summary>Judges every test of every file whose name fits; at least one must have been asked.</summary>
    public static void Judge(Func<string, bool> fits, Judgement judge)
    {
        var asked = 0;
        foreach (var file in Vectors.Require("wycheproof", fits, Source))
        {
            using var document = Vectors.Load(file);
            var reasons = new SortedDictionary<string, int>(StringComparer.Ordinal);
            var judged = 0;
            foreach (var group in document.RootElement.GetProperty("testGroups").EnumerateArray())
            {
                foreach (var test in group.GetProperty("tests").EnumerateArray())
                {
                    if (JudgeOne(judge, document.RootElement, group, test, file) is { } reason)
                    {
                        reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
                    }
                    else
                    {
                        judged++;
                    }
                }
            }

            asked += judged;
            Report($"{Path.GetFileName(file)}: {judged} judged");
            foreach (var (reason, count) in reasons)
            {
                Report($"{Path.GetFileName(file)}: {count} not asked, {reason}");
            }

            Assert.Equal(document.RootElement.GetProperty("numberOfTests").GetInt32(), judged + reasons.Values.Sum());
        }

        Assert.NotEqual(0, asked);
    }

    public static string Result(this JsonElement test) => test.GetProperty("result").GetString()!;

    private static string? JudgeOne(
        Judgement judge, JsonElement root, JsonElement group, JsonElement test, string file)
    {
        try
        {
            return judge(root, group, test);
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException(
                $"{Path.GetFileName(file)}, test {test.GetProperty("tcId")}: {failure.Message}", failure);
        }
    }

    private static void Report(string line) => TestContext.Current.TestOutputHelper?.WriteLine(line);
}
