using System.Security.Claims;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Hosting;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.SignalR;

namespace ChatPay.Server.Realtime;

/// <summary>
/// One live hub connection: who it is, what it hears, and what waits for it. Everybody only puts things into
/// its queue; its socket takes them when it can send.
/// </summary>
internal sealed class ClientConnection(
    HubConnectionContext context, Caller caller, HubSocketWriter socket, RealtimeOptions options, TimeProvider time)
{
    /// <summary>Well within the minute after which use of a session is written down.</summary>
    private static readonly TimeSpan s_askAgain = TimeSpan.FromSeconds(30);

    /// <summary>
    /// What a client has to hear that its session is over. Together with the second between two looks of the watch it stays
    /// within the two seconds in which such connections are closed everywhere.
    /// </summary>
    private static readonly TimeSpan s_lastWord = TimeSpan.FromMilliseconds(500);

    private readonly OutboundQueue _queue = new(options.OutboundPushes, options.OutboundBytes);
    private long _finishingSince;
    private long _liveAt;
    private long _askedAt;
    private long _activeAt;
    private int _calls;

    /// <summary>The connection that a hub method is called on.</summary>
    public static ClientConnection Of(HubCallerContext context) =>
        context.Items[typeof(ClientConnection)] as ClientConnection
        ?? throw new InvalidOperationException("A hub method ran before its connection was registered.");

    public string Id => context.ConnectionId;

    public Caller Caller => caller;

    /// <summary>Whether it hears its conversations since <c>Hello</c>; set by the registry.</summary>
    public bool SaidHello { get; set; }

    /// <summary>Its session was revoked or has run out; the next call, or the watch, closes it.</summary>
    public bool IsOver { get; private set; }

    public CallBudget Budget { get; } = new(options, time);

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

        socket.Wake();
    }

    /// <summary>Closes the connection without waiting for the client.</summary>
    public void Abort() => context.Abort();

    /// <summary>Forgets what is queued, says one last thing and closes; the watch sees to it that it happens.</summary>
    public void Finish(Push last)
    {
        Interlocked.CompareExchange(ref _finishingSince, time.GetTimestamp(), 0);
        _queue.CompleteWith(last);
        socket.Wake();
    }

    /// <summary>
    /// Its session was revoked or has run out: nothing more is answered or pushed. Its socket closes soon, whether or not
    /// the client takes the last word.
    /// </summary>
    public void End()
    {
        if (IsOver)
        {
            return;
        }

        IsOver = true;
        Finish(Push.Of(new ControlSignal(ControlKind.Revoked)));
        _ = CutAsync();
    }

    /// <summary>How long the socket has refused to take the current frame.</summary>
    public TimeSpan StuckFor => socket.StuckFor;

    /// <summary>How long ago it was told to close.</summary>
    public TimeSpan FinishingFor => Since(ref _finishingSince);

    public ClaimsPrincipal User => context.User;

    /// <summary>Its end, however it comes.</summary>
    public CancellationToken Aborted => context.ConnectionAborted;

    /// <summary>What its session is stored under.</summary>
    public byte[] SessionHash { get; } = Sessions.HashOf(context.User);

    /// <summary>The watch found the session alive.</summary>
    /// <param name="askedAt">When it began to ask.</param>
    public void SeenLive(long askedAt) => Interlocked.Exchange(ref _liveAt, askedAt);

    /// <summary>The session is asked for by itself.</summary>
    public void Asking() => Interlocked.Exchange(ref _askedAt, time.GetTimestamp());

    /// <summary>Whether the watch has seen the session alive so lately that a call need not ask again.</summary>
    public bool IsKnownLive(TimeSpan trust)
    {
        var now = time.GetTimestamp();
        return Interlocked.Read(ref _liveAt) is var live and not 0 && time.GetElapsedTime(live, now) < trust
            && Interlocked.Read(ref _askedAt) is var asked and not 0 && time.GetElapsedTime(asked, now) < s_askAgain;
    }

    /// <summary>Whether a call of its client runs.</summary>
    public bool IsBusy => Volatile.Read(ref _calls) > 0;

    /// <summary>A call of its client runs; there is one at a time.</summary>
    public void BeginCall() => Interlocked.Increment(ref _calls);

    public void EndCall()
    {
        Interlocked.Exchange(ref _activeAt, time.GetTimestamp());
        Interlocked.Decrement(ref _calls);
    }

    /// <summary>Asks the client to leave, after everything that waits for it; calls go on being answered.</summary>
    public void SendAway(Push farewell)
    {
        Interlocked.Exchange(ref _activeAt, time.GetTimestamp());
        Enqueue(farewell);
    }

    /// <summary>
    /// Whether no call runs, nothing waits, and that for a while: an answer is written after its call has ended.
    /// </summary>
    public bool IsQuietFor(TimeSpan quiet) =>
        !IsBusy && Waiting == 0 && StuckFor == TimeSpan.Zero && Since(ref _activeAt) >= quiet;

    /// <summary>Closes the connection once everything that waits for it is written.</summary>
    public void Close()
    {
        Interlocked.CompareExchange(ref _finishingSince, time.GetTimestamp(), 0);
        _queue.Complete();
        socket.Wake();
    }

    /// <summary>From here on what is put into its queue is written, and its messages need not go by SignalR.</summary>
    public void Start()
    {
        socket.Attach(_queue, options.FrameBytes, context.Abort);
        context.Features.Get<HubSocketReader>()?.Attach(this);
    }

    /// <summary>Takes nothing more; the socket is gone.</summary>
    public void Stop() => _queue.Complete();

    /// <summary>Without SignalR's leave-taking and the socket's goodbye, which wait for the client.</summary>
    private async Task CutAsync()
    {
        await Task.Delay(s_lastWord, time);
        context.Features.Get<IConnectionLifetimeFeature>()?.Abort();
    }

    private TimeSpan Since(ref long timestamp) =>
        Interlocked.Read(ref timestamp) is var since and not 0 ? time.GetElapsedTime(since) : TimeSpan.Zero;
}
