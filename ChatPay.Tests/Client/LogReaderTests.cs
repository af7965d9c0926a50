using ChatPay.Client;
using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>At the end of its log a group stands where the server's does, or the device joins anew.</summary>
public sealed class LogReaderTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = SdkPerson.TimeoutMs)]
    [InlineData("the log has told of the epoch", 5, 5, 3, 3, 2, 0, true)]
    [InlineData("it has joined by a commit that the log has yet to tell of", 5, 5, 3, 4, 6, 0, true)]
    [InlineData("it had joined before, and others have committed without it", 5, 5, 4, 3, 2, 0, false)]
    [InlineData("the log has told of its joining, and the server is elsewhere", 6, 6, 3, 4, 6, 0, false)]
    [InlineData("the log is read again, and has told of its joining before", 5, 5, 3, 4, 6, 7, false)]
    [InlineData("there is more to read", 5, 6, 3, 4, 2, 0, true)]
    [InlineData("the server has not said where it is", 5, 5, 0, 4, 2, 0, true)]
    public async Task A_group_is_given_up_only_where_the_log_will_not_bring_it_on(
        string because, long cursor, long head, long serverEpoch, long ownEpoch, long joinSeq, long replayed,
        bool isKept)
    {
        using var client = new ChatPayClient(new Uri("http://127.0.0.1:1"));
        await using var core = new DeviceCore(SdkPerson.Options(client.Address, new MemoryStore()), client);
        var commits = new Commits(core);
        var id = new ConversationId(core.NewId());
        var state = core.Add(new ConversationState(
            new(id, ConversationKind.Group, core.Time.GetUtcNow(), 1, [], [], [], head, true, null, 0, null),
            new(cursor, head, serverEpoch, 0, replayed))
        {
            Facts = new(ownEpoch, joinSeq, []),
        });
        var reader = new LogReader(core, new GroupDoor(core, commits), new LogHooks(
            static _ => { }, static (_, _) => { }, static (_, _) => { }, static _ => { }, static () => { }));
        var handlers = reader.Handlers(new(), static (_, _) => { });
        handlers.CaughtUp!();
        await handlers.TurnEnded!(Cancellation);
        Assert.True(isKept == state.Facts is not null, because);
    }
}
