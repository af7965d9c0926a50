using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>This device's delivered and read marks: collected for a moment, then sent in one call.</summary>
internal sealed class Marks(DeviceCore core)
{
    private readonly Lock _lock = new();
    private readonly HashSet<ConversationState> _touched = [];
    private bool _flushing;

    /// <summary>This device has applied or read something.</summary>
    public void Touch(ConversationState state)
    {
        if (MarkOf(state) is null)
        {
            return;
        }

        lock (_lock)
        {
            _touched.Add(state);
            if (_flushing)
            {
                return;
            }

            _flushing = true;
        }

        core.Background(FlushAsync);
    }

    public async Task ReadAsync(ConversationState state, long upTo, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var read = Math.Min(upTo, state.Place.Cursor);
            if (read > state.Place.Read)
            {
                var batch = new Batch(core);
                var draft = batch.Of(state);
                draft.Place = draft.Place with { Read = read };
                await batch.WriteAsync(cancellationToken);
            }
        }

        Touch(state);
    }

    private async Task FlushAsync(CancellationToken cancellationToken)
    {
        try
        {
            for (IReadOnlyList<ReceiptMark> marks; (marks = await CollectAsync(cancellationToken)).Count > 0;)
            {
                await SendAsync(marks, cancellationToken);
            }
        }
        catch
        {
            lock (_lock)
            {
                _flushing = false;
            }

            throw;
        }
    }

    /// <summary>
    /// The server takes all of a request or nothing: a conversation that this account has just left must not cost the
    /// others theirs, so the request is halved until it stands alone.
    /// </summary>
    private async Task SendAsync(IReadOnlyList<ReceiptMark> marks, CancellationToken cancellationToken)
    {
        try
        {
            await core.RequireSession().MarkAsync(new(marks), cancellationToken);
        }
        catch (ChatPayException foreign) when (foreign.Code is ErrorCode.NotMember or ErrorCode.ConversationUnknown)
        {
            if (marks.Count > 1)
            {
                await SendAsync([.. marks.Take(marks.Count / 2)], cancellationToken);
                await SendAsync([.. marks.Skip(marks.Count / 2)], cancellationToken);
            }

            return;
        }

        var device = core.Device;
        foreach (var (conversation, delivered, read) in marks)
        {
            if (core.TryFind(conversation, out var state))
            {
                state.Mark(new(conversation, device.Account.Id, device.Device, delivered, read));
            }
        }
    }

    /// <summary>
    /// Waits a moment, and takes what has been touched meanwhile; once nothing has, the next touch begins anew.
    /// </summary>
    private async Task<IReadOnlyList<ReceiptMark>> CollectAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(core.Options.Timing.Marks, core.Time, cancellationToken);
        lock (_lock)
        {
            var some = _touched.Take(Limits.MarksPerRequest).ToList();
            ReceiptMark[] marks = [.. some.Select(Take).OfType<ReceiptMark>()];
            _flushing = marks.Length > 0;
            return marks;
        }
    }

    private ReceiptMark? Take(ConversationState state)
    {
        _touched.Remove(state);
        return MarkOf(state);
    }

    /// <summary>What the server does not know yet; null where it knows all.</summary>
    private ReceiptMark? MarkOf(ConversationState state)
    {
        var place = state.Place;
        var sent = core.DeviceOrNull is { } device ? state.Marks.GetValueOrDefault(device.Device) : null;
        return state.Record.Active && (place.Cursor > (sent?.Delivered ?? 0) || place.Read > (sent?.Read ?? 0))
            ? new(state.Id, place.Cursor, place.Read)
            : null;
    }
}
