using System.ComponentModel.DataAnnotations;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Conversations;

/// <summary>Configuration section <c>Conversations</c>.</summary>
internal sealed class ConversationOptions
{
    public const string Section = "Conversations";

    /// <summary>
    /// For how long events are kept where a conversation has no setting of its own, in days, up to 3,650; 0 for
    /// good. Default 0.
    /// </summary>
    [Range(0, Limits.RetentionMaxDays)]
    public int RetentionDays { get; set; }

    /// <summary>How often events that are kept no longer are looked for, in seconds, 1 to 86,400. Default 600.</summary>
    [Range(1, 86_400)]
    public int RetentionSweepSeconds { get; set; } = 600;

    /// <summary>Events removed in one transaction at most, 10 to 10,000. Default 500.</summary>
    [Range(10, 10_000)]
    public int RetentionBatch { get; set; } = 500;

    /// <summary>
    /// Conversations that a node remembers as it left them, 0 to 10,000,000, about 500 bytes each: a message to one of them
    /// is decided without reading. 0 for none. Default 65,536.
    /// </summary>
    [Range(0, 10_000_000)]
    public int CachedConversations { get; set; } = 65_536;

    /// <summary>As clients see it.</summary>
    internal int? DefaultRetentionDays => RetentionDays > 0 ? RetentionDays : null;
}
