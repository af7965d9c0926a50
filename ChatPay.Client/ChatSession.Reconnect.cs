using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>One connection after the other, until the session is over.</content>
public sealed partial class ChatSession
{
    private readonly Uri[] _addresses;
    private SessionLink? _current;
    private int _address = -1;
    private int _links;
    private long _attempts;
    private long _connections;
    private long _hellosRefused;

    private async Task<ChatSessionEnd> KeepConnectedAsync(CancellationToken stop)
    {
        for (var attempt = 0; ; attempt++)
        {
            var link = new SessionLink(++_links);
            TimeSpan? asked = null;
            try
            {
                Report(ChatSessionState.Connecting, null);
                Interlocked.Increment(ref _attempts);
                await OpenAsync(link, stop);
                Greeted(link, await GreetAsync(link, stop));
                var since = _options.Time.GetTimestamp();
                await link.UntilLeftAsync(_options.FinishTimeout, _options.Time, stop);
                attempt = _options.Time.GetElapsedTime(since) >= _options.StableAfter ? 0 : attempt;
            }
            catch (ChatPayException refused)
            {
                link.End ??= EndOf(refused);
                asked = Backoff.RetryAfter(refused.Error);
                if (link.End is ChatSessionEnd.Refused)
                {
                    throw;
                }
            }
            catch (Exception) when (!stop.IsCancellationRequested)
            {
                // Whatever broke the connection, the next one is the answer.
            }
            finally
            {
                Offline(link);
                await link.DisposeAsync();
            }

            if (link.End is { } end)
            {
                return end;
            }

            await WaitAsync(attempt, link.Asked ?? asked, stop);
        }
    }

    private async Task WaitAsync(int attempt, TimeSpan? asked, CancellationToken stop)
    {
        var wait = asked is { } named
            ? Backoff.Asked(named, _options.Random)
            : Backoff.FullJitter(attempt, _options.BaseDelay, _options.MaxDelay, _options.Random);
        Report(ChatSessionState.Waiting, wait);
        await Task.Delay(wait, _options.Time, stop);
    }

    private async Task OpenAsync(SessionLink link, CancellationToken stop)
    {
        var token = _client.Token ?? throw new ChatPayException(ErrorBody.From(
            new Error(ErrorCode.Unauthenticated, "This device has signed out.")));
        _inbox.Begin(link.Id);
        using var timer = new CancellationTokenSource(_options.CallTimeout, _options.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, stop);
        link.Connection = await ChatConnection.OpenAsync(
            NextAddress(), token, HandlersOf(link), limit.Token, _options.ServerTimeout);
    }

    /// <summary>Any other than the last: where a node died, those who had it spread over all that are left.</summary>
    private Uri NextAddress()
    {
        var others = _address < 0 ? _addresses.Length : _addresses.Length - 1;
        _address = others == 0 ? 0 : (_address + 1 + (int)(_options.Random() * others)) % _addresses.Length;
        return _addresses[_address];
    }

    private ChatHandlers HandlersOf(SessionLink link) => _handlers.Pushes with
    {
        Events = events => _inbox.Add(link.Id, new(Events: events)),
        DeviceMessages = messages => _inbox.Add(link.Id, new(DeviceMessages: messages)),
        Heads = views =>
        {
            _inbox.Add(link.Id, new(Heads: views));
            _handlers.Pushes.Heads?.Invoke(views);
        },
        Control = signal =>
        {
            Obey(link, signal);
            _handlers.Pushes.Control?.Invoke(signal);
        },
        Closed = exception =>
        {
            Lose(link);
            _handlers.Pushes.Closed?.Invoke(exception);
        },
    };

    private void Obey(SessionLink link, ControlSignal signal)
    {
        switch (signal.Kind)
        {
            case ControlKind.Resync:
                _inbox.Add(link.Id, new(Resync: signal));
                break;
            case ControlKind.Reconnect:
                Offline(link);
                link.Leave(TimeSpan.FromMilliseconds(Math.Max(0, signal.ReconnectAfterMs ?? 0)));
                break;
            case ControlKind.Revoked:
                link.End = ChatSessionEnd.Revoked;
                Lose(link);
                break;
            case ControlKind.Upgrade:
                link.End = ChatSessionEnd.UpgradeRequired;
                Lose(link);
                break;
            case ControlKind.KeyPackagesLow:
                break;
        }
    }

    /// <summary>
    /// Says Hello until it is answered. A server that is too busy keeps the connection: coming back would cost it more
    /// than answering.
    /// </summary>
    private async Task<HelloReply> GreetAsync(SessionLink link, CancellationToken stop)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(link.Over, stop);
        while (true)
        {
            try
            {
                return await TimedAsync(link, (hub, token) => hub.HelloAsync(Greeting(), token), over.Token);
            }
            catch (ChatPayException busy) when (busy.Code is ErrorCode.Overloaded or ErrorCode.TooManyRequests)
            {
                Interlocked.Increment(ref _hellosRefused);
                var asked = Backoff.RetryAfter(busy.Error) ?? _options.BaseDelay;
                await Task.Delay(Backoff.Asked(asked, _options.Random), _options.Time, over.Token);
            }
        }
    }

    /// <summary>With the cursors as they are now.</summary>
    private HelloRequest Greeting()
    {
        var (lineage, cursors) = _log.Position;
        return new(
            _client.DeviceId ?? throw new InvalidOperationException("The client does not know its device."),
            Limits.ProtocolVersion, _options.Capabilities, lineage, [.. cursors.Take(Limits.CursorsPerHello)],
            Limits.ViewsPerHello);
    }

    private void Greeted(SessionLink link, HelloReply greeting)
    {
        Interlocked.Increment(ref _connections);
        lock (_lock)
        {
            _account = greeting.Account;
        }

        _inbox.Greeted(link.Id, greeting);
        TaskCompletionSource<SessionLink> waiting;
        lock (_lock)
        {
            (waiting, _current) = (_online, link);
        }

        waiting.TrySetResult(link);
        Report(ChatSessionState.Online, null);
        if (link.Over.IsCancellationRequested)
        {
            // It was lost before anybody could be told that it is there.
            Offline(link);
        }
    }

    private void Lose(SessionLink link)
    {
        Offline(link);
        link.Lose();
    }

    /// <summary>Calls wait for the next connection from here on.</summary>
    private void Offline(SessionLink link)
    {
        lock (_lock)
        {
            if (_current == link && !_ended)
            {
                (_current, _online) = (null, NewOnline());
            }
        }
    }

    /// <summary>What ends the session for good; null for what another attempt may mend.</summary>
    private static ChatSessionEnd? EndOf(ChatPayException refused) => refused.Code switch
    {
        ErrorCode.Unauthenticated or ErrorCode.DeviceRevoked => ChatSessionEnd.Revoked,
        ErrorCode.UpgradeRequired => ChatSessionEnd.UpgradeRequired,
        ErrorCode.WrongDevice or ErrorCode.InvalidArgument or ErrorCode.MalformedRequest or ErrorCode.UnknownMethod =>
            ChatSessionEnd.Refused,
        _ => null,
    };
}
