using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Cluster;

/// <summary>The door of a feed: whatever comes, each event goes out once and in order.</summary>
public sealed class ConversationFeedTests
{
    private static readonly ConversationId s_conversation = TestGroup.NewId();

    [Fact]
    public void Any_order_with_any_repetition_comes_out_once_and_in_order()
    {
        var seed = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var dice = new Dice(seed);
        for (var round = 0; round < 500; round++)
        {
            var start = dice.Next(100);
            var events = Enumerable.Range(start - 3, 40).Select(seq => Logged(seq)).ToArray();
            var feed = new ConversationFeed(start);
            var shown = new List<long>();
            foreach (var logged in events.Concat(events).OrderBy(_ => dice.Next(1000)))
            {
                shown.AddRange(Offer(feed, logged));
            }

            Assert.Equal(Enumerable.Range(start + 1, 36).Select(seq => (long)seq), shown);
            Assert.Equal(start + 36, feed.Delivered);
        }
    }

    [Fact]
    public void What_comes_far_too_early_is_not_kept_and_does_no_harm()
    {
        var feed = new ConversationFeed(0);
        for (var seq = 2; seq <= 200; seq++)
        {
            Assert.Empty(Offer(feed, Logged(seq)));
        }

        var shown = Offer(feed, Logged(1)).ToList();
        Assert.Equal(Enumerable.Range(1, 65).Select(seq => (long)seq), shown);
        shown.AddRange(Offer(feed, Logged(66)));
        Assert.Equal(66, feed.Delivered);
        Assert.Equal(66, shown.Count);
    }

    [Fact]
    public void What_was_removed_from_the_log_is_stepped_over_and_never_what_was_not_read()
    {
        var feed = new ConversationFeed(3);

        // Read after 3: the log goes on with 10. Read after 5: what lies between 3 and 5 is not known.
        Assert.Empty(Offer(feed, Logged(10) with { After = 5 }));
        Assert.Equal([10L, 11L], Offer(feed, Logged(10) with { After = 3 }).Concat(Offer(feed, Logged(11))));
        feed.Skip(after: 12, to: 20);
        Assert.Equal(11, feed.Delivered);
        feed.Skip(after: 11, to: 20);
        Assert.Equal(20, feed.Delivered);
    }

    private static IEnumerable<long> Offer(ConversationFeed feed, LoggedPush logged)
    {
        for (var next = feed.Take(logged) is Offered.Delivered ? logged : null; next is not null; next = feed.TakeEarly())
        {
            yield return next.Seq;
        }
    }

    private static LoggedPush Logged(long seq) => new(s_conversation, seq, seq - 1, Push.OfJson(PushKind.Events, []), null);
}
