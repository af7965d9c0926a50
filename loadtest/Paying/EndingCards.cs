using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using Npgsql;

namespace ChatPay.LoadTest.Paying;

/// <summary>How late cards were closed whose time was up, of those that are closed.</summary>
/// <param name="Early">Closed before their time.</param>
/// <param name="Open">Not closed, though their time was up five seconds ago.</param>
internal sealed record EndingFigures(long Closed, long Early, long Open, double P50Ms, double P99Ms, double MaxMs);

/// <summary>
/// Requests that nobody answers and whose time is up in the middle of what is measured, one after the other: what the
/// server's scheduler does beside the work.
/// </summary>
internal sealed class EndingCards
{
    private const int PerSecond = 50;
    private const int Conversations = 50;
    private const int LifetimeSeconds = 60;
    private readonly IReadOnlyList<ChatRoom> _rooms;

    private EndingCards(IReadOnlyList<ChatRoom> rooms) => _rooms = rooms;

    /// <summary>Adds cards that end from now on, in conversations of their own.</summary>
    /// <param name="over">For how long cards end.</param>
    public static async Task<EndingCards> AddAsync(
        NpgsqlDataSource owner, TimeSpan over, CancellationToken cancellationToken)
    {
        var rooms = await ChatPeople.AddAsync(owner, Conversations, 2, cancellationToken);
        await PayStore.AddEndingCardsAsync(
            owner, rooms, PayPeople.Asset, (int)(over.TotalSeconds * PerSecond), PerSecond, LifetimeSeconds, cancellationToken);
        return new EndingCards(rooms);
    }

    public Task<EndingFigures> ReadAsync(NpgsqlDataSource owner, CancellationToken cancellationToken) =>
        PayStore.ReadEndingsAsync(owner, [.. _rooms.Select(room => room.Id)], cancellationToken);
}
