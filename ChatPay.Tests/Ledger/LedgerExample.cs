using System.Text.RegularExpressions;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// A worked example of docs/LEDGER.md: lines that begin with <c>&gt;</c> are commands, the lines under them what they
/// print.
/// </summary>
internal sealed partial record LedgerExample(string Title, string Block)
{
    private const string Heading = "\n## Worked examples\n";
    private const string Fence = "```";

    /// <exception cref="InvalidOperationException">The section has a block that would never be run.</exception>
    public static IReadOnlyList<LedgerExample> ReadAll()
    {
        var page = File.ReadAllText(Repository.PathOf("docs/LEDGER.md")).ReplaceLineEndings("\n");
        var start = page.IndexOf(Heading, StringComparison.Ordinal);
        if (start < 0)
        {
            throw new InvalidOperationException("docs/LEDGER.md has no worked examples.");
        }

        var end = page.IndexOf("\n## ", start + Heading.Length, StringComparison.Ordinal);
        var section = end < 0 ? page[start..] : page[start..end];
        var examples = Example().Matches(section)
            .Select(match => new LedgerExample(match.Groups["title"].Value, match.Groups["block"].Value))
            .ToArray();
        var fences = section.Split('\n').Count(line => line.StartsWith(Fence, StringComparison.Ordinal));
        return examples.Length * 2 == fences
            ? examples
            : throw new InvalidOperationException(
                "Each example is a paragraph that begins with a bold title, and a block that begins with a command.");
    }

    /// <summary>A paragraph that begins with a title, and the block after it.</summary>
    [GeneratedRegex(
        @"^\*\*(?<title>[^*\n]+)\*\*[^\n]*(\n[^\n]+)*\n\n```\n(?<block>> [^`]+?)\n```$",
        RegexOptions.ExplicitCapture | RegexOptions.Multiline, 1_000)]
    private static partial Regex Example();
}
