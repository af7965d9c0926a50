using ChatPay.Client.Internal;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>Who listens to news: slow ones miss some, but never the last of what they listen for.</summary>
public sealed class BroadcastTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_listens_for_the_latest_gets_it_however_much_else_is_told()
    {
        var news = new Broadcast<(int About, int Version)>();
        using var slow = news.SubscribeToLatest(static one => one.About == 1);
        for (var version = 0; version < 3; version++)
        {
            news.Tell((1, version));
        }

        for (var about = 2; about < 5000; about++)
        {
            news.Tell((about, 0));
        }

        news.Complete();
        Assert.Equal([(1, 2)], await slow.ReadAllAsync(Cancellation).ToListAsync(Cancellation));
    }

    [Fact]
    public async Task Who_listens_for_everything_misses_the_oldest_and_learns_why_it_ends()
    {
        var news = new Broadcast<int>();
        using var slow = news.Subscribe();
        for (var i = 0; i < 2000; i++)
        {
            news.Tell(i);
        }

        news.Fail(new InvalidOperationException("over"));
        var heard = new List<int>();
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var one in slow.ReadAllAsync(Cancellation))
            {
                heard.Add(one);
            }
        });
        Assert.Equal(Enumerable.Range(2000 - 1024, 1024), heard);
    }
}
