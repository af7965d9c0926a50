using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Database;

/// <summary>Configuration section <c>Database</c>.</summary>
internal sealed class DatabaseOptions
{
    public const string Section = "Database";

    /// <summary>
    /// A PostgreSQL of one's own, 15 or later, in Npgsql's form (Host=…;Database=…;Username=…;Password=…). Default empty:
    /// start the embedded one in the data folder.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>A folder with bin/postgres, bin/initdb and bin/pg_ctl. Default empty: the npm package's.</summary>
    public string Binaries { get; set; } = "";

    /// <summary>Connections to the database at most, 4 to 1,000. Default 40.</summary>
    [Range(4, 1000)]
    public int MaxPoolSize { get; set; } = 40;

    /// <summary>How long a query may take, in seconds, 1 to 600. Default 30.</summary>
    [Range(1, 600)]
    public int CommandTimeoutSeconds { get; set; } = 30;
}
