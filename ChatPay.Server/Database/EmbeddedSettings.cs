using System.Globalization;
using System.Text;

namespace ChatPay.Server.Database;

/// <summary>The settings that the embedded PostgreSQL is started with, fitted to the machine.</summary>
internal static class EmbeddedSettings
{
    private const long MegabyteBytes = 1024 * 1024;
    private const long SharedBuffersMinMegabytes = 64;
    private const long SharedBuffersMaxMegabytes = 2048;

    /// <summary>The text of the settings file; <paramref name="extra"/> wins over what stands here.</summary>
    public static string Render(int port, IReadOnlyDictionary<string, string> extra)
    {
        var memoryMegabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / MegabyteBytes;

        // The server shares the machine with its database: an eighth for its buffers leaves room for everybody.
        var sharedBuffers = Math.Clamp(memoryMegabytes / 8, SharedBuffersMinMegabytes, SharedBuffersMaxMegabytes);
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = port.ToString(CultureInfo.InvariantCulture),
            ["unix_socket_directories"] = "",
            ["max_connections"] = "200",

            // What is acknowledged is on disk.
            ["fsync"] = "on",
            ["synchronous_commit"] = "on",
            ["full_page_writes"] = "on",

            ["shared_buffers"] = FormattableString.Invariant($"{sharedBuffers}MB"),
            ["effective_cache_size"] = FormattableString.Invariant($"{Math.Max(256, memoryMegabytes / 2)}MB"),
            ["min_wal_size"] = "80MB",
            ["max_wal_size"] = "2GB",
            ["wal_compression"] = "on",
            ["checkpoint_completion_target"] = "0.9",
            ["random_page_cost"] = "1.1",
            ["timezone"] = "UTC",
            ["log_timezone"] = "UTC",

            // Statements and their values never reach the log: it may be read by people who may not read the tables.
            ["log_statement"] = "none",
            ["log_min_error_statement"] = "panic",
            ["log_error_verbosity"] = "terse",
            ["log_parameter_max_length_on_error"] = "0",

            // A week of logs, each day's file written over a week later.
            ["logging_collector"] = "on",
            ["log_filename"] = "postgresql-%a.log",
            ["log_truncate_on_rotation"] = "on",
            ["log_rotation_age"] = "1d",
            ["log_rotation_size"] = "0",
        };
        foreach (var (name, value) in extra)
        {
            settings[name] = value;
        }

        var text = new StringBuilder("# Written at every start. Change settings with: alter system set ...\n");
        foreach (var (name, value) in settings)
        {
            text.Append(name).Append(" = '").Append(value.Replace("'", "''", StringComparison.Ordinal)).Append("'\n");
        }

        return text.ToString();
    }
}
