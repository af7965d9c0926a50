using System.Buffers;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using StackExchange.Redis;

namespace ChatPay.Server.Cluster;

/// <summary>
/// One connection to Redis from its beginning to its end: publishes this node's hints, subscribes to the conversations
/// that are heard here, and sends itself a pulse, because only what comes back proves that both directions work.
/// </summary>
internal sealed partial class RedisSession(
    ConnectionMultiplexer redis, ClusterNode node, HintOutbox outbox, HintReceiver receiver, FeedChanges changes,
    ConnectionRegistry registry, Rechecks rechecks, ClusterOptions options, TimeProvider time, ILogger logger)
{
    private const int HintsPerRound = 512;

    /// <summary>After how many times the silence that counts as down the connection is made anew.</summary>
    private const int Patience = 4;

    /// <summary>How many pulses of a silence must fail before it counts.</summary>
    private const int PulsesPerSilence = 4;

    /// <summary>Channels are subscribed to again one by one, so the first pulse may be ahead of the last of them.</summary>
    private const int ChecksAfterSilence = 2;

    private readonly TimeSpan _silence = TimeSpan.FromMilliseconds(options.RedisSilenceMs);
    private readonly ISubscriber _subscriber = redis.GetSubscriber();
    private readonly RedisChannel _nodes = new($"cp:{options.Prefix}:n", RedisChannel.PatternMode.Literal);
    private readonly HashSet<ConversationId> _subscribed = [];
    private long _heardAt = time.GetTimestamp();
    private int _checksDue = ChecksAfterSilence;

    /// <summary>Runs until it is of no use any more.</summary>
    public async Task RunAsync(CancellationToken stoppingToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        receiver.Pulsed = Heard;
        redis.ConnectionFailed += Failed;
        try
        {
            Forget(_subscriber.SubscribeAsync(_nodes, Receive));
            Task[] work =
            [
                PulseAsync(over.Token), PublishAllAsync(over.Token), SubscribeAllAsync(over.Token),
            ];
            await await Task.WhenAny(work);
            await over.CancelAsync();
            await Task.WhenAll(work).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        finally
        {
            receiver.Pulsed = null;
            redis.ConnectionFailed -= Failed;
        }
    }

    /// <summary>Ends when nothing has come back for too long.</summary>
    private async Task PulseAsync(CancellationToken cancellationToken)
    {
        var message = new ArrayBufferWriter<byte>();
        HintCodec.Begin(message, node.Id);
        HintCodec.Append(message, new PulseHint());
        var pulse = message.WrittenSpan.ToArray();
        using var timer = new PeriodicTimer(_silence / PulsesPerSilence, time);
        do
        {
            var silence = time.GetElapsedTime(Interlocked.Read(ref _heardAt));
            if (silence > _silence)
            {
                Down("it does not answer");
            }

            if (silence > _silence * Patience)
            {
                return;
            }

            Forget(_subscriber.PublishAsync(_nodes, pulse));
        }
        while (await timer.WaitForNextTickAsync(cancellationToken));
    }

    private void Heard()
    {
        Interlocked.Exchange(ref _heardAt, time.GetTimestamp());
        if (!node.IsRedisUp)
        {
            node.IsRedisUp = true;
            Log.Up(logger);
            _checksDue = ChecksAfterSilence;
        }

        if (_checksDue > 0)
        {
            // What was said while nothing was heard.
            _checksDue--;
            rechecks.All();
        }
    }

    private void Failed(object? sender, ConnectionFailedEventArgs failure) => Down(failure.FailureType.ToString());

    private void Down(string reason)
    {
        if (node.IsRedisUp)
        {
            node.IsRedisUp = false;
            Log.Down(logger, reason);
        }
    }

    private void Receive(RedisChannel channel, RedisValue value)
    {
        if ((byte[]?)value is { } message)
        {
            receiver.Take(message);
        }
    }

    /// <summary>
    /// Whatever has gathered goes out together, one message per channel, and what gathers meanwhile waits for the answer: so
    /// a Redis that has stopped holds up one round, and the bounded outbox behind it drops the rest.
    /// </summary>
    private async Task PublishAllAsync(CancellationToken cancellationToken)
    {
        while (await outbox.WaitAsync(cancellationToken))
        {
            var messages = new Dictionary<RedisChannel, ArrayBufferWriter<byte>>();
            var publishing = new List<Task>();
            var hints = 0;
            while (hints < HintsPerRound && outbox.TryTake(out var hint))
            {
                hints++;
                var channel = ChannelOf(hint);
                if (!messages.TryGetValue(channel, out var message))
                {
                    messages.Add(channel, message = new());
                    HintCodec.Begin(message, node.Id);
                }

                HintCodec.Append(message, hint);
                if (message.WrittenCount > HintCodec.MessageBytesMax / 2)
                {
                    messages.Remove(channel);
                    publishing.Add(_subscriber.PublishAsync(channel, message.WrittenSpan.ToArray()));
                }
            }

            publishing.AddRange(messages.Select(message =>
                _subscriber.PublishAsync(message.Key, message.Value.WrittenSpan.ToArray())));
            try
            {
                await Task.WhenAll(publishing).WaitAsync(cancellationToken);
                ClusterMetrics.Publish(hints);
            }
            catch (RedisException)
            {
                ClusterMetrics.Drop(hints, "redis");
            }
        }
    }

    private async Task SubscribeAllAsync(CancellationToken cancellationToken)
    {
        IReadOnlyCollection<ConversationId> changed = [.. registry.Delivered().Select(cursor => cursor.Conversation)];
        while (true)
        {
            var subscribing = new List<Task>();
            var begun = new List<ConversationId>();
            foreach (var conversation in changed)
            {
                if (registry.IsHeard(conversation))
                {
                    if (_subscribed.Add(conversation))
                    {
                        begun.Add(conversation);
                        subscribing.Add(_subscriber.SubscribeAsync(ChannelOf(conversation), Receive));
                    }
                }
                else if (_subscribed.Remove(conversation))
                {
                    Forget(_subscriber.UnsubscribeAsync(ChannelOf(conversation)));
                }
            }

            try
            {
                await Task.WhenAll(subscribing).WaitAsync(_silence, time, cancellationToken);
            }
            catch (Exception exception) when (exception is RedisException or TimeoutException)
            {
                // The library subscribes when it is connected again, and everything is checked then.
            }

            // What was said between the first look at the log and the subscription.
            rechecks.Heads(begun);
            changed = await changes.TakeAsync(cancellationToken);
        }
    }

    private RedisChannel ChannelOf(Hint hint) => hint switch
    {
        EventHint e => ChannelOf(e.Conversation),
        HeadHint head => ChannelOf(head.Conversation),
        SignalHint signal => ChannelOf(signal.Conversation),
        _ => _nodes,
    };

    private RedisChannel ChannelOf(ConversationId conversation) =>
        new($"cp:{options.Prefix}:c:{conversation.Value:N}", RedisChannel.PatternMode.Literal);

    /// <summary>Its failure is of no interest: what follows from it is noticed by silence.</summary>
    private static void Forget(Task task) => _ = task.ContinueWith(
        static failed => _ = failed.Exception, CancellationToken.None,
        TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    private static partial class Log
    {
        [LoggerMessage(4111, LogLevel.Information, "Redis answers; news of other nodes come at once")]
        public static partial void Up(ILogger logger);

        [LoggerMessage(4112, LogLevel.Warning, "Redis is away ({Reason}); news of other nodes come by checking")]
        public static partial void Down(ILogger logger, string reason);
    }
}
