using System.Runtime.CompilerServices;
using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// A conversation as a device knows it: its properties are as of the moment they are read. Made by
/// <see cref="ChatPayDevice"/>; any number of objects may stand for the same conversation.
/// </summary>
public sealed partial class ChatConversation
{
    private readonly ChatPayDevice _device;
    private readonly ConversationState _state;

    internal ChatConversation(ChatPayDevice device, ConversationState state) => (_device, _state) = (device, state);

    /// <summary>Its id.</summary>
    public ConversationId Id => _state.Id;

    /// <summary>Direct or group.</summary>
    public ConversationKind Kind => _state.Record.Kind;

    /// <summary>A group's name; null where this device has not read it yet, and in a direct conversation.</summary>
    public string? Name => _state.Record.Name;

    /// <summary>Everybody who is in it, this account too.</summary>
    public IReadOnlyList<MemberView> Members => _state.Record.Members;

    /// <summary>Whether this account is in it; what was said before can still be read where not.</summary>
    public bool IsActive => _state.Record.Active;

    /// <summary>
    /// Whether this device is in the conversation's encryption; where not, it is about to get in, or tries again after
    /// the next reconnect.
    /// </summary>
    public bool IsReadable => _state.Facts is not null;

    /// <summary>The last place in the log that this device has read.</summary>
    public long Seq => _state.Place.Cursor;

    /// <summary>Everything up to this place was marked as read, on any device of the account.</summary>
    public long ReadSeq => _state.Place.Read;

    /// <summary>
    /// For how many days the server keeps the log, by the conversation's own setting or by the server's; null for good, and
    /// while the log has gone back to the server's, until <see cref="RefreshAsync"/> or the archive has asked for it.
    /// </summary>
    public int? RetentionDays => _state.Record.RetentionDays;

    /// <summary>
    /// Delivered and read marks of members' devices as far as the server has told them; <see cref="RefreshAsync"/>
    /// asks.
    /// </summary>
    public IReadOnlyCollection<Receipt> Receipts => [.. _state.Marks.Values];

    /// <summary>What this device holds of the conversation, the newest first.</summary>
    /// <param name="before">Begins below this place in the log; null for the newest.</param>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.StoreFailed"/>.</exception>
    /// <example>
    /// <code>
    /// await foreach (var item in conversation.HistoryAsync(null, cancellationToken))
    /// {
    ///     Console.WriteLine($"{item.Seq} {item.At:t} {(item as TextMessage)?.Text}");
    /// }
    /// </code>
    /// </example>
    public async IAsyncEnumerable<ChatItem> HistoryAsync(
        long? before, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var query = new StoreQuery(StoreKeys.Items(Id))
        {
            Before = before is { } below ? StoreKeys.Item(Id, Math.Max(0, below)) : null,
            Backwards = true,
            Limit = 100,
        };
        var store = _device.StoreOf;
        for (IReadOnlyList<StoreEntry> page; (page = await store.ListAsync(query, cancellationToken)).Count > 0;)
        {
            foreach (var (_, value) in page)
            {
                yield return DeviceCore.Decode<ChatItem>(value);
            }

            query = query with { Before = page[^1].Key };
        }
    }

    /// <summary>
    /// Asks the server for the conversation as it is now: members, and what everybody has received and read.
    /// </summary>
    /// <exception cref="ChatPayException">Not a member any more, or the server cannot be reached.</exception>
    /// <example>
    /// <code>
    /// await conversation.RefreshAsync(cancellationToken);
    /// var hers = conversation.Receipts.Where(receipt => receipt.Account == ada.Id);
    /// var isRead = hers.Any(receipt => receipt.Read >= sent.Seq);
    /// </code>
    /// </example>
    public Task RefreshAsync(CancellationToken cancellationToken) => _device.RefreshAsync(Id, cancellationToken);

    /// <summary>
    /// Marks everything up to a place as read, for all devices of the account; the others see it. Delivered marks are
    /// sent without being asked for.
    /// </summary>
    /// <param name="seq">Such as <see cref="ChatItem.Seq"/> of the item that was shown last.</param>
    /// <exception cref="ChatPayException">The device has ended.</exception>
    /// <example>
    /// <code>await conversation.MarkReadAsync(item.Seq, cancellationToken);</code>
    /// </example>
    public Task MarkReadAsync(long seq, CancellationToken cancellationToken) =>
        _device.MarkReadAsync(_state, seq, cancellationToken);

    /// <summary>
    /// Says that this account is typing, or has stopped; nothing is said while there is no connection.
    /// </summary>
    /// <param name="active">Whether it is; to be repeated every few seconds while it goes on.</param>
    /// <exception cref="ChatPayException">The session is over.</exception>
    /// <example>
    /// <code>await conversation.TypingAsync(true, cancellationToken);</code>
    /// </example>
    public Task TypingAsync(bool active, CancellationToken cancellationToken) =>
        _device.TypingAsync(Id, active, cancellationToken);
}
