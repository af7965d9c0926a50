using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Vault;

/// <summary>The schemas of the realms that a process may run.</summary>
internal sealed record RealmSet(IReadOnlyList<DatabaseSchema> Schemas);

/// <summary>What the configuration says of the realms: which run here, and which do so elsewhere and where.</summary>
internal sealed class VaultPlan
{
    private const string DefaultFolder = "vault-keys";

    /// <exception cref="StartupException">The realms that are configured are none, or none that work together.</exception>
    public VaultPlan(IOptions<VaultOptions> options, IOptions<HostingOptions> hosting, RealmSet set)
    {
        var vault = options.Value;
        KeyFolder = vault.KeyFolder.Length > 0 ? vault.KeyFolder : Path.Combine(hosting.Value.DataFolder, DefaultFolder);
        TokenLifetime = TimeSpan.FromSeconds(vault.TokenSeconds);
        var isAlone = hosting.Value.Role == HostRole.Realm;
        Hosts = isAlone ? [] : [.. vault.Realms.Select(Read)];
        Schemas = Hosts.Count == 0 ? set.Schemas : [];
        Threshold = isAlone ? 1 : Hosts.Count == 0 ? RealmSchemas.Threshold : vault.Threshold;
        if (Hosts.Count == 0)
        {
            return;
        }

        try
        {
            _ = new RealmConfiguration([.. Hosts.Select(host => new RealmId(host.Realm))], vault.Threshold);
        }
        catch (ArgumentException malformed)
        {
            throw new StartupException(
                "Vault:Realms names 1 to 16 realms, none of them twice, and Vault:Threshold is more than half of them and no "
                + "more than all.",
                malformed);
        }
    }

    public string KeyFolder { get; }

    public TimeSpan TokenLifetime { get; }

    public int Threshold { get; }

    /// <summary>Of the realms that run in this process.</summary>
    public IReadOnlyList<DatabaseSchema> Schemas { get; }

    /// <summary>The realms that are processes of their own, in the order of their shares.</summary>
    public IReadOnlyList<RealmHostView> Hosts { get; }

    public int Operators => Math.Max(1, Hosts.Select(host => host.Operator).Distinct(StringComparer.OrdinalIgnoreCase).Count());

    private static RealmHostView Read(RealmHostOptions host) =>
        host.Id == Guid.Empty || host.Operator.Trim().Length == 0
            ? throw new StartupException("Each realm of Vault:Realms needs its Id, as its process says it, and an Operator.")
            : Uri.TryCreate(host.Address, UriKind.Absolute, out var address)
                && (address.Scheme == Uri.UriSchemeHttp || address.Scheme == Uri.UriSchemeHttps)
                && address is { Query.Length: 0, Fragment.Length: 0, UserInfo.Length: 0 }
            ? new RealmHostView(host.Id, Rooted(address), host.Operator.Trim())
            : throw new StartupException(
                $"The address of realm {host.Id} in Vault:Realms is not one; it looks like https://realm.example/.");

    /// <summary>With a slash at its end, so that paths go below it.</summary>
    private static Uri Rooted(Uri address) =>
        address.AbsolutePath.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");
}
