using System.Globalization;
using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>This library's median pace over ts-mls's.</summary>
internal static class MlsRatios
{
    public const string Encrypt = "encrypt";
    public const string Decrypt = "decrypt";
    private const double Target = 20;
    private const double Limit = 5;
    private const int Digits = 2;

    public static IReadOnlyDictionary<string, RatioTarget> Targets { get; } =
        new Dictionary<string, RatioTarget>(StringComparer.Ordinal)
        {
            ["encrypt_vs_tsmls"] = new(Target, Limit),
            ["decrypt_vs_tsmls"] = new(Target, Limit),
            ["commit_1000_vs_tsmls"] = new(Target, Limit),
            ["join_1000_vs_tsmls"] = new(Target, Limit),
        };

    public static string AddOf(int members) => Name("add", members);

    public static string UpdateOf(int members) => Name("update", members);

    public static string ProcessOf(int members) => Name("process", members);

    public static string JoinOf(int members) => Name("join", members);

    /// <summary>The same section of the other engine.</summary>
    public static string OnTs(string section) => section + "_tsmls";

    /// <param name="sizes">Of the groups, ascending.</param>
    public static IReadOnlyDictionary<string, double> Of(SectionLog log, IReadOnlyList<int> sizes)
    {
        var ratios = new Dictionary<string, double>(StringComparer.Ordinal);
        void Add(string section) => ratios[section + "_vs_tsmls"] = Ratio(log, section, OnTs(section));
        Add(Encrypt);
        Add(Decrypt);
        foreach (var members in sizes)
        {
            Add(AddOf(members));
            Add(UpdateOf(members));
            Add(ProcessOf(members));
            Add(JoinOf(members));

            // The worse of the two kinds of commits.
            ratios[Name("commit", members) + "_vs_tsmls"] = Math.Min(
                ratios[AddOf(members) + "_vs_tsmls"], ratios[UpdateOf(members) + "_vs_tsmls"]);
        }

        // How many times longer an update takes in a larger group: where it grows with the logarithm, not by much.
        foreach (var members in sizes.Skip(1))
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"update_time_{members}_vs_{sizes[0]}");
            ratios[name] = Ratio(log, UpdateOf(sizes[0]), UpdateOf(members));
        }

        return ratios;
    }

    private static double Ratio(SectionLog log, string section, string baseline) =>
        Math.Round(log.MedianPerSecond(section) / log.MedianPerSecond(baseline), Digits);

    private static string Name(string what, int members) =>
        string.Create(CultureInfo.InvariantCulture, $"{what}_{members}");
}
