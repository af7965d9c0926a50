using ChatPay.Server.Database;

namespace ChatPay.Server.Vault;

/// <summary>The schemas of realms, one for each: no realm sees another's tables.</summary>
internal static class RealmSchemas
{
    /// <summary>Three realms of which two are needed: one may be lost, and one alone learns nothing.</summary>
    public const int Realms = 3;

    public const int Threshold = 2;

    private static readonly IReadOnlyList<Migration> s_migrations = Migration.ReadEmbedded("RealmMigrations.");
    private static readonly string s_grants = DatabaseSchema.ReadEmbedded("RealmGrants.sql");

    public static IReadOnlyList<DatabaseSchema> All { get; } =
        [.. Enumerable.Range(1, Realms).Select(index => new DatabaseSchema($"realm_{index}", s_migrations, s_grants))];

    /// <summary>Of a realm that has a database to itself.</summary>
    public static DatabaseSchema Alone { get; } = new("realm", s_migrations, s_grants);
}
