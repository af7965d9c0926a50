using ChatPay.Core.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace ChatPay.Server.Hosting;

/// <summary>What a load balancer asks: is the process there, and can it do its work.</summary>
internal static class Health
{
    /// <summary>A database that takes longer to say one word is not there for a user either.</summary>
    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(2);

    public static void MapHealth(this WebApplication app)
    {
        var health = app.MapGroup("/health").WithTags("Health");
        health.MapGet("/live", () => TypedResults.Ok(new HealthReply("live")))
            .WithSummary("The process answers.");
        health.MapGet("/ready", ReadyAsync)
            .WithSummary("The database answers too.");
    }

    private static async Task<Results<Ok<HealthReply>, ErrorResult>> ReadyAsync(
        NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(ReadyTimeout);
        try
        {
            await using var connection = await database.OpenConnectionAsync(deadline.Token);
            await using var batch = connection.CreateCommand();
            batch.CommandText = "select 1";
            await batch.ExecuteScalarAsync(deadline.Token);
            return TypedResults.Ok(new HealthReply("ready"));
        }
        catch (Exception failure) when (
            failure is NpgsqlException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new ErrorResult(new Error(ErrorCode.Unavailable, "The database does not answer."));
        }
    }
}

/// <param name="Status">"live" or "ready".</param>
internal sealed record HealthReply(string Status);
