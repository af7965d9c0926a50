using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Reporting;
using ChatPay.LoadTest.Serving;
using Npgsql;

namespace ChatPay.LoadTest.Chatting;

/// <summary>The same people in the same conversations on every server.</summary>
internal sealed class Crowds : IAsyncDisposable
{
    private readonly Dictionary<string, Crowd> _crowds = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<ChatRoom> _rooms;

    private Crowds(IReadOnlyList<ChatRoom> rooms) => _rooms = rooms;

    public Crowd this[string server] => _crowds[server];

    /// <summary>Connects everybody to every server.</summary>
    public static Task<Crowds> OpenAsync(
        Servers servers, IReadOnlyList<ChatRoom> rooms, int payloadBytes, CancellationToken cancellationToken) =>
        OpenAsync(servers, servers.Running, rooms, payloadBytes, cancellationToken);

    /// <summary>Connects everybody to these servers.</summary>
    public static async Task<Crowds> OpenAsync(
        Servers servers, IEnumerable<string> names, IReadOnlyList<ChatRoom> rooms, int payloadBytes,
        CancellationToken cancellationToken)
    {
        var crowds = new Crowds(rooms);
        try
        {
            foreach (var name in names)
            {
                var crowd = Create(name, servers[name], rooms, payloadBytes);
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

    /// <summary>What must be true whatever the speed; says what is not.</summary>
    /// <param name="settled">Whether after each section everything came to its end.</param>
    public async Task<Dictionary<string, bool>> InvariantsAsync(
        bool settled, NpgsqlDataSource owner, ScenarioConsole console, CancellationToken cancellationToken)
    {
        var invariants = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var (name, crowd) in _crowds)
        {
            invariants[name + "_delivered_exactly_once_in_order"] = crowd.Violation is null;
            invariants[name + "_all_connections_lived"] = crowd.Members.All(member => !member.Closed.IsCompleted);
            if (crowd.Violation is { } violation)
            {
                console.Done($"{name}: {violation}\n{crowd.Server.Output}");
            }
        }

        invariants["everything_acknowledged_and_delivered"] = settled;
        if (_crowds.TryGetValue(Servers.ChatPay, out var chatPay))
        {
            var logged = await ChatStore.CountMessagesAsync(
                owner, [.. _rooms.Select(room => room.Id)], cancellationToken);
            invariants["log_holds_what_was_acknowledged"] = logged == chatPay.Acknowledged;
        }

        return invariants;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var crowd in _crowds.Values)
        {
            await crowd.DisposeAsync();
        }
    }

    /// <summary>The people of these conversations, not yet connected.</summary>
    public static Crowd Create(string name, ServedProcess server, IReadOnlyList<ChatRoom> rooms, int payloadBytes)
    {
        var gate = new ExchangeGate();
        var members = new List<ChatMember>();
        foreach (var (index, room) in rooms.Index())
        {
            foreach (var person in room.Members)
            {
                var number = checked((ushort)members.Count);
                members.Add(name switch
                {
                    Servers.WebSocket => new WebSocketRelayMember(
                        number, gate, members, () => server.Address, index, payloadBytes),
                    Servers.SignalR => new SignalRRelayMember(
                        number, gate, members, () => server.Address, index, payloadBytes),
                    _ => new ChatPayMember(
                        number, gate, members, () => server.Address, person, room.Id, payloadBytes),
                });
            }
        }

        return new Crowd(server, gate, members);
    }
}
