using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Vault;

/// <summary>Signs tokens for realms that are processes of their own.</summary>
internal sealed class RealmTokens(VaultPlan plan, IIdentityKeys identities, TimeProvider time) : IDisposable
{
    private Key? _key;

    /// <summary>Before anything serves: the key's file is there and readable, or made.</summary>
    public void Open() => _key ??= RealmTokenKeyFile.Open(plan.KeyFolder);

    /// <returns><c>realm_unknown</c> where there is no such realm outside the server.</returns>
    public async Task<Result<RealmTokenReply>> IssueAsync(
        Caller caller, RealmId realm, CancellationToken cancellationToken)
    {
        if (!plan.Hosts.Any(host => host.Realm == realm.Value))
        {
            return new Error(ErrorCode.RealmUnknown, "There is no such realm outside this server; ask for the vault again.");
        }

        // Whole seconds, as the token has them.
        var issued = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        var expires = issued + plan.TokenLifetime;
        var identity = await identities.FindAsync(caller.Account, cancellationToken);
        return new RealmTokenReply(new RealmToken(caller, realm, issued, expires, identity).Sign(_key!), expires);
    }

    /// <summary>For the server itself, which asks what has happened there and may ask nothing else.</summary>
    public string IssueOwn(RealmId realm)
    {
        var issued = DateTimeOffset.FromUnixTimeSeconds(time.GetUtcNow().ToUnixTimeSeconds());
        return new RealmToken(default, realm, issued, issued + plan.TokenLifetime, IdentityKey: null).Sign(_key!);
    }

    public void Dispose() => _key?.Dispose();
}
