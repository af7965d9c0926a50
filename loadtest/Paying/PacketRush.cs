using System.Diagnostics;
using System.Globalization;
using ChatPay.Core.Cards;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Scenarios;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Paying;

/// <summary>How one packet was taken.</summary>
/// <param name="SecondsToLastShare">From the first claim sent until the last of those who got a share knew it.</param>
/// <param name="SecondsToLastAnswer">Until everybody had an answer.</param>
/// <param name="SecondsToLastEvent">Until everybody had been told that it is over.</param>
/// <param name="Events">In which the shares were told.</param>
/// <param name="Retries">How often anybody was told to come again.</param>
/// <param name="Refusals">Answers of those who got nothing, by error.</param>
internal sealed record PacketFigures(
    double SecondsToSend, double SecondsToLastShare, double SecondsToLastAnswer, double SecondsToLastEvent, double P50Ms,
    double P99Ms, int Events, long Retries, IReadOnlyDictionary<string, int> Refusals, double ServerCpuSeconds,
    double? PostgresCpuSeconds, double DriverCpuSeconds)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"last share after {SecondsToLastShare:N2} s, last answer {SecondsToLastAnswer:N2} s, last event "
        + $"{SecondsToLastEvent:N2} s; {Events} events, {Retries:N0} retries; CPU: server {ServerCpuSeconds:N2} s, PostgreSQL "
        + $"{PostgresCpuSeconds:N2} s, driver {DriverCpuSeconds:N2} s");
}

/// <summary>Everybody of one large conversation, connected, takes from packets that its first member posts.</summary>
internal sealed class PacketRush : IAsyncDisposable
{
    /// <summary>What a share is on average, in minor units.</summary>
    private const long ShareMinor = 100;

    private const int LifetimeSeconds = 3600;
    private static readonly TimeSpan s_deadline = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(5);
    private readonly PayPeople _people;
    private readonly Crowd _crowd;
    private readonly ExchangeGate _gate;
    private readonly List<PacketMember> _members;
    private readonly Dictionary<AccountId, long> _owed;
    private readonly PacketExactness _exactness = new();
    private SplitMix64 _random = new(SplitMix64.Mix((ulong)Stopwatch.GetTimestamp()));

    private PacketRush(PayPeople people, ServedProcess server, KnownLog known)
    {
        (_people, _gate) = (people, new ExchangeGate());
        var members = new List<ChatMember>();
        foreach (var person in people.Everybody)
        {
            members.Add(new PacketMember(
                checked((ushort)members.Count), _gate, members, () => server.Address, person, known));
        }

        _members = members.ConvertAll(member => (PacketMember)member);
        _crowd = new Crowd(server, _gate, members);
        _owed = people.Everybody.ToDictionary(person => person.Account, _ => PayPeople.GrantMinor);
    }

    private ChatRoom Room => _people.Rooms[0];

    private PacketMember Author => _members[0];

    /// <summary>
    /// Adds the people and connects them, each with a session and a device of their own. Over the network a group may have
    /// <see cref="Limits.MembersPerGroup"/> members; memberships beyond that are written into the database.
    /// </summary>
    public static async Task<PacketRush> GatherAsync(
        ServedProcess server, ServingBench bench, int people, CancellationToken cancellationToken)
    {
        // Only who posts signs: taking a share takes nothing of the taker's.
        var added = await PayPeople.AddAsync(bench.Owner, 1, people + 1, signers: 1, cancellationToken);
        await added.OpenWalletsAsync(server.Address, cancellationToken);
        bench.Console.Done("done: people and wallets");
        var known = new KnownLog(
            await PayStore.ReadLineageAsync(bench.Owner, cancellationToken), added.Rooms[0].Id, ChatPeople.Epoch);
        var rush = new PacketRush(added, server, known);
        try
        {
            await rush._crowd.OpenAsync(cancellationToken);
            return rush;
        }
        catch
        {
            await rush.DisposeAsync();
            throw;
        }
    }

    /// <summary>One packet: posted, known to everybody, and wanted by everybody at once.</summary>
    public async Task<PacketFigures> RunAsync(
        ServingBench bench, int shares, PacketMode mode, CancellationToken cancellationToken)
    {
        var card = new CardId(_random.NextOrderedUuid(TimeProvider.System.GetUtcNow()));
        _members.ForEach(member => member.Expect(card));
        Author.Post(PostOf(card, shares, mode));
        await UntilAsync(() => _members.TrueForAll(member => member.Knows(card)), cancellationToken);

        GC.Collect();
        var (answers, nowhere) = (new LatencyHistogram(), new LatencyHistogram());
        var before = await bench.Probe.ReadAsync(_crowd.Server, cancellationToken);
        _gate.Measure(answers, nowhere);
        var begun = Stopwatch.GetTimestamp();
        var claimants = _members[1..];
        Parallel.ForEach(claimants, member => member.Send());
        var sent = Stopwatch.GetElapsedTime(begun);
        await UntilAsync(
            () => claimants.TrueForAll(member => member.Answer is not null) && _members.TrueForAll(member => member.OverAt != 0),
            cancellationToken);
        _gate.StopMeasuring();
        var used = await bench.Probe.ReadAsync(_crowd.Server, cancellationToken) - before;
        _crowd.Server.RequireAlive();

        double Until(IEnumerable<long> times) => Round(Stopwatch.GetElapsedTime(begun, times.Max()).TotalSeconds);
        await _exactness.CheckAsync(bench.Owner, card, _members, shares, _owed, cancellationToken);
        return new PacketFigures(
            Round(sent.TotalSeconds),
            Until(claimants.Where(member => member.Answer!.Place is not null).Select(member => member.AnsweredAt)),
            Until(claimants.Select(member => member.AnsweredAt)), Until(_members.Select(member => member.OverAt)),
            answers.Percentile(0.5).TotalMilliseconds, answers.Percentile(0.99).TotalMilliseconds, Author.Events,
            claimants.Sum(member => (long)member.Retries),
            claimants.Where(member => member.Answer!.Refusal is not null)
                .GroupBy(member => member.Answer!.Refusal!.Value).ToDictionary(
                    group => group.Key.ToString(), group => group.Count(), StringComparer.Ordinal),
            Round(used.Server.TotalSeconds), used.Postgres is { } postgres ? Round(postgres.TotalSeconds) : null,
            Round(used.Driver.TotalSeconds));
    }

    /// <summary>What must be true whatever the speed; says what is not.</summary>
    public async Task<Dictionary<string, bool>> InvariantsAsync(
        ServingBench bench, ServingOptions options, CancellationToken cancellationToken)
    {
        var wallets = await PayStore.ReadWalletsAsync(
            bench.Owner, [.. _owed.Keys], AssetCode.Parse(PayPeople.Asset), cancellationToken);
        var unbalanced = await MeasuredStore.ReadUnbalancedAsync(bench.Owner, cancellationToken);
        var (clean, output) = await ServedProcess.VerifyLedgerAsync(bench.Database, options.Server, cancellationToken);
        foreach (var wrong in new[] { _crowd.Violation, _exactness.Wrong, clean ? null : output }.OfType<string>())
        {
            bench.Console.Say(wrong);
        }

        return new(_exactness.Invariants, StringComparer.Ordinal)
        {
            ["told_in_order_without_a_gap"] = _crowd.Violation is null,
            ["all_connections_lived"] = _members.TrueForAll(member => !member.Closed.IsCompleted),
            ["every_wallet_is_exact"] =
                _owed.All(owed => wallets.GetValueOrDefault(owed.Key) == new WalletFigures(owed.Value, 0)),
            ["sum_per_asset_zero"] = unbalanced.Count == 0,
            ["ledger_verify_clean"] = clean,
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _crowd.DisposeAsync();
        _people.Dispose();
    }

    private static double Round(double seconds) => Math.Round(seconds, 3);

    private CardActRequest PostOf(CardId card, int shares, PacketMode mode)
    {
        var terms = new CardTerms(
            CardKind.Packet, card, Room.Id, Author.Person.Account, CardTerms.Nobody,
            Money.Of(shares * ShareMinor, AssetCode.Parse(PayPeople.Asset)), LifetimeSeconds,
            new CardPlan(Packet: mode, Count: shares));
        var now = TimeProvider.System.GetUtcNow();
        return CardPosts.Create(
            terms, new(_random.NextOrderedUuid(now)), _random.NextOrderedUuid(now), Author.Person.Device,
            _people.KeyOf(Author.Person), CardPosts.AuthorisationLifetime);
    }

    private async Task UntilAsync(Func<bool> done, CancellationToken cancellationToken)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!done())
        {
            var lost = _members.Count(member => member.Closed.IsCompleted);
            if (lost > 0 || _crowd.Violation is not null)
            {
                throw new InvalidOperationException(
                    $"{_crowd.Violation ?? "no violation"}; {lost} connections are lost\n{_crowd.Server.Output}");
            }

            if (Stopwatch.GetElapsedTime(begun) > s_deadline)
            {
                throw new TimeoutException($"Not everybody was answered and told.\n{_crowd.Server.Output}");
            }

            await Task.Delay(s_look, cancellationToken);
        }
    }
}
