using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Ledger;

namespace ChatPay.LoadTest.Driving;

/// <summary>Hands one command to what is measured and waits for its outcome.</summary>
internal delegate Task<Result<LedgerDecision>> Settle(LedgerCommand command);

/// <summary>A caller of the engine.</summary>
internal sealed class Caller(ulong seed, Traffic traffic, Settle settle, WorkerGate gate) : Worker(gate)
{
    /// <summary>A retried command asks for the stored outcome; a database that is away longer ends the run.</summary>
    private const int AttemptsMax = 100;

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromMilliseconds(50);

    private SplitMix64 _random = new(seed);

    /// <summary>Commands that were decided against; the load is made so that there are none.</summary>
    public long Refused { get; private set; }

    /// <summary>Every command acknowledged as applied.</summary>
    public IdFingerprint Acknowledged { get; private set; }

    protected override async ValueTask<bool> SettleOnceAsync()
    {
        var command = traffic.Next(ref _random);
        return await ApplyAsync(command)
            && (command.Kind != TransferKind.Hold || await ApplyAsync(traffic.CaptureOf(command, ref _random)));
    }

    private async ValueTask<bool> ApplyAsync(LedgerCommand command)
    {
        for (var attempt = 1; ; attempt++)
        {
            var result = await settle(command);
            if (result.Error is not { } error)
            {
                if (!result.Value.Outcome.IsApplied)
                {
                    Refused++;
                    return false;
                }

                Step();
                Acknowledged += IdFingerprint.Of(command.Id.Value);
                return true;
            }

            // Unavailable leaves the outcome open, overloaded says nothing happened: the same id again is right for both.
            if (error.Code is not (ErrorCode.Unavailable or ErrorCode.Overloaded) || attempt == AttemptsMax)
            {
                throw new InvalidOperationException($"The engine answered {error.Code}: {error.Message}");
            }

            await Task.Delay(s_retryDelay);
        }
    }
}
