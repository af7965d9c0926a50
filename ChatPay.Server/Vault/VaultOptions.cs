using System.ComponentModel.DataAnnotations;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>Configuration section <c>Vault</c>.</summary>
internal sealed class VaultOptions
{
    public const string Section = "Vault";

    private const string DefaultFolder = "vault-keys";

    /// <summary>
    /// Where the realms' key files lie, which must not be where the database or its backups are; all nodes need the same
    /// files. Default empty: vault-keys in Hosting:DataFolder.
    /// </summary>
    public string KeyFolder { get; set; } = "";

    /// <summary>
    /// How often a realm notes how far its database has come, in seconds, 1 to 3,600: guesses of less than that may come
    /// back with a restored backup. Default 10.
    /// </summary>
    [Range(1, 3600)]
    public int BeatSeconds { get; set; } = 10;

    /// <summary>For how long attempts are shown to their person, in days, 1 to 3,650. Default 90.</summary>
    [Range(1, 3650)]
    public int AttemptDays { get; set; } = 90;

    /// <summary>Connections to the database at most, for each realm, 1 to 100. Default 4.</summary>
    [Range(1, 100)]
    public int MaxPoolSize { get; set; } = 4;

    public string KeyFolderOf(HostingOptions hosting)
    {
        ArgumentNullException.ThrowIfNull(hosting);
        return Path.GetFullPath(KeyFolder.Length > 0 ? KeyFolder : Path.Combine(hosting.DataFolder, DefaultFolder));
    }
}
