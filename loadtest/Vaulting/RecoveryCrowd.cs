using System.Diagnostics;
using System.Globalization;
using ChatPay.Core.Vault;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Vaulting;

/// <summary>Many people, each with a PIN at the server's realms, some of whom recover at any time.</summary>
internal sealed class RecoveryCrowd : IAsyncDisposable
{
    /// <summary>One recovery in so many has its proofs verified as well.</summary>
    public const int ProofsEvery = 16;

    private readonly ServedProcess _server;
    private readonly List<Caller> _callers = [];
    private long _recoveries;
    private long _proofs;

    private RecoveryCrowd(ServedProcess server) => _server = server;

    /// <summary>Recoveries that came to their end, those of the preparation included.</summary>
    public long Recoveries => Interlocked.Read(ref _recoveries);

    /// <summary>Of them, those whose proofs were verified.</summary>
    public long Proofs => Interlocked.Read(ref _proofs);

    /// <param name="callers">How many recover at once.</param>
    public static async Task<RecoveryCrowd> CreateAsync(
        ServedProcess server, VaultDevice device, IReadOnlyList<ChatPerson> people, int callers,
        CancellationToken cancellationToken)
    {
        var crowd = new RecoveryCrowd(server);
        try
        {
            var members = new List<VaultMember>();
            foreach (var (number, person) in people.Index())
            {
                using var pin = PinOf(480_000 + number);
                members.Add(await VaultMember.CreateAsync(device, person, pin, cancellationToken));
                crowd._recoveries++;
                crowd._proofs++;
            }

            for (var number = 0; number < callers; number++)
            {
                var mine = members.Where((_, index) => index % callers == number).ToArray();
                var bare = RealmWire.BareRequestOf(server.Address, people[number].Token);
                crowd._callers.Add(new Caller(
                    number, mine, await VaultDevice.WiresAsync(server, device.Realms.Count, cancellationToken), bare));
            }

            return crowd;
        }
        catch
        {
            await crowd.DisposeAsync();
            throw;
        }
    }

    public static Pin PinOf(int number) =>
        Pin.TryRead(number.ToString(CultureInfo.InvariantCulture), out var pin, out var refusal)
            ? pin : throw new InvalidOperationException($"No PIN: {refusal}.");

    /// <summary>Everybody recovers, and again as soon as that is done.</summary>
    public Task<SectionResult> RecoverAsync(ServingProbe probe, TimeSpan window, CancellationToken cancellationToken) =>
        LoopAsync(
            async (caller, stop) =>
            {
                var number = Interlocked.Increment(ref _recoveries);
                await caller.RecoverAsync(number % ProofsEvery == 0, stop);
                if (number % ProofsEvery == 0)
                {
                    Interlocked.Increment(ref _proofs);
                }
            },
            probe, window, cancellationToken);

    /// <summary>
    /// The baseline: as many requests as a recovery has, three times three at once, of the same sessions, for something that
    /// costs the server nothing.
    /// </summary>
    public Task<SectionResult> AskBareAsync(ServingProbe probe, TimeSpan window, CancellationToken cancellationToken) =>
        LoopAsync(static (caller, stop) => caller.AskBareAsync(stop), probe, window, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var wire in _callers.SelectMany(caller => caller.Wires))
        {
            await wire.DisposeAsync();
        }
    }

    private async Task<SectionResult> LoopAsync(
        Func<Caller, CancellationToken, Task> step, ServingProbe probe, TimeSpan window,
        CancellationToken cancellationToken)
    {
        GC.Collect();
        var latencies = new LatencyHistogram();
        var count = 0L;
        var before = await probe.ReadAsync(_server, cancellationToken);
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(_callers.Select(caller => Task.Run(
            async () =>
            {
                while (Stopwatch.GetElapsedTime(begun) < window)
                {
                    var started = Stopwatch.GetTimestamp();
                    await step(caller, cancellationToken);
                    latencies.Record(Stopwatch.GetTimestamp() - started);
                    Interlocked.Increment(ref count);
                }
            },
            cancellationToken)));
        var elapsed = Stopwatch.GetElapsedTime(begun);
        var used = await probe.ReadAsync(_server, cancellationToken) - before;
        _server.RequireAlive();
        return new SectionResult(
            count / elapsed.TotalSeconds, latencies.Percentile(0.5), latencies.Percentile(0.99),
            used.Server.TotalMicroseconds / count, used.Postgres?.TotalMicroseconds / count, null,
            used.WalBytes / (double)count, null)
        {
            DriverCpuMicros = used.Driver.TotalMicroseconds / count,
        };
    }

    /// <summary>One connection to each realm, and the people who take turns on them.</summary>
    private sealed class Caller(int number, IReadOnlyList<VaultMember> members, RealmWire[] wires, byte[] bare)
    {
        private const int Steps = 3;

        private SplitMix64 _random = new(SplitMix64.Mix((ulong)Stopwatch.GetTimestamp()) + (ulong)number);
        private int _turn;

        public IReadOnlyList<RealmWire> Wires => wires;

        public Task RecoverAsync(bool isProofChecked, CancellationToken cancellationToken) =>
            members[_turn++ % members.Count].RecoverAsync(
                wires, () => _random.NextUuid(), isProofChecked, cancellationToken);

        public async Task AskBareAsync(CancellationToken cancellationToken)
        {
            for (var step = 0; step < Steps; step++)
            {
                await Task.WhenAll(wires.Select(wire => wire.AskAsync(bare, cancellationToken).AsTask()));
            }
        }
    }
}
