using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Archive;

/// <summary>Configuration section <c>Archive</c>.</summary>
internal sealed class ArchiveOptions
{
    public const string Section = "Archive";

    /// <summary>
    /// Whether accounts may keep an archive of their messages here, which only their own devices can read. Turned off later,
    /// what is stored stays, and can only be deleted. Default true.
    /// </summary>
    public bool Enabled { get; set; } = true;

    /// <summary>What one account may keep, in bytes, 65,565 to 1,099,511,627,776. Default 268,435,456, 256 MiB.</summary>
    [Range(65_565d, 1_099_511_627_776d)]
    public long MaximumBytes { get; set; } = 268_435_456;
}
