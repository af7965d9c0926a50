using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatPay.LoadTest.Reporting;

/// <summary>What every scenario writes with <c>--json</c>: exactly these members.</summary>
/// <param name="Scenario">The command's name.</param>
/// <param name="Commit">What was checked out.</param>
/// <param name="StartedAt">UTC.</param>
/// <param name="Figures">What was measured, by section; each scenario says what stands there.</param>
/// <param name="Ratios">Against the baselines of the same run, by the names that the issues use.</param>
/// <param name="Invariants">What must be true whatever the speed; a false one makes the run fail.</param>
internal sealed record Report(
    string Scenario, string Command, string Commit, Machine Machine, DateTimeOffset StartedAt,
    IReadOnlyDictionary<string, object> Figures, IReadOnlyDictionary<string, double> Ratios,
    IReadOnlyDictionary<string, bool> Invariants)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        DefaultIgnoreCondition = JsonIgnoreCondition.Never,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    [JsonIgnore]
    public bool Passed => Invariants.Values.All(holds => holds);

    public string ToJson() => JsonSerializer.Serialize(this, s_json);

    /// <summary>Shows the report, writes it where it is to be written, and gives the exit code.</summary>
    public async Task<int> ConcludeAsync(
        ScenarioConsole console, IReadOnlyDictionary<string, RatioTarget> targets, FileInfo? json,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(console);
        console.Write(this, targets);
        if (json is not null)
        {
            await WriteAsync(json, cancellationToken);
        }

        return Passed ? 0 : 1;
    }

    /// <summary>Writes the file whole, or not at all.</summary>
    private async Task WriteAsync(FileInfo file, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(file.DirectoryName!);
        var unfinished = file.FullName + ".new";
        await File.WriteAllTextAsync(unfinished, ToJson() + "\n", cancellationToken);
        File.Move(unfinished, file.FullName, overwrite: true);
    }
}
