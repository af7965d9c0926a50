using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Realtime;

/// <summary>
/// One device's hub connections, which fail and come back: a call is made again with the same ids, on whatever connection
/// there is, until it has an answer.
/// </summary>
internal sealed class Lines(Person person, int count) : IAsyncDisposable
{
    private const int Attempts = 200;

    private readonly ChatConnection?[] _connections = new ChatConnection?[count];
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, count).Select(_ => new SemaphoreSlim(1))];
    private int _retries;

    public int Retries => _retries;

    public Person Person => person;

    /// <summary>The answer, or the error that is one: what may be retried is.</summary>
    public async Task<(T? Answer, ErrorBody? Error)> CallAsync<T>(int line, Func<ChatConnection, Task<T>> call)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return (await call(await ConnectionAsync(line)), null);
            }
            catch (ChatPayException refused) when (!refused.Retryable && refused.Code != ErrorCode.HelloFirst)
            {
                return (default, refused.Error);
            }
            catch (Exception) when (attempt < Attempts)
            {
                Interlocked.Increment(ref _retries);
                await Task.Yield();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            if (connection is not null)
            {
                await connection.DisposeAsync();
            }
        }
    }

    private async Task<ChatConnection> ConnectionAsync(int line)
    {
        await _gates[line].WaitAsync();
        try
        {
            if (_connections[line] is { IsOpen: true } open)
            {
                return open;
            }

            if (_connections[line] is { } broken)
            {
                _connections[line] = null;
                await broken.DisposeAsync();
            }

            var fresh = await person.Client.ConnectAsync(new(), CancellationToken.None);
            _connections[line] = fresh;
            await fresh.HelloAsync(new(person.Device, Limits.ProtocolVersion, [], null, []), CancellationToken.None);
            return fresh;
        }
        finally
        {
            _gates[line].Release();
        }
    }
}

/// <summary>
/// A client that only listens, as the protocol says: applies last + 1, drops what is older, syncs on a gap and after every
/// reconnect.
/// </summary>
internal sealed class Listener(Person person, ConversationId conversation) : IAsyncDisposable
{
    private readonly List<Event> _log = [];
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _gate = new(1);
    private ChatConnection? _connection;

    public IReadOnlyList<Event> Log
    {
        get
        {
            lock (_lock)
            {
                return [.. _log];
            }
        }
    }

    /// <summary>How many connections it took.</summary>
    public int Connections { get; private set; }

    /// <summary>Reconnects if need be and catches up; returns the last seq applied.</summary>
    public async Task<long> CatchUpAsync()
    {
        await _gate.WaitAsync();
        try
        {
            if (_connection is not { IsOpen: true })
            {
                await DisposeConnectionAsync();
                _connection = await person.Client.ConnectAsync(
                    new() { Events = events => Apply(events) }, CancellationToken.None);
                await _connection.HelloAsync(new(person.Device, Limits.ProtocolVersion, [], null, []), CancellationToken.None);
                Connections++;
            }

            SyncPage page;
            do
            {
                page = (await _connection.SyncAsync(new([new(conversation, Log.Count)]), CancellationToken.None)).Pages[0];
                Apply(page.Events);
            }
            while (page.More);
        }
        catch (Exception exception) when (exception is not Xunit.Sdk.XunitException)
        {
            // The next call connects again.
        }
        finally
        {
            _gate.Release();
        }

        return Log.Count;
    }

    public async ValueTask DisposeAsync()
    {
        await DisposeConnectionAsync();
        _gate.Dispose();
    }

    private async Task DisposeConnectionAsync()
    {
        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }
    }

    private void Apply(IReadOnlyList<Event> events)
    {
        lock (_lock)
        {
            foreach (var item in events)
            {
                if (item.Conversation == conversation && item.Seq == _log.Count + 1)
                {
                    _log.Add(item);
                }
            }
        }
    }
}

/// <summary>Makes cards that the ledger takes.</summary>
internal static class StormCards
{
    public static CardActRequest Post(TestGroup group, CardKind kind, Person author, Person other, long amountMinor)
    {
        var (payer, payee) = kind == CardKind.Transfer ? (author, other) : (other, author);
        var (card, clientId) = (new CardId(TestGroup.NewId().Value), TestGroup.NewClientId());
        var terms = new CardTerms(
            kind, card, group.Id, payer.Id, payee.Id, Money.Of(amountMinor, AssetCode.Parse("EUR")),
            Limits.CardLifetimeDefaultSeconds);
        var commit = DetailCommitment.Of(terms, RandomNumberGenerator.GetBytes(32), "storm");
        var body = TestMls.PrivateMessage(
            group.Id, group.Epoch, new AuthenticatedData(clientId, new CardBinding(card, commit)));
        return new(card, 0, CardActionKind.Post, TestGroup.NewId().Value, new(
            kind, group.Id, payer.Id, payee.Id, amountMinor, "EUR", Limits.CardLifetimeDefaultSeconds, commit, clientId,
            group.Epoch, body));
    }

    public static CardActRequest Act(CardView card, CardActionKind action) =>
        new(card.Id, card.Version, action, TestGroup.NewId().Value);

    public static bool IsTerminal(CardView card) => card.State is not (CardState.Held or CardState.Open);
}
