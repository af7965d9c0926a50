using ChatPay.Server.Transparency;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Receipts;

/// <summary>Up to where the ledger log may go while batches are decided in one order and committed in another.</summary>
public sealed class SealHorizonTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(1);

    private readonly ManualTime _time = new();

    [Fact]
    public void With_nobody_at_work_everything_is_there()
    {
        var horizon = New();
        horizon.Saw(7, []);
        Assert.Equal((7, 7, (long?)null), (horizon.Complete, horizon.Open, horizon.WaitsSince));
    }

    [Fact]
    public void A_batch_waits_until_all_have_ended_who_were_at_work_when_it_was_the_newest()
    {
        var horizon = New();
        horizon.Saw(7, ["a", "b"]);
        Assert.Equal(-1, horizon.Complete);

        // The newest is 9 by now, but what is known to be over are those who were there at 7: b still is.
        horizon.Saw(9, ["b", "c"]);
        Assert.Equal(-1, horizon.Complete);
        horizon.Saw(9, ["c"]);
        Assert.Equal(7, horizon.Complete);
        horizon.Saw(11, ["d"]);
        Assert.Equal(9, horizon.Complete);
    }

    [Fact]
    public void One_that_hangs_holds_the_order_up_for_so_long_and_no_longer()
    {
        var horizon = New();
        horizon.Saw(7, ["a"]);
        _time.Advance(s_patience);
        horizon.Saw(8, ["a"]);
        Assert.Equal((-1, -1), (horizon.Complete, horizon.Open));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        horizon.Saw(9, ["a", "b"]);
        Assert.Equal((-1, 9), (horizon.Complete, horizon.Open));
        horizon.Saw(10, []);
        Assert.Equal((10, 10), (horizon.Complete, horizon.Open));
    }

    private SealHorizon New() => new(-1, s_patience, _time);
}
