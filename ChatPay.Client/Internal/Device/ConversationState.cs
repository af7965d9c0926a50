using System.Collections.Concurrent;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// A conversation in memory. Its records follow the store and are replaced as a whole; whoever changes anything of it
/// holds the core's gate.
/// </summary>
internal sealed class ConversationState(ConversationRecord record, PlaceRecord place)
{
    private volatile TaskCompletionSource _changed = New();
    private volatile ConversationRecord _record = record;
    private volatile PlaceRecord _place = place;

    public ConversationId Id => _record.Id;

    public ConversationRecord Record => _record;

    public PlaceRecord Place => _place;

    public Lane Lane { get; } = new();

    /// <summary>Null where the store has no group for the conversation.</summary>
    public GroupFacts? Facts { get; set; }

    public PendingFacts? Pending { get; set; }

    /// <summary>The group itself, where it is at hand.</summary>
    public Group? Group { get; set; }

    /// <summary>
    /// In whose names the group had devices that their chains have not, in an epoch and as of a version of what is known of
    /// people; null before anybody asked.
    /// </summary>
    public ((ulong Epoch, long People) AsOf, IReadOnlyList<AccountId> Accounts)? Strangers { get; set; }

    /// <summary>
    /// Joining has failed: messages are shown as unreadable and nothing can be sent, until it is tried again, after the
    /// next reconnect at the latest.
    /// </summary>
    public bool Unreadable { get; set; }

    /// <summary>So many times in a row joining has failed for reasons that pass; it is tried again by itself.</summary>
    public int JoinFailures { get; set; }

    /// <summary>The seq of the commit for whose sake the account's own chain was looked at last.</summary>
    public long KeysLookedAt { get; set; }

    /// <summary>Whether somebody waits to try it again.</summary>
    public bool WillRejoin { get; set; }

    /// <summary>
    /// Delivered and read marks as far as the server has told them; they are asked for again, not stored.
    /// </summary>
    public ConcurrentDictionary<DeviceId, Receipt> Marks { get; } = new();

    /// <summary>Marks only ever rise.</summary>
    /// <returns>Whether it is news.</returns>
    public bool Mark(Receipt receipt)
    {
        var news = false;
        Marks.AddOrUpdate(
            receipt.Device,
            _ =>
            {
                news = true;
                return receipt;
            },
            (_, known) =>
            {
                news = receipt.Delivered > known.Delivered || receipt.Read > known.Read;
                return news
                    ? known with
                    {
                        Delivered = Math.Max(known.Delivered, receipt.Delivered),
                        Read = Math.Max(known.Read, receipt.Read),
                    }
                    : known;
            });
        return news;
    }

    /// <summary>Completes when anything changes after this was read.</summary>
    public Task Changed => _changed.Task;

    public void Follow(ConversationRecord next, PlaceRecord nextPlace)
    {
        _record = next;
        _place = nextPlace;
    }

    /// <summary>The device that it belongs to is none any more; whoever waits looks again.</summary>
    public void End()
    {
        (Facts, Pending) = (null, null);
        _record = _record with { Active = false, PendingRemovals = [] };
        Announce();
    }

    public void Announce()
    {
        var changed = _changed;
        _changed = New();
        changed.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
