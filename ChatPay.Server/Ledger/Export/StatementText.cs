using System.Globalization;
using System.Text;
using System.Xml;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Ledger;

/// <summary>Names and sentences as statements carry them: people choose their names, files have their rules.</summary>
internal static class StatementText
{
    /// <summary>
    /// What XML 1.0 can carry of a text, without space around it, cut to at most so many UTF-16 units between two
    /// characters as people see them. Null where nothing is left.
    /// </summary>
    public static string? Fit(string? text, int maxChars)
    {
        var clean = Clean(text).Trim();
        if (clean.Length > maxChars)
        {
            clean = Cut(clean, maxChars).TrimEnd();
        }

        return clean.Length == 0 ? null : clean;
    }

    /// <summary>One sentence on what an entry was, naming the other side in full.</summary>
    public static string Describe(StatementEntry entry)
    {
        var who = entry.Counterparty is { } other ? $" {other.DisplayName} (@{other.Handle})" : "";
        var direction = who.Length == 0 ? "" : entry.PostedMinor < 0 ? " to" : " from";
        return entry.Kind switch
        {
            "funding" => "Play money",
            "transfer" => "Transfer" + direction + who,
            "capture" => "Payment" + direction + who,
            "refund" => "Refund" + direction + who,
            _ => entry.Kind + direction + who,
        };
    }

    private static string Clean(string? text)
    {
        var clean = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            // Half a pair arrives here as the replacement character, which XML takes.
            var carried = rune.IsBmp && !XmlConvert.IsXmlChar((char)rune.Value) ? Rune.ReplacementChar : rune;

            // A line break in a name would be one in the file.
            clean.Append(Rune.IsControl(carried) ? " " : carried.ToString());
        }

        return clean.ToString();
    }

    private static string Cut(string text, int maxChars)
    {
        var end = 0;
        while (end < text.Length)
        {
            var next = end + StringInfo.GetNextTextElementLength(text, end);
            if (next > maxChars)
            {
                break;
            }

            end = next;
        }

        // One character as people see it may be longer than any limit; then it is cut within, but not within a pair.
        return end > 0 ? text[..end] : text[..(char.IsHighSurrogate(text[maxChars - 1]) ? maxChars - 1 : maxChars)];
    }
}
