using System.Globalization;
using System.Reflection;
using System.Text;

namespace ChatPay.Core.Accounts;

/// <summary>
/// Unicode Normalization Form C: the same text typed on two keyboards becomes the same characters, so that a password with an
/// accent works from both and a name is not stored twice.
/// </summary>
/// <remarks>
/// Reference: Unicode Standard Annex 15 and section 3.12 of the standard. <c>string.Normalize</c> would do, but the server runs
/// without ICU (InvariantGlobalization), and there it silently returns its input. The table <c>nfc.txt</c> is taken from the
/// Unicode Character Database, version 14: one line per character, <c>c code class</c> for combining classes and
/// <c>d code parts…</c> for canonical decompositions, with <c>x</c> in place of <c>d</c> where composing is excluded. By
/// Unicode's stability policy it stays right for all characters it knows.
/// </remarks>
public static class NormalFormC
{
    private const int HangulBase = 0xAC00;
    private const int LeadBase = 0x1100;
    private const int VowelBase = 0x1161;
    private const int TailBase = 0x11A7;
    private const int LeadCount = 19;
    private const int VowelCount = 21;
    private const int TailCount = 28;
    private const int HangulCount = LeadCount * VowelCount * TailCount;

    private static readonly Lazy<Table> Data = new(Table.Load);

    /// <summary>The text in Normalization Form C. Lone surrogates become U+FFFD.</summary>
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (Ascii.IsValid(text))
        {
            return text;
        }

        var table = Data.Value;
        var points = new List<int>(text.Length + 8);
        foreach (var rune in text.EnumerateRunes())
        {
            Decompose(table, rune.Value, points);
        }

        Order(table, points);
        Compose(table, points);

        var result = new StringBuilder(points.Count);
        foreach (var point in points)
        {
            result.Append(new Rune(point).ToString());
        }

        return result.ToString();
    }

    private static void Decompose(Table table, int point, List<int> points)
    {
        var hangul = point - HangulBase;
        if (hangul is >= 0 and < HangulCount)
        {
            points.Add(LeadBase + (hangul / (VowelCount * TailCount)));
            points.Add(VowelBase + (hangul % (VowelCount * TailCount) / TailCount));
            if (hangul % TailCount != 0)
            {
                points.Add(TailBase + (hangul % TailCount));
            }
        }
        else if (table.Decompositions.TryGetValue(point, out var parts))
        {
            foreach (var part in parts)
            {
                Decompose(table, part, points);
            }
        }
        else
        {
            points.Add(point);
        }
    }

    /// <summary>Combining marks behind a letter stand in the order of their classes, equal classes as typed.</summary>
    private static void Order(Table table, List<int> points)
    {
        for (var index = 1; index < points.Count; index++)
        {
            var point = points[index];
            var markClass = table.ClassOf(point);
            var target = index;
            while (markClass != 0 && target > 0 && table.ClassOf(points[target - 1]) > markClass)
            {
                points[target] = points[target - 1];
                target--;
            }

            points[target] = point;
        }
    }

    private static void Compose(Table table, List<int> points)
    {
        var starter = -1;
        var previousClass = 0;
        var length = 0;
        for (var index = 0; index < points.Count; index++)
        {
            var point = points[index];
            var markClass = table.ClassOf(point);
            var blocked = starter >= 0 && length - 1 > starter && previousClass >= markClass;
            if (starter >= 0 && !blocked && Pair(table, points[starter], point) is { } composite)
            {
                points[starter] = composite;
                continue;
            }

            if (markClass == 0)
            {
                starter = length;
            }

            previousClass = markClass;
            points[length++] = point;
        }

        points.RemoveRange(length, points.Count - length);
    }

    private static int? Pair(Table table, int first, int second)
    {
        if (first - LeadBase is >= 0 and < LeadCount && second - VowelBase is >= 0 and < VowelCount)
        {
            return HangulBase + ((((first - LeadBase) * VowelCount) + second - VowelBase) * TailCount);
        }

        if (first - HangulBase is >= 0 and < HangulCount && (first - HangulBase) % TailCount == 0
            && second - TailBase is > 0 and < TailCount)
        {
            return first + second - TailBase;
        }

        return table.Compositions.TryGetValue((first, second), out var composite) ? composite : null;
    }

    private sealed class Table
    {
        private readonly Dictionary<int, int> _classes = [];

        public Dictionary<int, int[]> Decompositions { get; } = [];

        public Dictionary<(int First, int Second), int> Compositions { get; } = [];

        public int ClassOf(int point) => _classes.GetValueOrDefault(point);

        public static Table Load()
        {
            var table = new Table();
            using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Accounts.nfc.txt")
                ?? throw new InvalidOperationException("The table of normal forms is not embedded.");
            using var reader = new StreamReader(stream, Encoding.ASCII);
            while (reader.ReadLine() is { } line)
            {
                var fields = line.Split(' ');
                var point = Hex(fields[1]);
                if (fields[0] == "c")
                {
                    table._classes.Add(point, int.Parse(fields[2], CultureInfo.InvariantCulture));
                    continue;
                }

                int[] parts = [.. fields[2..].Select(Hex)];
                table.Decompositions.Add(point, parts);
                if (fields[0] == "d")
                {
                    table.Compositions.Add((parts[0], parts[1]), point);
                }
            }

            return table;
        }

        private static int Hex(string text) => int.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
