using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using ChatPay.Server.Database;
using ChatPay.Server.Realtime;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.Server.Conversations;

/// <summary>
/// Delivered and read marks: gathered in memory as maxima, written together every so often, and told to the conversation
/// once they are written. A mark that is lost with the node is made again by the next one.
/// </summary>
internal sealed partial class ReceiptFlusher(
    ReceiptStore store, Fanout fanout, ClusterNode node, NpgsqlDataSource database,
    IOptions<RealtimeOptions> options, TimeProvider time,
    ILogger<ReceiptFlusher> logger) : BackgroundService
{
    private const int MarksPerStatement = 5000;

    private readonly Lock _lock = new();
    private readonly Dictionary<(ConversationId Conversation, DeviceId Device), Receipt> _pending = [];

    /// <summary>Raises a mark; false when too many others wait.</summary>
    public bool TryMark(Receipt mark)
    {
        lock (_lock)
        {
            var key = (mark.Conversation, mark.Device);
            if (_pending.TryGetValue(key, out var earlier))
            {
                mark = mark with
                {
                    Delivered = Math.Max(mark.Delivered, earlier.Delivered),
                    Read = Math.Max(mark.Read, earlier.Read),
                };
            }
            else if (_pending.Count >= options.Value.ReceiptsPending)
            {
                return false;
            }

            _pending[key] = mark;
            return true;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(options.Value.ReceiptFlushMs), time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await FlushAsync(stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await FlushAsync(CancellationToken.None);
        }
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        foreach (var marks in Take().Chunk(MarksPerStatement))
        {
            try
            {
                foreach (var raised in await store.RaiseAsync(marks, node.Id, cancellationToken))
                {
                    fanout.Raised(raised);
                }
            }
            catch (Exception exception)
                when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                // Back they go, unless newer ones have come; the bound holds for them too.
                Log.FlushFailed(logger, marks.Length, exception);
                database.ForgetTainted(exception);
                foreach (var mark in marks)
                {
                    TryMark(mark);
                }
            }
        }
    }

    private Receipt[] Take()
    {
        lock (_lock)
        {
            Receipt[] taken = [.. _pending.Values];
            _pending.Clear();
            return taken;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(4030, LogLevel.Warning, "{Marks} receipts could not be written and are tried again")]
        public static partial void FlushFailed(ILogger logger, int marks, Exception exception);
    }
}
