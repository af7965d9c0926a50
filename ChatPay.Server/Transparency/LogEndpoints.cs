using System.Globalization;
using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Http.HttpResults;

namespace ChatPay.Server.Transparency;

/// <summary>
/// A log's public files, C2SP tlog-tiles, for auditors and witnesses; no session, because nothing in them tells of anybody.
/// </summary>
internal static class LogEndpoints
{
    private const string Forever = "public, max-age=31536000, immutable";

    public static void MapLog<TStore, TReader>(this WebApplication app, LogDefinition log)
        where TStore : LogStore
        where TReader : LogReader
    {
        ArgumentNullException.ThrowIfNull(app);
        ArgumentNullException.ThrowIfNull(log);
        var group = app.MapGroup("/log/" + log.Origin).WithTags("Logs").WithErrors()
            .RequireRateLimiting(RateLimitPolicies.Reads);
        group.MapGet("/checkpoint", (HttpContext context, CancellationToken cancellationToken) => CheckpointAsync(
            context, context.RequestServices.GetRequiredService<TReader>(), cancellationToken));
        group.MapGet("/tile/{**rest}", (string rest, HttpContext context) => TileAsync(
            rest, context, context.RequestServices.GetRequiredService<TStore>(), context.RequestAborted));
    }

    private static async Task<Utf8ContentHttpResult> CheckpointAsync(
        HttpContext context, LogReader reader, CancellationToken cancellationToken)
    {
        context.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Text(
            Encoding.UTF8.GetBytes((await reader.HeadAsync(cancellationToken)).Note), "text/plain; charset=utf-8");
    }

    private static async Task<Results<FileContentHttpResult, ErrorResult>> TileAsync(
        string rest, HttpContext context, LogStore store, CancellationToken cancellationToken)
    {
        if (!TilePath.TryParse("tile/" + rest, out var path))
        {
            return NotThere(store);
        }

        var bytes = path.Level == TilePath.EntriesLevel
            ? await EntriesAsync(store, path, cancellationToken)
            : await HashesAsync(store, path, cancellationToken);
        if (bytes is null)
        {
            return NotThere(store);
        }

        context.Response.Headers.CacheControl = Forever;
        return TypedResults.Bytes(bytes, "application/octet-stream");
    }

    private static async Task<byte[]?> HashesAsync(LogStore store, TilePath path, CancellationToken cancellationToken)
    {
        var id = new TileId(path.Level, path.Index);
        var tiles = await store.TilesAsync([id], cancellationToken);
        var width = path.Width * MerkleHash.SizeBytes;
        return tiles.TryGetValue(id, out var hashes) && hashes.Length >= width ? hashes[..width] : null;
    }

    private static async Task<byte[]?> EntriesAsync(LogStore store, TilePath path, CancellationToken cancellationToken)
    {
        var leaves = await store.LeavesAsync(path.Index * TilePath.FullWidth, path.Width, cancellationToken);
        return leaves.Count == path.Width ? EntryBundle.Write(leaves) : null;
    }

    private static ErrorResult NotThere(LogStore store) => new(new Error(ErrorCode.NotFound, string.Create(
        CultureInfo.InvariantCulture,
        $"The {store.Log.What} has no such tile of up to {TilePath.FullWidth} hashes.")));
}
