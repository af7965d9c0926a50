using System.Text;

namespace ChatPay.Tests.Ledger;

/// <summary>Reads comma-separated values strictly as RFC 4180 has them, and nothing that only resembles them.</summary>
internal static class CsvReader
{
    /// <exception cref="FormatException">It is not RFC 4180.</exception>
    public static List<string[]> Read(string text)
    {
        var (records, fields, at) = (new List<string[]>(), new List<string>(), 0);
        while (at < text.Length)
        {
            var (field, end) = text[at] == '"' ? Quoted(text, at) : Plain(text, at);
            fields.Add(field);
            if (end < text.Length && text[end] == ',')
            {
                at = end + 1;

                // A comma before the end of the line is followed by one more field, an empty one.
                if (text.AsSpan(at).StartsWith("\r\n"))
                {
                    fields.Add("");
                    end = at;
                }
                else
                {
                    continue;
                }
            }

            if (!text.AsSpan(end).StartsWith("\r\n"))
            {
                throw new FormatException($"No line ends at {end}.");
            }

            records.Add([.. fields]);
            fields.Clear();
            at = end + 2;
        }

        return records;
    }

    private static (string Field, int End) Plain(string text, int at)
    {
        var end = text.AsSpan(at).IndexOfAny(",\"\r\n") is var found and >= 0 ? at + found : text.Length;
        return end < text.Length && text[end] is '"' or '\n'
            ? throw new FormatException($"A quote or a bare line feed at {end}.")
            : (text[at..end], end);
    }

    private static (string Field, int End) Quoted(string text, int at)
    {
        var field = new StringBuilder();
        for (var index = at + 1; index < text.Length; index++)
        {
            if (text[index] != '"')
            {
                field.Append(text[index]);
            }
            else if (index + 1 < text.Length && text[index + 1] == '"')
            {
                field.Append('"');
                index++;
            }
            else
            {
                return (field.ToString(), index + 1);
            }
        }

        throw new FormatException("A quote is not closed.");
    }
}
