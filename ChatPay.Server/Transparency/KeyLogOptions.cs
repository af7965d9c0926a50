using System.ComponentModel.DataAnnotations;
using ChatPay.Core.Transparency;

namespace ChatPay.Server.Transparency;

/// <summary>Configuration section <c>KeyLog</c>.</summary>
internal sealed class KeyLogOptions
{
    public const string Section = "KeyLog";

    /// <summary>
    /// What the log is called in its checkpoints, such as chat.example.org: no spaces, no plus. Clients take a log of
    /// another name for another log, so it is set once. Default empty: a name made of the log's key.
    /// </summary>
    [RegularExpression(@"[^\s+]*"), MaxLength(LogLimits.KeyNameMaxBytes / 2)]
    public string Name { get; set; } = "";

    /// <summary>
    /// How often entries that a node left behind when it died are taken in, in seconds, 1 to 3,600. Default 10.
    /// </summary>
    [Range(1, 3600)]
    public int RoundSeconds { get; set; } = 10;
}
