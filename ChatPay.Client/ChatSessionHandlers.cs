using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>
/// What a <see cref="ChatSession"/> tells its owner. <see cref="Events"/>, <see cref="Conversations"/>,
/// <see cref="Gone"/>, <see cref="DeviceMessages"/>, <see cref="Missed"/>, <see cref="LineageChanged"/>,
/// <see cref="Greeted"/>, <see cref="CaughtUp"/> and <see cref="TurnEnded"/> are called one at a time; calls of the
/// session may be made from them. A handler that throws ends the session.
/// </summary>
public sealed record ChatSessionHandlers
{
    /// <summary>
    /// The logs' events: each once, in seq order within its conversation. The position moves on when the handler has
    /// completed, so a handler that stores events together with their seq sees each of them once even if the program
    /// dies.
    /// </summary>
    public Func<IReadOnlyList<Event>, CancellationToken, ValueTask>? Events { get; init; }

    /// <summary>
    /// Messages for this device alone; acknowledged once the handler has completed, and until then they may come again.
    /// </summary>
    public Func<IReadOnlyList<DeviceMessage>, CancellationToken, ValueTask>? DeviceMessages { get; init; }

    /// <summary>
    /// Conversations as they are now: those that changed while away, new ones, and those that were read.
    /// </summary>
    public Action<IReadOnlyList<ConversationView>>? Conversations { get; init; }

    /// <summary>
    /// Conversations that the account is in no longer; what it may still read of them has come before.
    /// </summary>
    public Action<IReadOnlyList<ConversationId>>? Gone { get; init; }

    /// <summary>
    /// Events that the server keeps no longer, from one seq to another, were missed: before those that come next. Where
    /// commits were among them, the epoch says so, and the device joins the group again by an external commit.
    /// </summary>
    public Action<ConversationId, long, long>? Missed { get; init; }

    /// <summary>
    /// The server's database was restored from a backup: earlier positions mean nothing, and every log comes again
    /// from its beginning.
    /// </summary>
    public Action<Guid>? LineageChanged { get; init; }

    /// <summary>
    /// After a connection came up, or a gap was closed: everything that the server had by then has been handled.
    /// </summary>
    public Action? CaughtUp { get; init; }

    /// <summary>
    /// A connection was greeted, before anything of it is taken in: what waits, what is left of the key packages, and
    /// what other devices have read.
    /// </summary>
    public Action<HelloReply>? Greeted { get; init; }

    /// <summary>
    /// The others were called for what came together, and nothing more is taken in until this has completed: for an
    /// owner whose part takes waiting for.
    /// </summary>
    public Func<CancellationToken, ValueTask>? TurnEnded { get; init; }

    /// <summary>The new state and, where the session waits before another attempt, for how long.</summary>
    public Action<ChatSessionState, TimeSpan?>? StateChanged { get; init; }

    /// <summary>
    /// Pushes as they come: receipts, ephemeral signals, wallet, controls. The session takes care of
    /// <see cref="ChatHandlers.Events"/> and <see cref="ChatHandlers.DeviceMessages"/> itself and passes over these two
    /// here.
    /// </summary>
    public ChatHandlers Pushes { get; init; } = new();
}

/// <summary>What a session is doing.</summary>
public enum ChatSessionState
{
    /// <summary>Opening a connection, or waiting for its turn to be greeted.</summary>
    Connecting,

    /// <summary>Greeted: calls are made at once.</summary>
    Online,

    /// <summary>Without a connection until the next attempt.</summary>
    Waiting,

    /// <summary>Over for good: <see cref="ChatSession.Completion"/> says why.</summary>
    Ended,
}

/// <summary>Why a session is over.</summary>
public enum ChatSessionEnd
{
    /// <summary>Its owner disposed of it.</summary>
    Closed,

    /// <summary>The device was revoked, or the sign-in has ended: sign in again.</summary>
    Revoked,

    /// <summary>The server speaks another version.</summary>
    UpgradeRequired,

    /// <summary>The server refuses this client for a reason that waiting does not change.</summary>
    Refused,
}

/// <summary>Where a device stands in its logs; to be kept and given to the next session.</summary>
/// <param name="Lineage">The history that the cursors belong to; null at first.</param>
/// <param name="Cursors">Per conversation the last seq that was handled, the latest first.</param>
public sealed record ChatPosition(Guid? Lineage, IReadOnlyList<Cursor> Cursors)
{
    /// <summary>The position of a device that has seen nothing.</summary>
    public static ChatPosition Start { get; } = new(null, []);
}

/// <summary>What a session has cost so far.</summary>
/// <param name="Attempts">Connections tried.</param>
/// <param name="Connections">Connections greeted.</param>
/// <param name="HellosRefused">Greetings that the server put off.</param>
/// <param name="Syncs">Calls to read logs.</param>
/// <param name="Retries">Calls made again because their outcome was unknown or the server was busy.</param>
public readonly record struct ChatSessionCounts(
    long Attempts, long Connections, long HellosRefused, long Syncs, long Retries);
