using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Cluster;

/// <summary>Configuration section <c>Cluster</c>: what several nodes on one database need.</summary>
internal sealed class ClusterOptions
{
    public const string Section = "Cluster";

    /// <summary>
    /// A Redis that all nodes share, as host:port or in StackExchange.Redis's form (host:port,password=…,ssl=true).
    /// Default empty: none, and what another node commits is found by the head check.
    /// </summary>
    public string Redis { get; set; } = "";

    /// <summary>
    /// What the names of channels and keys begin with, 1 to 32 of a to z, 0 to 9 and -; installations that share a Redis
    /// need two. Default "chatpay".
    /// </summary>
    [Required]
    [RegularExpression("^[a-z0-9-]{1,32}$")]
    public string Prefix { get; set; } = "chatpay";

    /// <summary>
    /// How often a node compares what it has delivered with the database, 100 to 60,000 milliseconds. Default 2,000.
    /// </summary>
    [Range(100, 60_000)]
    public int HeadCheckMs { get; set; } = 2000;

    /// <summary>
    /// Hints waiting to be published, or to be read, at most, 64 to 1,048,576; beyond it they are dropped. Default 8,192.
    /// </summary>
    [Range(64, 1_048_576)]
    public int HintsWaiting { get; set; } = 8192;

    /// <summary>
    /// The longest silence of Redis before it counts as down, 500 to 60,000 milliseconds; after four times as long the
    /// connection is made anew. Default 3,000.
    /// </summary>
    [Range(500, 60_000)]
    public int RedisSilenceMs { get; set; } = 3000;
}
