using System.Runtime.CompilerServices;
using ChatPay.Client.Internal;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>Conversations: finding, opening, and what happens in them.</content>
public sealed partial class ChatPayDevice
{
    /// <summary>
    /// All conversations that this device knows, those that the account has left too, the latest first by when they
    /// began.
    /// </summary>
    public IReadOnlyList<ChatConversation> Conversations =>
    [
        .. _core.Conversations.OrderByDescending(static state => state.Record.CreatedAt).Select(Of),
    ];

    /// <summary>A conversation by its id.</summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.NotReady"/>: this device does not know it.
    /// </exception>
    /// <example>
    /// <code>await device.Conversation(item.Conversation).SendTextAsync("Thanks!", cancellationToken);</code>
    /// </example>
    public ChatConversation Conversation(ConversationId id) => Of(_core.Find(id));

    /// <summary>The account with exactly this handle.</summary>
    /// <param name="handle">With or without <c>@</c>.</param>
    /// <exception cref="ChatPayException"><c>account_unknown</c>, or the server cannot be reached.</exception>
    /// <example>
    /// <code>var ada = await device.FindAccountAsync("ada", cancellationToken);</code>
    /// </example>
    public Task<AccountView> FindAccountAsync(string handle, CancellationToken cancellationToken) =>
        Client.FindAccountAsync(handle, cancellationToken);

    /// <summary>The direct conversation with somebody: the one that there is, or a new one.</summary>
    /// <exception cref="ChatPayException">
    /// <c>account_unknown</c>; <c>key_package_unavailable</c>: they have no device that could be added now; among
    /// others.
    /// </exception>
    /// <example>
    /// <code>
    /// var conversation = await device.StartDirectAsync(ada.Id, cancellationToken);
    /// await conversation.SendTextAsync("Hello", cancellationToken);
    /// </code>
    /// </example>
    public async Task<ChatConversation> StartDirectAsync(AccountId other, CancellationToken cancellationToken) =>
        Of(await _desk.StartDirectAsync(other, cancellationToken));

    /// <summary>Creates a group, of which this account is the owner.</summary>
    /// <param name="name">1 to 64 UTF-16 units; encrypted like any message.</param>
    /// <param name="members">The others, at most 499.</param>
    /// <exception cref="ChatPayException">
    /// <c>key_package_unavailable</c>: one of them has no device that could be added now; <c>group_full</c>; among
    /// others.
    /// </exception>
    /// <example>
    /// <code>var group = await device.CreateGroupAsync("Lunch", [ada.Id, ben.Id], cancellationToken);</code>
    /// </example>
    public async Task<ChatConversation> CreateGroupAsync(
        string name, IReadOnlyList<AccountId> members, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(members);
        return Of(await _desk.CreateGroupAsync(name, members, cancellationToken));
    }

    /// <summary>
    /// Everything that others do, and this account's other devices, in all conversations: in the order of each
    /// conversation's log, each once. It goes on until the device is disposed of, or fails when its session is over.
    /// </summary>
    /// <remarks>
    /// What arrives waits in the store. An item is done with when the next one is asked for, by this loop or a later
    /// one, or when it is acknowledged (<see cref="AcknowledgeAsync"/>). If the program ends before that, by a crash or
    /// by leaving the loop, the one item that it had in its hands comes again when the device is opened anew, with
    /// <see cref="ChatItem.IsRepeated"/> set; answers with <see cref="ChatItem.ReplyId"/> and
    /// <see cref="ChatItem.CardId"/> are not doubled by that. One loop at a time.
    /// </remarks>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.SessionEnded"/>: everything that had arrived was taken, and nothing more comes before
    /// the device signs in again; <see cref="ClientErrors.StoreFailed"/>.
    /// </exception>
    /// <exception cref="InvalidOperationException">Somebody is receiving from this device already.</exception>
    /// <exception cref="OperationCanceledException">The loop was cancelled.</exception>
    /// <example>
    /// <code>
    /// await foreach (var item in device.ReceiveAsync(cancellationToken))
    /// {
    ///     if (item is TextMessage message)
    ///     {
    ///         Console.WriteLine($"{message.By!.Handle}: {message.Text}");
    ///     }
    /// }
    /// </code>
    /// </example>
    public IAsyncEnumerable<ChatItem> ReceiveAsync(CancellationToken cancellationToken) =>
        _core.Arrivals.ReadAsync(cancellationToken);

    /// <summary>Says that an item is done with, before the next one is asked for: it will not come again.</summary>
    /// <param name="item">
    /// The one that <see cref="ReceiveAsync"/> gave last. Others are done with already, and so is whatever this object
    /// gave before it signed out or in as another device: for these nothing happens.
    /// </param>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.StoreFailed"/>.</exception>
    /// <example>
    /// <code>
    /// await device.AcknowledgeAsync(item, cancellationToken);
    /// break;
    /// </code>
    /// </example>
    public Task AcknowledgeAsync(ChatItem item, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(item);
        return _core.Arrivals.AcknowledgeAsync(item, cancellationToken);
    }

    /// <summary>
    /// What is true for the moment: who types, what was delivered and read, who is there, balances that changed, the
    /// connection. Told from when the loop begins; a loop that is slow misses the oldest of more than a thousand. Any
    /// number of loops.
    /// </summary>
    /// <exception cref="OperationCanceledException">The loop was cancelled.</exception>
    /// <example>
    /// <code>
    /// await foreach (var signal in device.SignalsAsync(cancellationToken))
    /// {
    ///     if (signal is TypingSignal { Active: true } typing)
    ///     {
    ///         Console.WriteLine($"{typing.Account} is typing");
    ///     }
    /// }
    /// </code>
    /// </example>
    public async IAsyncEnumerable<ChatSignal> SignalsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var subscription = _core.Signals.Subscribe();
        await foreach (var signal in subscription.ReadAllAsync(cancellationToken))
        {
            yield return signal;
        }
    }

    /// <summary>
    /// Whom to watch from now on, replacing those before: who of them is there, among those that share a conversation
    /// with this account. Changes come as <see cref="PresenceSignal"/>. After each reconnect the device watches them
    /// again by itself, and signals how all of them are then; every some minutes it asks whether it has missed
    /// something. Signing out ends it.
    /// </summary>
    /// <param name="accounts">At most 500; none, to watch nobody.</param>
    /// <exception cref="ChatPayException">
    /// <c>invalid_argument</c>: too many; <see cref="ClientErrors.SessionEnded"/>: those before are watched still.
    /// </exception>
    /// <example>
    /// <code>
    /// foreach (var view in await device.WatchPresenceAsync([ada.Id], cancellationToken))
    /// {
    ///     Console.WriteLine(view.Online ? "there" : $"last seen {view.LastSeen}");
    /// }
    /// </code>
    /// </example>
    public Task<IReadOnlyList<PresenceView>> WatchPresenceAsync(
        IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(accounts);
        return _presence.WatchAsync([.. accounts], cancellationToken);
    }

    private ChatConversation Of(ConversationState state) => new(this, state);
}
