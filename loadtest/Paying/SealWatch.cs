using ChatPay.LoadTest.Database;
using Npgsql;

namespace ChatPay.LoadTest.Paying;

/// <summary>How long the oldest applied transfer had waited for the ledger log, at each look.</summary>
internal sealed record SealFigures(int Looks, double P50Ms, double MaxMs);

/// <summary>Looks again and again at what the ledger log has not taken in yet, until it is disposed.</summary>
internal sealed class SealWatch : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(200);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<double> _ages = [];
    private readonly Task _looking;

    public SealWatch(NpgsqlDataSource owner) => _looking = LookAsync(owner);

    /// <summary>Of all looks; once it has ended.</summary>
    public SealFigures Figures()
    {
        double[] ages = [.. _ages.Order()];
        return ages.Length == 0 ? new(0, 0, 0) : new(ages.Length, ages[ages.Length / 2], ages[^1]);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _looking;
        _stop.Dispose();
    }

    private async Task LookAsync(NpgsqlDataSource owner)
    {
        try
        {
            while (true)
            {
                _ages.Add(await PayStore.ReadUnsealedAgeAsync(owner, _stop.Token));
                await Task.Delay(s_pause, _stop.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // That is how it ends.
        }
    }
}
