using System.Globalization;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Reporting;

namespace ChatPay.LoadTest.Scenarios;

/// <summary>What the vault scenario's figures come to.</summary>
internal static class VaultRatios
{
    public const string Recovery = "recovery";
    public const string BareRequests = "bare_requests";
    public const string Evaluate = "evaluate";
    public const string EvaluateAndProve = "evaluate_and_prove";
    public const string Multiply = "libsodium_multiply";
    public const string MultiplyAsForProof = "libsodium_as_for_proof";
    public const string ClientNet = "client_net";
    public const string ClientChromium = "client_chromium";
    public const string Append = "append";
    public const string Inclusion = "inclusion";
    public const string Consistency = "consistency";

    private const int Digits = 2;

    public static IReadOnlyDictionary<string, RatioTarget> Targets { get; } =
        new Dictionary<string, RatioTarget>(StringComparer.Ordinal)
        {
            ["recoveries_per_second"] = new(1_000, 300),
            ["evaluation_vs_libsodium"] = new(2, 3),
            ["evaluation_with_proof_vs_libsodium"] = new(2, 3),
            ["client_net_seconds"] = new(1, 2),
            ["client_chromium_seconds"] = new(1, 2),
        };

    /// <param name="sizes">Of the key log, ascending.</param>
    public static IReadOnlyDictionary<string, double> Of(SectionLog log, IReadOnlyList<int> sizes)
    {
        var ratios = new Dictionary<string, double>(StringComparer.Ordinal);
        void Add(string name, double? value)
        {
            if (value is { } known)
            {
                ratios.Add(name, Math.Round(known, Digits));
            }
        }

        // How many times longer it takes than the same multiplications alone.
        double Longer(string section, string baseline) => log.MedianPerSecond(baseline) / log.MedianPerSecond(section);
        double? Seconds(string section) => log.Has(section) ? 1 / log.MedianPerSecond(section) : null;
        Add("recoveries_per_second", log.MedianPerSecond(Recovery));
        Add("recoveries_vs_bare_requests", log.MedianPerSecond(Recovery) / log.MedianPerSecond(BareRequests));
        Add("evaluation_vs_libsodium", Longer(Evaluate, Multiply));
        Add("evaluation_with_proof_vs_libsodium", Longer(EvaluateAndProve, MultiplyAsForProof));
        Add("evaluation_with_proof_vs_one_multiplication", Longer(EvaluateAndProve, Multiply));
        Add("client_net_seconds", Seconds(ClientNet));
        Add("client_chromium_seconds", Seconds(ClientChromium));
        foreach (var what in new[] { Append, Inclusion, Consistency })
        {
            foreach (var size in sizes.Skip(1))
            {
                Grown(what, "cpu", size, result => result.ProcessCpuMicros + (result.PostgresCpuMicros ?? 0));
                Grown(what, "p50", size, result => result.P50?.TotalMilliseconds);
            }
        }

        return ratios;

        // A handful of requests may use less CPU than the kernel's clock shows: that is no baseline.
        void Grown(string what, string of, int size, Func<SectionResult, double?> value) => Add(
            string.Create(CultureInfo.InvariantCulture, $"{what}_{of}_{size}_vs_{sizes[0]}"),
            log.Median(At(what, sizes[0]), value) is > 0 and var small ? log.Median(At(what, size), value) / small : null);
    }

    public static string At(string what, int size) => string.Create(CultureInfo.InvariantCulture, $"{what}_{size}");
}
