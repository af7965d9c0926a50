using System.Threading.Channels;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Vault;

/// <summary>
/// Notes what happens at a realm that is a process of its own, for its server to come for. No guess waits for it: what does
/// not fit, and what a process that dies had not written yet, is told nobody, and shows in the list of attempts all the same.
/// </summary>
internal sealed partial class RealmJournal(IServiceProvider services, ILogger<RealmJournal> logger) : BackgroundService
{
    private const int Most = 4096;
    private const int Batch = 256;

    private readonly Channel<KeysSignal> _news = Channel.CreateBounded<KeysSignal>(
        new BoundedChannelOptions(Most) { SingleReader = true, FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Never waits, never throws.</summary>
    public void Add(KeysSignal signal) => _news.Writer.TryWrite(signal);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // Asked for late: the realms tell their news to this one.
        var store = services.GetRequiredService<RealmHouse>().Realms[0].Store.News;
        var batch = new List<KeysSignal>(Batch);
        while (await _news.Reader.WaitToReadAsync(stoppingToken))
        {
            batch.Clear();
            while (batch.Count < Batch && _news.Reader.TryRead(out var signal))
            {
                batch.Add(signal);
            }

            try
            {
                await store.NoteAsync(batch, stoppingToken);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                Log.NotNoted(logger, batch.Count, failure);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(6020, LogLevel.Warning,
            "{Count} guesses and waits could not be noted for the server; devices see them at their next connection")]
        public static partial void NotNoted(ILogger logger, int count, Exception failure);
    }
}
