using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Database;

/// <summary>Configuration section <c>Database</c>.</summary>
internal sealed class DatabaseOptions
{
    public const string Section = "Database";

    /// <summary>
    /// A PostgreSQL of one's own, 15 or later, in Npgsql's form (Host=…;Database=…;Username=…;Password=…). Default empty:
    /// start the embedded one in the data folder. With replicas name them all (Host=one,two): whichever is the primary is used.
    /// </summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>
    /// Who owns the tables, as whom migrations run; in the same form. Default empty: the same as ConnectionString, and the
    /// server steps down to its role after logging in. Where the two differ, the server cannot become the owner.
    /// </summary>
    public string OwnerConnectionString { get; set; } = "";

    /// <summary>
    /// The database role that the server works as: a to z, 0 to 9 and _, at most 63. Two installations in one cluster
    /// need two. The embedded database has the default. Default chatpay_server.
    /// </summary>
    [RegularExpression(Database.ServerRole.NamePattern)]
    public string ServerRole { get; set; } = Database.ServerRole.DefaultName;

    /// <summary>A folder with bin/postgres, bin/initdb and bin/pg_ctl. Default empty: the npm package's.</summary>
    public string Binaries { get; set; } = "";

    /// <summary>Connections to the database at most, 4 to 1,000, beside those of the write path. Default 40.</summary>
    [Range(4, 1000)]
    public int MaxPoolSize { get; set; } = 40;

    /// <summary>How long a query may take, in seconds, 1 to 600. Default 30.</summary>
    [Range(1, 600)]
    public int CommandTimeoutSeconds { get; set; } = 30;
}
