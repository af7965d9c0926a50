using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Presence;

/// <summary>Configuration section <c>Presence</c>: who is there.</summary>
internal sealed class PresenceOptions
{
    public const string Section = "Presence";

    /// <summary>
    /// Somebody whose last connection has ended counts as there for this long, 0 to 300 seconds, so that reconnecting is no
    /// coming and going. Default 10.
    /// </summary>
    [Range(0, 300)]
    public int OfflineAfterSeconds { get; set; } = 10;

    /// <summary>
    /// The people of a node that has died count as there for this long, 1 to 600 seconds; a third of it is how often a node
    /// says in Redis that it lives. Default 30.
    /// </summary>
    [Range(1, 600)]
    public int NodeTtlSeconds { get; set; } = 30;
}
