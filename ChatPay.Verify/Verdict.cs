using System.Text.Encodings.Web;
using System.Text.Json;

namespace ChatPay.Verify;

/// <summary>Something that was checked.</summary>
/// <param name="Holds">Null for what was not looked at.</param>
/// <param name="Says">One sentence for people.</param>
internal sealed record Finding(bool? Holds, string Says);

/// <summary>What a check came to: everything that holds, everything that does not, and what nobody looked at.</summary>
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

    public bool Holds => Failures == 0 && !IsOpen;

    /// <summary>Whether something that has to be known was left out.</summary>
    public bool IsOpen { get; private set; }

    public void Say(string sentence) => _findings.Add(new Finding(true, sentence));

    /// <summary>Says what a reader should know that makes nothing better or worse.</summary>
    public void Note(string sentence) => _findings.Add(new Finding(null, sentence));

    /// <summary>Says what could not be looked at, so that nobody knows whether everything holds.</summary>
    public void Leave(string sentence)
    {
        IsOpen = true;
        Note(sentence);
    }

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
            output.WriteLine(finding.Holds switch
            {
                true => "holds           ",
                false => "DOES NOT HOLD   ",
                null => "not looked at   ",
            } + finding.Says);
        }

        if (Failures > FailuresShown)
        {
            output.WriteLine(FormattableString.Invariant($"… and {Failures - FailuresShown} more that do not hold."));
        }

        output.WriteLine(
            Failures > 0 ? "Something does not hold."
            : IsOpen ? "Nothing is wrong with what was looked at, and not everything was."
            : "Everything holds.");
    }
}

/// <summary>What is to be checked cannot be read, for a reason that says nothing about it.</summary>
internal sealed class UnreadableException(string message, Exception? inner = null) : Exception(message, inner);
