using System.Buffers;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.SignalR;

namespace ChatPay.Server.Realtime;

/// <summary>
/// One live hub connection: who it is, what it hears, and the one task that writes to it. Everybody else only puts
/// things into its queue.
/// </summary>
internal sealed class ClientConnection(HubConnectionContext context, Caller caller, RealtimeOptions options, TimeProvider time)
{
    private readonly OutboundQueue _queue = new(options.OutboundPushes, options.OutboundBytes);
    private long _writingSince;

    public string Id => context.ConnectionId;

    public Caller Caller => caller;

    /// <summary>Whether <c>Hello</c> has succeeded on this connection.</summary>
    public bool SaidHello { get; set; }

    /// <summary>The conversations it hears; guarded by the registry.</summary>
    public HashSet<ConversationId> Conversations { get; } = [];

    /// <summary>While Hello reads the memberships: those lost since it began. Guarded by the registry.</summary>
    public HashSet<ConversationId>? LostDuringHello { get; set; }

    public int Waiting => _queue.Count;

    public void Enqueue(Push push)
    {
        RealtimeMetrics.Pushed(push.Kind);
        if (_queue.Enqueue(push) is Enqueued.Resync)
        {
            RealtimeMetrics.Resynced();
        }
    }

    /// <summary>Closes the connection without waiting for the client.</summary>
    public void Abort() => context.Abort();

    /// <summary>Writes what is queued, then closes.</summary>
    public void Finish(Push last)
    {
        _queue.Enqueue(last);
        _queue.Complete();
    }

    /// <summary>How long the socket has refused to take the current frame.</summary>
    public TimeSpan StuckFor =>
        Interlocked.Read(ref _writingSince) is var since and not 0 ? time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>The writer: runs as long as the connection.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        var frame = new ArrayBufferWriter<byte>(4096);
        try
        {
            while (await _queue.WaitAsync(cancellationToken))
            {
                while (_queue.TryTakeFrame(frame, options.FrameBytes, out var pushes))
                {
                    Interlocked.Exchange(ref _writingSince, time.GetTimestamp());
                    await context.WriteAsync(
                        new SerializedHubMessage([new SerializedMessage("json", frame.WrittenMemory)]), cancellationToken);
                    Interlocked.Exchange(ref _writingSince, 0);
                    RealtimeMetrics.Wrote(pushes);
                    frame = frame.Capacity > 4 * options.FrameBytes ? new ArrayBufferWriter<byte>(4096) : Reset(frame);
                }
            }

            context.Abort();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    private static ArrayBufferWriter<byte> Reset(ArrayBufferWriter<byte> frame)
    {
        frame.ResetWrittenCount();
        return frame;
    }
}
