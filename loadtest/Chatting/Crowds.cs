using ChatPay.LoadTest.Database;
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

    public IEnumerable<string> Violations =>
        from crowd in _crowds
        where crowd.Value.Violation is not null
        select $"{crowd.Key}: {crowd.Value.Violation}";

    /// <summary>Connects everybody to every server.</summary>
    public static async Task<Crowds> OpenAsync(
        Servers servers, IReadOnlyList<ChatRoom> rooms, int payloadBytes, CancellationToken cancellationToken)
    {
        var crowds = new Crowds(rooms);
        try
        {
            foreach (var name in servers.Running)
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

    /// <summary>What must be true whatever the speed.</summary>
    /// <param name="settled">Whether after each section everything came to its end.</param>
    public Dictionary<string, bool> Invariants(bool settled)
    {
        var invariants = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var (name, crowd) in _crowds)
        {
            invariants[name + "_delivered_exactly_once_in_order"] = crowd.Violation is null;
            invariants[name + "_all_connections_lived"] = crowd.Members.All(member => !member.Closed.IsCompleted);
        }

        invariants["everything_acknowledged_and_delivered"] = settled;
        return invariants;
    }

    /// <summary>Whether the log has exactly the messages that were acknowledged, without a gap.</summary>
    public async Task<bool> IsLoggedAsync(NpgsqlDataSource owner, CancellationToken cancellationToken)
    {
        var logged = await ChatStore.CountMessagesAsync(
            owner, [.. _rooms.Select(room => room.Id)], cancellationToken);
        return logged == _crowds[Servers.ChatPay].Acknowledged;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var crowd in _crowds.Values)
        {
            await crowd.DisposeAsync();
        }
    }

    private static Crowd Create(string name, ServedProcess server, IReadOnlyList<ChatRoom> rooms, int payloadBytes)
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
