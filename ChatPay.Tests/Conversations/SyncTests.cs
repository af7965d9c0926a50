using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Conversations;

public sealed class SyncTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Hello_names_what_changed_and_sync_pages_through_it()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var quiet = await TestGroup.GroupAsync(ada, ben);
        var busy = await TestGroup.DirectAsync(ada, ben);
        await ben.DisconnectAsync();
        for (var i = 0; i < Limits.EventsPerSyncPage + 5; i++)
        {
            await busy.SendAsync(ada);
        }

        var greeting = await ben.ConnectAsync(null, new Cursor(quiet.Id, 1), new Cursor(busy.Id, 1));
        Assert.Equal([busy.Id], greeting.Changed.Select(view => view.Id));
        Assert.Empty(greeting.Gone);
        var seqs = new List<long> { 1 };
        bool more;
        do
        {
            var page = Assert.Single((await ben.Hub.SyncAsync(new([new(busy.Id, seqs[^1])]), Cancellation)).Pages);
            seqs.AddRange(page.Events.Select(e => e.Seq));
            more = page.More;
        }
        while (more);

        Assert.Equal(Enumerable.Range(1, Limits.EventsPerSyncPage + 6).Select(seq => (long)seq), seqs);
        var before = await ben.Client.EventsAsync(busy.Id, null, 10, 3, Cancellation);
        Assert.Equal([7, 8, 9], before.Select(e => e.Seq));
    }

    [Fact]
    public async Task A_page_of_large_messages_stays_within_its_bytes()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        for (var i = 0; i < 30; i++)
        {
            await ada.Hub.SendAsync(group.Message(ada, null, 60_000), Cancellation);
        }

        var page = Assert.Single((await ben.Hub.SyncAsync(new([new(group.Id, 0)]), Cancellation)).Pages);
        Assert.True(page.More);
        Assert.InRange(page.Events.Sum(e => e.Body!.Length), 1, 1024 * 1024);
    }

    [Fact]
    public async Task History_is_read_backwards_in_pages_of_bounded_bytes_to_its_beginning()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        for (var i = 0; i < 40; i++)
        {
            await ada.Hub.SendAsync(group.Message(ada, null, 60_000), Cancellation);
        }

        var newest = await ben.Client.EventsAsync(group.Id, null, long.MaxValue, null, Cancellation);
        Assert.InRange(newest.Sum(e => e.Body!.Length), 1, Limits.PageBytes);
        Assert.Equal(41, newest[^1].Seq);
        Assert.Equal(newest.Select(e => e.Seq).Order(), newest.Select(e => e.Seq));
        var backwards = new List<long>();
        await foreach (var logged in ben.Client.HistoryAsync(group.Id, null, Cancellation))
        {
            backwards.Add(logged.Seq);
        }

        Assert.Equal(Enumerable.Range(1, 41).Select(seq => (long)seq).Reverse(), backwards);
    }

    [Fact]
    public async Task Cursors_of_another_lineage_count_for_nothing()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);

        var greeting = await ben.ConnectAsync(TestGroup.NewId().Value, new Cursor(group.Id, 1));
        Assert.Equal([group.Id], greeting.Changed.Select(view => view.Id));
    }

    [Fact]
    public async Task Requests_beyond_their_bounds_are_refused()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        var id = TestGroup.NewId();
        Task[] calls =
        [
            ada.Hub.SyncAsync(new([]), Cancellation),
            ada.Hub.SyncAsync(new([new(id, -1)]), Cancellation),
            ada.Hub.SyncAsync(new([new(id, 0), new(id, 0)]), Cancellation),
            ada.Hub.SyncAsync(new([.. Enumerable.Range(0, 101).Select(_ => new Cursor(TestGroup.NewId(), 0))]), Cancellation),
            ada.Hub.MarkAsync(new([new(id, -1, 0)]), Cancellation),
            ada.Client.EventsAsync(id, 1, 2, null, Cancellation),
            ada.Client.EventsAsync(id, -1, null, null, Cancellation),
            ada.Client.EventsAsync(id, null, null, Limits.EventsPerSyncPage + 1, Cancellation),
        ];
        foreach (var call in calls)
        {
            Assert.Equal((int)ErrorCode.InvalidArgument, (await Person.ErrorOf(call)).Code);
        }
    }
}
