using System.Threading.Channels;
using ChatPay.Server.Cluster;

namespace ChatPay.Server.Presence;

/// <summary>Wakes those who look after presence when there is something to do.</summary>
internal sealed class PresenceSignals(HintOutbox outbox)
{
    private static readonly BoundedChannelOptions s_one = new(1)
    {
        FullMode = BoundedChannelFullMode.DropWrite,
        SingleReader = true,
    };

    private readonly Channel<bool> _work = Channel.CreateBounded<bool>(s_one);
    private readonly Channel<bool> _sharing = Channel.CreateBounded<bool>(s_one);

    /// <summary>Whether there are other nodes to share it with.</summary>
    public bool IsShared => outbox.IsOn;

    public ChannelReader<bool> Work => _work.Reader;

    public ChannelReader<bool> Sharing => _sharing.Reader;

    public void Wake() => _work.Writer.TryWrite(true);

    public void Share() => _sharing.Writer.TryWrite(true);
}
