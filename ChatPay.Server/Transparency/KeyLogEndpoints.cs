using System.Globalization;
using System.Security.Claims;
using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Transparency;

/// <summary>Chains for those who may see them, and the log for everybody.</summary>
internal static class KeyLogEndpoints
{
    private const string Forever = "public, max-age=31536000, immutable";

    public static void MapKeys(this RouteGroupBuilder v1)
    {
        ArgumentNullException.ThrowIfNull(v1);
        var group = v1.MapGroup("/keys").WithTags("Keys").RequireAuthorization();
        group.MapGet("/log", LogAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapPost("/entries", AppendAsync).RequireRateLimiting(RateLimitPolicies.Writes);
        group.MapGet("/accounts/{account:guid}", ChainAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapGet("/consistency", ConsistencyAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapGet("/wrapped", WrappedAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapPut("/wrapped", StoreWrappedAsync).RequireRateLimiting(RateLimitPolicies.Writes);
    }

    /// <summary>C2SP tlog-tiles, for auditors and witnesses; no session, because nothing in it tells of anybody.</summary>
    public static void MapKeyLog(this WebApplication app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var group = app.MapGroup("/log/keys").WithTags("Key log").WithErrors();
        group.MapGet("/checkpoint", CheckpointAsync).RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapGet("/tile/{**rest}", TileAsync).RequireRateLimiting(RateLimitPolicies.Reads);
    }

    private static async Task<Ok<KeyLogView>> LogAsync(
        KeyLogKeeper keeper, KeyLogReader reader, CancellationToken cancellationToken) =>
        TypedResults.Ok(keeper.ViewOf(await reader.HeadAsync(cancellationToken)));

    private static async Task<Results<Ok<KeyChainReply>, ErrorResult>> AppendAsync(
        AppendKeysRequest request, ClaimsPrincipal user, KeyChainService service, CancellationToken cancellationToken) =>
        (await service.AppendAsync(user.Caller(), request, cancellationToken)).ToOk();

    private static async Task<Results<Ok<KeyChainReply>, ErrorResult>> ChainAsync(
        Guid account, long? from, long? size, ClaimsPrincipal user, KeyLogReader reader,
        CancellationToken cancellationToken) =>
        (await reader.ChainAsync(user.Caller(), new AccountId(account), from ?? 0, size ?? 0, cancellationToken)).ToOk();

    private static async Task<Results<Ok<ConsistencyReply>, ErrorResult>> ConsistencyAsync(
        long from, long? to, KeyLogReader reader, CancellationToken cancellationToken) =>
        (await reader.ConsistencyAsync(from, to, cancellationToken)).ToOk();

    private static async Task<Ok<WrappedKeysView>> WrappedAsync(
        ClaimsPrincipal user, WrappedKeysStore store, CancellationToken cancellationToken) =>
        TypedResults.Ok(await store.FindAsync(user.Caller().Account, cancellationToken));

    private static async Task<Results<Ok<WrappedKeysView>, ErrorResult>> StoreWrappedAsync(
        StoreWrappedKeysRequest request, ClaimsPrincipal user, WrappedKeysStore store,
        CancellationToken cancellationToken) =>
        (await store.StoreAsync(user.Caller(), request, cancellationToken)).ToOk();

    private static async Task<Utf8ContentHttpResult> CheckpointAsync(
        HttpContext context, KeyLogReader reader, CancellationToken cancellationToken)
    {
        context.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Text(
            Encoding.UTF8.GetBytes((await reader.HeadAsync(cancellationToken)).Note), "text/plain; charset=utf-8");
    }

    private static async Task<Results<FileContentHttpResult, ErrorResult>> TileAsync(
        string rest, HttpContext context, KeyLogStore store, CancellationToken cancellationToken)
    {
        if (!TilePath.TryParse("tile/" + rest, out var path))
        {
            return NotThere();
        }

        var bytes = path.Level == TilePath.EntriesLevel
            ? await EntriesAsync(store, path, cancellationToken)
            : await HashesAsync(store, path, cancellationToken);
        if (bytes is null)
        {
            return NotThere();
        }

        context.Response.Headers.CacheControl = Forever;
        return TypedResults.Bytes(bytes, "application/octet-stream");
    }

    private static async Task<byte[]?> HashesAsync(KeyLogStore store, TilePath path, CancellationToken cancellationToken)
    {
        var id = new TileId(path.Level, path.Index);
        var tiles = await store.TilesAsync([id], cancellationToken);
        var width = path.Width * MerkleHash.SizeBytes;
        return tiles.TryGetValue(id, out var hashes) && hashes.Length >= width ? hashes[..width] : null;
    }

    private static async Task<byte[]?> EntriesAsync(KeyLogStore store, TilePath path, CancellationToken cancellationToken)
    {
        var leaves = await store.LeavesAsync(path.Index * TilePath.FullWidth, path.Width, cancellationToken);
        return leaves.Count == path.Width ? EntryBundle.Write(leaves) : null;
    }

    private static ErrorResult NotThere() => new(new Error(ErrorCode.NotFound, string.Create(
        CultureInfo.InvariantCulture, $"The key log has no such tile of up to {TilePath.FullWidth} hashes.")));
}
