using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Accounts;

/// <summary>A live session.</summary>
/// <param name="Key">Names the session without being able to open it: the hash of its token, base64.</param>
internal sealed record Session(string Key, Caller Caller);

/// <summary>
/// Tells live sessions from dead ones. A check is trusted for at most two seconds, so a session revoked on any node is
/// refused everywhere within that time, and on this node at once.
/// </summary>
internal sealed class Sessions(SessionStore store, IOptions<AccountOptions> options, TimeProvider time)
{
    public const string KeyClaim = "session";

    /// <summary>How long a session that was seen alive is taken for alive.</summary>
    public TimeSpan Trust { get; } = TimeSpan.FromMilliseconds(options.Value.SessionCacheMs);

    private readonly GenerationCache<string, Session> _cache = new(
        TimeSpan.FromMilliseconds(options.Value.SessionCacheMs), options.Value.SessionCacheCapacity, time,
        StringComparer.Ordinal);

    /// <summary>The session that a token opens; an error if there is none, or none any more.</summary>
    public async Task<Result<Session>> ValidateAsync(string token, CancellationToken cancellationToken) =>
        SessionToken.HashOf(token) is { } hash
            ? await ValidateAsync(hash, cancellationToken)
            : AccountErrors.Unauthenticated;

    /// <summary>Whether the session behind an authenticated principal is still live; for long-lived connections.</summary>
    public async Task<bool> IsLiveAsync(ClaimsPrincipal principal, CancellationToken cancellationToken) =>
        (await ValidateAsync(HashOf(principal), cancellationToken)).IsOk;

    /// <summary>Those of the sessions that are over; one query, for all connections of a node at once.</summary>
    /// <param name="hashes">As <see cref="HashOf"/> gives them.</param>
    public Task<IReadOnlyList<byte[]>> EndedAsync(byte[][] hashes, CancellationToken cancellationToken) =>
        store.EndedAsync(hashes, cancellationToken);

    public async Task EndAsync(ClaimsPrincipal principal, CancellationToken cancellationToken)
    {
        var hash = HashOf(principal);
        await store.EndAsync(hash, cancellationToken);
        _cache.Remove(Convert.ToBase64String(hash));
    }

    /// <summary>Forgets what it knows of the sessions of a device, after they were ended.</summary>
    public void Forget(DeviceId device) => _cache.RemoveWhere(session => session.Caller.Device == device);

    public static byte[] HashOf(ClaimsPrincipal principal)
    {
        ArgumentNullException.ThrowIfNull(principal);
        return Convert.FromBase64String(principal.FindFirst(KeyClaim)?.Value
            ?? throw new InvalidOperationException("An unauthenticated request reached code that needs a session."));
    }

    private async Task<Result<Session>> ValidateAsync(byte[] hash, CancellationToken cancellationToken)
    {
        var key = Convert.ToBase64String(hash);
        if (_cache.TryGet(key, out var known))
        {
            return known;
        }

        var row = await store.FindAsync(hash, cancellationToken);
        if (row is null or { Ended: true, DeviceRevoked: false })
        {
            return AccountErrors.Unauthenticated;
        }

        if (row.DeviceRevoked)
        {
            return AccountErrors.SessionRevoked;
        }

        if (row.DueToTouch)
        {
            await store.TouchAsync(hash, options.Value.SessionIdleDays, options.Value.SessionMaxDays, cancellationToken);
        }

        var session = new Session(key, new Caller(new AccountId(row.AccountId), new DeviceId(row.DeviceId)));
        _cache.Set(key, session);
        return session;
    }
}
