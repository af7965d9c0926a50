using ChatPay.Server.Conversations;
using ChatPay.Server.Database;
using Npgsql;

namespace ChatPay.Server.Realtime;

/// <summary>Tells accounts that have just come into a conversation what it is; everybody else learns by its events.</summary>
internal sealed partial class HeadsPublisher(
    HeadRequests requests, ConversationViews views, ConnectionRegistry registry, NpgsqlDataSource database,
    ILogger<HeadsPublisher> logger)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var request in requests.ReadAllAsync(stoppingToken))
        {
            try
            {
                await PublishAsync(request, stoppingToken);
            }
            catch (Exception exception)
                when (exception is not OperationCanceledException || !stoppingToken.IsCancellationRequested)
            {
                // The commit event has been pushed; a client that knows no such conversation asks for it.
                Log.HeadFailed(logger, exception);
                database.ForgetTainted(exception);
            }
        }
    }

    private async Task PublishAsync(HeadRequest request, CancellationToken cancellationToken)
    {
        foreach (var account in request.Accounts)
        {
            var connections = registry.OfAccount(account);
            if (connections.Count == 0)
            {
                continue;
            }

            // What one may know differs by when one joined, so each account gets its own view.
            if (await views.ViewsAsync(account, [request.Conversation], cancellationToken) is [var view])
            {
                var push = Push.Of(view);
                foreach (var connection in connections)
                {
                    connection.Enqueue(push);
                }
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4050, LogLevel.Warning, "New members could not be told of their conversation")]
        public static partial void HeadFailed(ILogger logger, Exception exception);
    }
}
