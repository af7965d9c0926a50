using System.Diagnostics.CodeAnalysis;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>Something to be sent, until its outcome is known.</summary>
internal sealed class Sending
{
    private readonly TaskCompletionSource<SentMessage> _outcome = new(
        TaskCreationOptions.RunContinuationsAsynchronously);

    public Sending(OutboxRecord record, bool isResumed, bool isNamed)
    {
        (Record, IsResumed, IsNamed) = (record, isResumed, isNamed);
        _outcome.Task.MayFailUnseen();
    }

    public OutboxRecord Record { get; set; }

    /// <summary>Whether it was on its way already when the program began; nobody waits for it then.</summary>
    public bool IsResumed { get; }

    /// <summary>Whether the program chose its id, and may have sent it before.</summary>
    public bool IsNamed { get; }

    /// <summary>Given up by its owner, which counts as long as nothing of it is stored.</summary>
    public bool IsWithdrawn { get; set; }

    public bool IsOver => _outcome.Task.IsCompleted;

    /// <summary>Whether there is nothing to be done about it.</summary>
    public bool IsGone => IsOver || (IsWithdrawn && Record.Order == 0);

    /// <summary>The card as the ledger answered, where it was one.</summary>
    public CardView? Card { get; set; }

    public Task<SentMessage> Outcome => _outcome.Task;

    public void Succeed(SentMessage message) => _outcome.TrySetResult(message);

    public void Fail(Exception exception) => _outcome.TrySetException(exception);

    /// <summary>It was withdrawn and nobody sends it: whoever waits for it besides its owner sends it themselves.</summary>
    public void Drop() => _outcome.TrySetCanceled();
}

/// <summary>
/// What a conversation sends, in order, and the turn that its sends and commits take one after the other, across the
/// network.
/// </summary>
internal sealed class Lane
{
    /// <summary>So many messages wait at most, each with its text in memory; more are refused.</summary>
    public const int MaxWaiting = 10_000;

    private readonly Lock _lock = new();
    private readonly Turns _turns = new();
    private readonly List<Sending> _sendings = [];
    private bool _draining;

    /// <summary>What has no outcome yet, the oldest first.</summary>
    public IReadOnlyList<Sending> Waiting
    {
        get
        {
            lock (_lock)
            {
                return [.. _sendings.Where(static sending => !sending.IsGone)];
            }
        }
    }

    /// <summary>Something of an earlier run, which had been encrypted then.</summary>
    public void Resume(OutboxRecord entry)
    {
        lock (_lock)
        {
            _sendings.Add(new Sending(entry, isResumed: true, isNamed: false));
        }
    }

    /// <exception cref="ChatPayException"><c>overloaded</c>: too much waits.</exception>
    public void Add(Sending sending)
    {
        lock (_lock)
        {
            if (_sendings.Count >= MaxWaiting)
            {
                throw LocalErrors.Refused(
                    ErrorCode.Overloaded, $"{MaxWaiting} messages wait to be sent in this conversation already.");
            }

            _sendings.Add(sending);
        }
    }

    public Sending? Find(ClientMessageId id)
    {
        lock (_lock)
        {
            return _sendings.Find(sending => sending.Record.ClientId == id && !sending.IsGone);
        }
    }

    public void Remove(Sending sending)
    {
        lock (_lock)
        {
            _sendings.Remove(sending);
        }
    }

    /// <summary>It stands in the log.</summary>
    public void Settled(Sending sending, long seq, DateTimeOffset at, CardView? card)
    {
        Remove(sending);
        sending.Card ??= card;
        sending.Succeed(new(sending.Record.ClientId, seq, at));
    }

    /// <summary>Whether the caller is the one who sends what waits from here on.</summary>
    public bool TryBeginDraining()
    {
        lock (_lock)
        {
            var begins = !_draining && _sendings.Count > 0;
            _draining |= begins;
            return begins;
        }
    }

    /// <summary>Whether nothing waits, so that the caller sends no more.</summary>
    public bool TryEndDraining([NotNullWhen(false)] out IReadOnlyList<Sending>? next, int limit)
    {
        lock (_lock)
        {
            RemoveGone();
            next = _sendings.Count > 0 ? [.. _sendings.Take(limit)] : null;
            _draining = next is not null;
            return next is null;
        }
    }

    /// <summary>What waits stays, until somebody begins again.</summary>
    public void StopDraining()
    {
        lock (_lock)
        {
            RemoveGone();
            _draining = false;
        }
    }

    public Task<IDisposable> TurnAsync(CancellationToken cancellationToken) => _turns.TakeAsync(cancellationToken);

    private void RemoveGone()
    {
        foreach (var sending in _sendings.Where(static sending => sending.IsGone))
        {
            sending.Drop();
        }

        _sendings.RemoveAll(static sending => sending.IsGone);
    }
}
