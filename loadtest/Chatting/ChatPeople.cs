using System.Buffers.Text;
using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using Npgsql;

namespace ChatPay.LoadTest.Chatting;

/// <summary>Somebody with one device and a session that is open for it.</summary>
/// <param name="Token">The session's bearer token; the database has its hash.</param>
/// <param name="SignatureKey">32 bytes that no key was made for: nobody verifies them here.</param>
internal sealed record ChatPerson(AccountId Account, DeviceId Device, string Token, byte[] SignatureKey)
{
    private const int TokenBytes = 32;

    public byte[] TokenHash => SHA256.HashData(Base64Url.DecodeFromChars(Token));

    public static ChatPerson Create(ref SplitMix64 random, DateTimeOffset now) => new(
        new(random.NextOrderedUuid(now)), new(random.NextOrderedUuid(now)),
        Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes)), RandomNumberGenerator.GetBytes(32));
}

/// <summary>A conversation and those in it.</summary>
internal sealed record ChatRoom(ConversationId Id, IReadOnlyList<ChatPerson> Members);

/// <summary>
/// Signed-in people and their conversations, written as the server would have left them: five thousand sign-ups would hash
/// passwords for minutes.
/// </summary>
internal static class ChatPeople
{
    /// <summary>Every conversation has had its first commit, by its first member.</summary>
    public const int Epoch = 1;

    public static async Task<IReadOnlyList<ChatRoom>> AddAsync(
        NpgsqlDataSource owner, int rooms, int membersEach, CancellationToken cancellationToken)
    {
        var made = Create(rooms, membersEach);
        await AddAsync(owner, made, cancellationToken);
        return made;
    }

    /// <summary>Makes people and conversations up, and adds them nowhere.</summary>
    public static IReadOnlyList<ChatRoom> Create(int rooms, int membersEach)
    {
        var random = new SplitMix64((ulong)System.Diagnostics.Stopwatch.GetTimestamp());
        var now = TimeProvider.System.GetUtcNow();
        var made = new ChatRoom[rooms];
        for (var index = 0; index < rooms; index++)
        {
            var members = new ChatPerson[membersEach];
            for (var place = 0; place < membersEach; place++)
            {
                members[place] = ChatPerson.Create(ref random, now);
            }

            made[index] = new(new(random.NextOrderedUuid(now)), members);
        }

        return made;
    }

    /// <summary>Adds conversations with everybody in them, each in one of them.</summary>
    public static async Task AddAsync(
        NpgsqlDataSource owner, IReadOnlyList<ChatRoom> rooms, CancellationToken cancellationToken)
    {
        var people = rooms.SelectMany(room => room.Members).ToArray();
        await PeopleStore.AddAsync(owner, [.. people.Select(person => person.Account)], cancellationToken);
        await ChatStore.AddSessionsAsync(owner, people, cancellationToken);
        await ChatStore.AddRoomsAsync(owner, rooms, cancellationToken);
    }
}
