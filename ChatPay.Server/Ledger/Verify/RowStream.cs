using System.Buffers;
using System.Threading.Channels;

namespace ChatPay.Server.Ledger.Verify;

/// <summary>Makes one row of what PostgreSQL sends.</summary>
internal delegate T ParseRow<out T>(scoped ref CopyRow row);

/// <summary>
/// Rows in the order of a query, read and parsed ahead by a task of their own, so that several streams are merged on
/// several cores. It holds a few batches and never more, however many rows there are.
/// </summary>
internal sealed class RowStream<T> : IAsyncDisposable
    where T : struct
{
    private const int BatchRows = 512;
    private const int BatchesAhead = 4;

    private readonly Channel<(T[] Rows, int Count)> _batches = Channel.CreateBounded<(T[] Rows, int Count)>(
        new BoundedChannelOptions(BatchesAhead) { SingleReader = true, SingleWriter = true });

    private readonly CancellationTokenSource _stop;
    private readonly Task _reading;
    private T[] _rows = [];
    private int _count;
    private int _index = -1;

    /// <param name="open">Begins the query.</param>
    /// <param name="stage">Counts the rows as they come; null where another stream does.</param>
    public RowStream(
        Func<CancellationToken, Task<CopySource>> open, ParseRow<T> parse, VerifyStage? stage,
        CancellationToken cancellationToken)
    {
        _stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _reading = Task.Run(() => ReadAsync(open, parse, stage, _stop.Token), CancellationToken.None);
    }

    /// <summary>Whether there is a row here: false before the first and after the last.</summary>
    public bool HasRow => _index >= 0 && _index < _count;

    public ref readonly T Row => ref _rows[_index];

    /// <summary>Goes to the next row without waiting, where one is at hand.</summary>
    public bool TryNext()
    {
        if (_index + 1 >= _count)
        {
            return false;
        }

        _index++;
        return true;
    }

    /// <summary>Goes to the next row; <see cref="HasRow"/> says whether there was one.</summary>
    public ValueTask NextAsync() => TryNext() ? default : WaitAsync();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async ValueTask WaitAsync()
    {
        if (_rows.Length > 0)
        {
            ArrayPool<T>.Shared.Return(_rows);
            (_rows, _count, _index) = ([], 0, -1);
        }

        if (await _batches.Reader.WaitToReadAsync(CancellationToken.None) && _batches.Reader.TryRead(out var batch))
        {
            (_rows, _count, _index) = (batch.Rows, batch.Count, 0);
        }
    }

    private async Task ReadAsync(
        Func<CancellationToken, Task<CopySource>> open, ParseRow<T> parse, VerifyStage? stage,
        CancellationToken cancellationToken)
    {
        try
        {
            await using var source = await open(cancellationToken);
            var reader = new CopyReader(source.Stream);
            var (rows, count) = (ArrayPool<T>.Shared.Rent(BatchRows), 0);
            while (await reader.NextAsync(cancellationToken))
            {
                var row = reader.Row;
                rows[count++] = parse(ref row);
                if (count == BatchRows)
                {
                    await _batches.Writer.WriteAsync((rows, count), cancellationToken);
                    stage?.Advance(count);
                    (rows, count) = (ArrayPool<T>.Shared.Rent(BatchRows), 0);
                }
            }

            if (count > 0)
            {
                await _batches.Writer.WriteAsync((rows, count), cancellationToken);
                stage?.Advance(count);
            }

            source.Complete();
            _batches.Writer.Complete();
        }
        catch (Exception failure)
        {
            // Whoever waits for the next row learns of it there.
            _batches.Writer.Complete(failure);
        }
    }
}
