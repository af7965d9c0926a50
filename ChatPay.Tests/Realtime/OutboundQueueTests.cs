using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Realtime;

public sealed class OutboundQueueTests
{
    private static readonly ConversationId s_conversation = TestGroup.NewId();

    [Fact]
    public void Neighbours_of_a_kind_share_a_frame_and_order_is_kept()
    {
        var queue = new OutboundQueue(100, 1_000_000);
        foreach (var push in new[] { Typing(), Typing(), Mark(1), Mark(2), Mark(3), Typing() })
        {
            Assert.Equal(Enqueued.Queued, queue.Enqueue(push));
        }

        Assert.Equal(["Ephemeral 2", "Receipts 3", "Ephemeral 1"], Frames(queue));
    }

    [Fact]
    public void A_frame_ends_where_its_bytes_do()
    {
        var queue = new OutboundQueue(100, 1_000_000);
        for (var i = 0; i < 6; i++)
        {
            queue.Enqueue(Mark(i));
        }

        Assert.Equal(["Receipts 2", "Receipts 2", "Receipts 2"], Frames(queue, 3 * Mark(1).JsonBytes.Length));
    }

    [Fact]
    public void When_full_ephemerals_go_first_then_everything_for_a_resync()
    {
        var queue = new OutboundQueue(4, 1_000_000);
        Push[] filling = [Mark(1), Typing(), Mark(2), Typing()];
        Assert.All(filling, push => Assert.Equal(Enqueued.Queued, queue.Enqueue(push)));

        Assert.Equal(Enqueued.Dropped, queue.Enqueue(Typing()));
        Assert.Equal(Enqueued.Queued, queue.Enqueue(Mark(3)));
        Assert.Equal(Enqueued.Queued, queue.Enqueue(Mark(4)));
        Assert.Equal(Enqueued.Resync, queue.Enqueue(Mark(5)));
        Assert.Equal(Enqueued.Dropped, queue.Enqueue(Mark(6)));
        Assert.Equal(["Control 1"], Frames(queue));

        // The client has been told; from here on it needs the pushes again.
        Assert.Equal(Enqueued.Queued, queue.Enqueue(Mark(7)));
        Assert.Equal(["Receipts 1"], Frames(queue));
    }

    [Fact]
    public void Bytes_are_bounded_but_one_large_push_gets_through()
    {
        var queue = new OutboundQueue(100, 10);
        Assert.Equal(Enqueued.Queued, queue.Enqueue(Mark(1)));
        Assert.Equal(Enqueued.Resync, queue.Enqueue(Mark(2)));
        Assert.Equal(["Control 1"], Frames(queue));
    }

    [Fact]
    public void After_the_end_nothing_but_the_last_word_is_written()
    {
        var queue = new OutboundQueue(100, 1_000_000);
        queue.Enqueue(Mark(1));
        queue.CompleteWith(Push.Of(new ControlSignal(ControlKind.Revoked)));
        Assert.Equal(Enqueued.Dropped, queue.Enqueue(Mark(2)));
        Assert.Equal(["Control 1"], Frames(queue));
    }

    private static Push Mark(long seq) => Push.Of(new Receipt(s_conversation, default, default, seq, 0));

    private static Push Typing() =>
        Push.Of(new EphemeralSignal(EphemeralKind.Typing, s_conversation, default, true, 1000));

    private static IEnumerable<string> Frames(OutboundQueue queue, int frameBytes = 1_000_000)
    {
        while (Take(queue, frameBytes, out var text) is var pushes and > 0)
        {
            Assert.EndsWith("\u001e", text, StringComparison.Ordinal);
            using var json = System.Text.Json.JsonDocument.Parse(text[..^1]);
            yield return json.RootElement.GetProperty("target").GetString() + " " + pushes;
        }
    }

    private static int Take(OutboundQueue queue, int frameBytes, out string text)
    {
        var message = new PooledBytes();
        queue.TryTakeFrame(ref message, frameBytes, out var pushes, out _);
        text = Encoding.UTF8.GetString(message.Memory.Span);
        message.Return();
        return pushes;
    }
}
