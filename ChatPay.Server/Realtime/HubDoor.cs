using System.Threading.RateLimiting;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Before the hub: connections are authenticated, which asks the database, so many at a time; a queue of them waits,
/// more are refused. None comes in once the node is on its way out.
/// </summary>
internal sealed class HubDoor(IOptions<RealtimeOptions> options, Draining draining) : IDisposable
{
    private static readonly TimeSpan s_wait = TimeSpan.FromSeconds(2);

    private readonly ConcurrencyLimiter _places = new(new()
    {
        PermitLimit = options.Value.HandshakesAtOnce,
        QueueLimit = options.Value.HandshakesWaiting,
        QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
    });

    public async Task EnterAsync(HttpContext context, RequestDelegate next)
    {
        using var place = await _places.AcquireAsync(1, context.RequestAborted);
        if (draining.HasBegun || !place.IsAcquired)
        {
            AdmissionMetrics.UpgradeRefused();
            await RetryLater.WriteAsync(context, draining.HasBegun ? Draining.Refusal : RetryLater.Of(
                ErrorCode.Overloaded, "Many are connecting right now. Try again in a moment.", s_wait));
            return;
        }

        // The place is for the way in only: the answer, whatever it is, makes room for the next.
        context.Response.OnStarting(() =>
        {
            place.Dispose();
            return Task.CompletedTask;
        });
        await next(context);
    }

    public void Dispose() => _places.Dispose();
}
