using System.Threading.Channels;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;

namespace ChatPay.LoadTest.Driving;

/// <summary>
/// Takes commands through a queue and applies them all at once, to nothing: what it costs is the making of the load and the
/// waiting, which the engine's figures contain as well.
/// </summary>
internal sealed class NullEngine : IAsyncDisposable
{
    private const int QueueCapacity = 8_192;

    private readonly Channel<TaskCompletionSource<Result<LedgerDecision>>> _queue =
        Channel.CreateBounded<TaskCompletionSource<Result<LedgerDecision>>>(
            new BoundedChannelOptions(QueueCapacity) { SingleReader = true });

    private readonly Task _running;

    public NullEngine() => _running = RunAsync();

    public async Task<Result<LedgerDecision>> SettleAsync(LedgerCommand command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var waiting = new TaskCompletionSource<Result<LedgerDecision>>(
            TaskCreationOptions.RunContinuationsAsynchronously);
        return _queue.Writer.TryWrite(waiting)
            ? await waiting.Task
            : new Error(ErrorCode.Overloaded, "More callers than the queue holds.");
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.Complete();
        await _running;
    }

    private async Task RunAsync()
    {
        await foreach (var waiting in _queue.Reader.ReadAllAsync())
        {
            waiting.SetResult(default(LedgerDecision));
        }
    }
}
