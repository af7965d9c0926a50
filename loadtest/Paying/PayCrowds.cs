using ChatPay.Core.Ledger;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Scenarios;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Paying;

/// <summary>People who pay each other on ChatPay, and as many connections that call a bare hub.</summary>
internal sealed class PayCrowds : IAsyncDisposable
{
    private readonly Dictionary<string, Crowd> _crowds = new(StringComparer.Ordinal);
    private readonly PayPeople _people;
    private readonly PayWay _way = new();
    private long _paidAtOnce;

    private PayCrowds(PayPeople people) => _people = people;

    public Crowd this[string server] => _crowds[server];

    /// <summary>Bytes of a post of a card, and of a call of the bare hub but for three at most.</summary>
    public int CallBytes { get; private set; }

    /// <summary>Adds people, two to a conversation, and connects everybody to every server.</summary>
    public static async Task<PayCrowds> OpenAsync(
        Servers servers, ServingBench bench, int pairs, CancellationToken cancellationToken)
    {
        var crowds = new PayCrowds(await PayPeople.AddAsync(bench.Owner, pairs, 2, 2, cancellationToken));
        try
        {
            // Made on any of the servers, connected or not, it says how long a post is.
            var payers = crowds.Payers(() => servers[Servers.ChatPay].Address, new ExchangeGate());
            crowds.CallBytes = ((PayMember)payers[0]).PostBytes;
            foreach (var name in servers.Running)
            {
                var server = servers[name];
                var gate = new ExchangeGate();
                if (name == Servers.ChatPay)
                {
                    await crowds._people.OpenWalletsAsync(server.Address, cancellationToken);
                }

                var crowd = new Crowd(
                    server, gate, name == Servers.ChatPay
                        ? crowds.Payers(() => server.Address, gate)
                        : SignalRCallMember.Several(2 * pairs, () => server.Address, gate, crowds.CallBytes));
                crowds._crowds.Add(name, crowd);
                await crowd.OpenAsync(cancellationToken);
            }

            return crowds;
        }
        catch
        {
            await crowds.DisposeAsync();
            throw;
        }
    }

    /// <summary>Everybody pays at once while it runs; it ends when nothing is under way.</summary>
    public async Task AtOnceAsync(Func<Task> run)
    {
        var payers = _crowds[Servers.ChatPay];
        _way.IsAtOnce = true;
        _paidAtOnce -= payers.Acknowledged;
        await run();
        _paidAtOnce += payers.Acknowledged;
        _way.IsAtOnce = false;
    }

    /// <summary>What must be true whatever the speed; says what is not.</summary>
    /// <param name="settled">Whether after each section every payment that was begun was held by both.</param>
    public async Task<Dictionary<string, bool>> InvariantsAsync(
        bool settled, ServingBench bench, ServingOptions options, ScenarioConsole console,
        CancellationToken cancellationToken)
    {
        var invariants = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var (name, crowd) in _crowds)
        {
            invariants[name + "_exactly_once_in_order"] = crowd.Violation is null;
            invariants[name + "_all_connections_lived"] = crowd.Members.All(member => !member.Closed.IsCompleted);
            if (crowd.Violation is { } violation)
            {
                console.Say($"{name}: {violation}\n{crowd.Server.Output}");
            }
        }

        invariants["everything_begun_is_settled_at_both"] = settled;
        if (!_crowds.TryGetValue(Servers.ChatPay, out var payers))
        {
            return invariants;
        }

        var counted = await PayStore.CountAsync(bench.Owner, [.. _people.Rooms.Select(room => room.Id)], cancellationToken);
        var payments = payers.Acknowledged;
        invariants["cards_are_the_payments_counted"] = counted.Cards == payments && counted.Accepted == payments;
        invariants["every_debit_is_signed"] = counted.Authorised == payments;

        // Each conversation began with one commit; a payment tells of its post and of its end, which may be one.
        invariants["log_holds_every_step"] =
            counted.Events == (2 * (payments - _paidAtOnce)) + _paidAtOnce + _people.Rooms.Count;
        invariants["every_wallet_is_exact"] = await WalletsAreExactAsync(payers, bench, cancellationToken);
        var unbalanced = await MeasuredStore.ReadUnbalancedAsync(bench.Owner, cancellationToken);
        invariants["sum_per_asset_zero"] = unbalanced.Count == 0;
        var (clean, output) = await ServedProcess.VerifyLedgerAsync(bench.Database, options.Server, cancellationToken);
        invariants["ledger_verify_clean"] = clean;
        if (!clean)
        {
            console.Say(output);
        }

        return invariants;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var crowd in _crowds.Values)
        {
            await crowd.DisposeAsync();
        }

        _people.Dispose();
    }

    private List<ChatMember> Payers(Func<Uri> server, ExchangeGate gate)
    {
        var members = new List<ChatMember>();
        foreach (var room in _people.Rooms)
        {
            foreach (var (place, person) in room.Members.Index())
            {
                members.Add(new PayMember(
                    checked((ushort)members.Count), gate, members, server, _way, person, _people.KeyOf(person),
                    room.Members[1 - place], room.Id));
            }
        }

        return members;
    }

    /// <summary>
    /// Whether everybody has what they began with, without what they paid and with what they got; and nothing is held.
    /// </summary>
    private async Task<bool> WalletsAreExactAsync(Crowd payers, ServingBench bench, CancellationToken cancellationToken)
    {
        var people = _people.Everybody.Select(person => person.Account).ToArray();
        var wallets = await PayStore.ReadWalletsAsync(
            bench.Owner, people, AssetCode.Parse(PayPeople.Asset), cancellationToken);
        return people.Index().All(person =>
        {
            var paid = payers.Members[person.Index].Acknowledged;
            var got = payers.Members[person.Index ^ 1].Acknowledged;
            return wallets.GetValueOrDefault(person.Item)
                == new WalletFigures(PayPeople.GrantMinor + ((got - paid) * PayMember.AmountMinor), 0);
        });
    }
}
