using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Vault;

/// <summary>Configuration section <c>Vault</c>.</summary>
internal sealed class VaultOptions
{
    public const string Section = "Vault";

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

    /// <summary>
    /// How long a registration that is to be overwritten or deleted without its identity key waits for objections of the
    /// account's devices, in hours, 1 to 720. Default 72.
    /// </summary>
    [Range(1, 720)]
    public int WaitHours { get; set; } = 72;

    /// <summary>
    /// Realms that are processes of their own, in the order of their shares: Id, Address and Operator of each. The order is
    /// part of every registration and never changes. Default none: three realms run in the server.
    /// </summary>
    public IList<RealmHostOptions> Realms { get; } = [];

    /// <summary>How many of those realms are needed, more than half of them. Default 2.</summary>
    [Range(1, 16)]
    public int Threshold { get; set; } = 2;

    /// <summary>For how long a token for one of those realms lets in, in seconds, 10 to 3,600. Default 300.</summary>
    [Range(10, 3600)]
    public int TokenSeconds { get; set; } = 300;

    /// <summary>
    /// How often each node asks those realms what has happened there, so that devices hear of a guess while it is news, in
    /// seconds, 1 to 300; 0 for never: then devices see it when they next connect. Default 5.
    /// </summary>
    [Range(0, 300)]
    public int NewsSeconds { get; set; } = 5;
}

/// <summary>One realm of <see cref="VaultOptions.Realms"/>.</summary>
internal sealed class RealmHostOptions
{
    /// <summary>As the realm's process says when it starts.</summary>
    public Guid Id { get; set; }

    /// <summary>Its root as devices reach it, such as https://realm.example/.</summary>
    public string Address { get; set; } = "";

    /// <summary>Who runs it, as people are told; realms of one operator have the same.</summary>
    public string Operator { get; set; } = "";
}
