using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Database;

/// <summary>One numbered step of the schema, forward only, never edited once it has landed.</summary>
/// <param name="Number">1 upwards, without gaps.</param>
/// <param name="Name">The file's name without ".sql", such as <c>0001_accounts</c>.</param>
/// <param name="Checksum">SHA-256 over the file's bytes, lower-case hex.</param>
internal sealed record Migration(int Number, string Name, string Sql, string Checksum)
{
    private const string MainPrefix = "Migrations.";
    private const string Suffix = ".sql";

    public static Migration FromFile(string name, byte[] content)
    {
        var digits = name.Split('_')[0];
        return digits.Length == 4 && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? new Migration(
                number, name, Encoding.UTF8.GetString(content), Convert.ToHexStringLower(SHA256.HashData(content)))
            : throw new StartupException($"The migration {name} is not named like 0001_accounts.");
    }

    /// <summary>The migrations of the server's own tables that this build brings, in order.</summary>
    public static IReadOnlyList<Migration> Embedded { get; } = ReadEmbedded(MainPrefix);

    /// <summary>The migrations that are built in under names that begin so, in order.</summary>
    public static IReadOnlyList<Migration> ReadEmbedded(string prefix)
    {
        var assembly = Assembly.GetExecutingAssembly();
        var migrations = new List<Migration>();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (resource.StartsWith(prefix, StringComparison.Ordinal))
            {
                using var stream = assembly.GetManifestResourceStream(resource)!;
                using var content = new MemoryStream();
                stream.CopyTo(content);
                migrations.Add(FromFile(resource[prefix.Length..^Suffix.Length], content.ToArray()));
            }
        }

        return [.. migrations.OrderBy(migration => migration.Number)];
    }
}
