using System.Text.Encodings.Web;
using System.Text.Json;

namespace ChatPay.Verify;

/// <summary>Something that was checked.</summary>
/// <param name="Says">One sentence for people.</param>
internal sealed record Finding(bool Holds, string Says);

/// <summary>What a check came to: everything that holds, and everything that does not.</summary>
internal sealed class Verdict
{
    /// <summary>Of a log that is rotten all through nobody reads more.</summary>
    private const int FailuresShown = 20;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly List<Finding> _findings = [];

    public int Failures { get; private set; }

    public bool Holds => Failures == 0;

    public void Say(string sentence) => _findings.Add(new Finding(true, sentence));

    public void Fail(string sentence)
    {
        if (++Failures <= FailuresShown)
        {
            _findings.Add(new Finding(false, sentence));
        }
    }

    /// <summary>Says one thing or the other.</summary>
    /// <returns>Whether it holds.</returns>
    public bool Judge(bool holds, string sentence, string otherwise)
    {
        if (holds)
        {
            Say(sentence);
        }
        else
        {
            Fail(otherwise);
        }

        return holds;
    }

    public void Write(TextWriter output, bool asJson)
    {
        if (asJson)
        {
            output.WriteLine(JsonSerializer.Serialize(
                new { holds = Holds, failures = Failures, findings = _findings }, s_json));
            return;
        }

        foreach (var finding in _findings)
        {
            output.WriteLine((finding.Holds ? "holds           " : "DOES NOT HOLD   ") + finding.Says);
        }

        if (Failures > FailuresShown)
        {
            output.WriteLine(FormattableString.Invariant($"… and {Failures - FailuresShown} more that do not hold."));
        }

        output.WriteLine(Holds ? "Everything holds." : "Something does not hold.");
    }
}

/// <summary>What is to be checked cannot be read, for a reason that says nothing about it.</summary>
internal sealed class UnreadableException(string message, Exception? inner = null) : Exception(message, inner);
