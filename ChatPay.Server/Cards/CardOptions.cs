using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Cards;

/// <summary>Configuration section <c>Cards</c>.</summary>
internal sealed class CardOptions
{
    public const string Section = "Cards";

    /// <summary>Cards that one author may have open at once, 1 to 10,000. Default 200.</summary>
    [Range(1, 10_000)]
    public int OpenPerAuthor { get; set; } = 200;

    /// <summary>People whom one account may ask for money per minute, by requests and splits, 1 to 10,000. Default 10.</summary>
    [Range(1, 10_000)]
    public int RequestsPerMinute { get; set; } = 10;

    /// <summary>
    /// People whom one account may ask at once after a pause, 1 to 10,000; a split of more waits for all of it. Default 20.
    /// </summary>
    [Range(1, 10_000)]
    public int RequestBurst { get; set; } = 20;

    /// <summary>How often cards whose time is up are looked for, 50 to 60,000 milliseconds. Default 1,000.</summary>
    [Range(50, 60_000)]
    public int SweepIntervalMs { get; set; } = 1000;

    /// <summary>When those are reminded who have not answered a split, 60 to 2,592,000 seconds after it. Default a day.</summary>
    [Range(60, 30 * 24 * 3600)]
    public int RemindAfterSeconds { get; set; } = 24 * 3600;

    /// <summary>Cards expired at once, 1 to 4,096; where there are more, again without a pause. Default 256.</summary>
    [Range(1, 4096)]
    public int SweepBatch { get; set; } = 256;
}
