using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using ChatPay.Server.Database;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace ChatPay.Server.Hosting;

/// <summary>What a load balancer asks: is the process there, and can it do its work.</summary>
internal static class Health
{
    public static void MapHealth(this WebApplication app)
    {
        var health = app.MapGroup("/health").WithTags("Health");
        health.MapGet("/live", () => TypedResults.Ok(new HealthReply("live")))
            .WithSummary("The process answers.");
        health.MapGet("/ready", ReadyAsync)
            .WithSummary("The database answers too, and the node is not about to stop.");
    }

    private static async Task<Results<Ok<HealthReply>, ErrorResult>> ReadyAsync(
        NpgsqlDataSource database, Draining draining, ClusterNode node, CancellationToken cancellationToken) =>
        draining.HasBegun ? new ErrorResult(Draining.Refusal)
        : await DatabaseProbe.AnswersAsync(database, cancellationToken)
            ? TypedResults.Ok(new HealthReply(node.IsDegraded ? "degraded" : "ready"))
            : new ErrorResult(new Error(ErrorCode.Unavailable, "The database does not answer."));
}

/// <param name="Status">
/// "live", "ready", or "degraded": Redis is away, so that other nodes' news come by the head check instead of at once.
/// </param>
internal sealed record HealthReply(string Status);
