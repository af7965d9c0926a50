using System.Text.Json;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>
/// The client callbacks, one per member of <see cref="IChatClient"/>. Nodes of different builds tell each other these
/// numbers: they are never used again for something else.
/// </summary>
internal enum PushKind : byte
{
    Events = 1,
    Heads = 2,
    DeviceMessages = 3,
    Receipts = 4,
    Ephemeral = 5,
    WalletChanged = 6,
    Control = 7,
    Presence = 8,
    Keys = 9,
}

/// <summary>
/// One thing to tell clients, serialised once however many connections get it. The writers join pushes of a kind into
/// one call of the callback.
/// </summary>
internal sealed class Push
{
    public static readonly JsonSerializerOptions Json = ProtocolJson.Create();

    private Push(PushKind kind, byte[] json)
    {
        Kind = kind;
        JsonBytes = json;
    }

    public PushKind Kind { get; }

    /// <summary>Whether a call of the callback has one of it, and no list.</summary>
    public bool IsAlone => IsAloneOf(Kind);

    /// <summary>Whether it may be lost: nobody misses it for long.</summary>
    public bool IsDroppable => Kind is PushKind.Ephemeral or PushKind.Presence;

    /// <summary>One element of the callback's list; where it <see cref="IsAlone"/>, the argument itself.</summary>
    public byte[] JsonBytes { get; }

    /// <summary>Timestamp of the commit, for the delivery lag; 0 where it was not on this node.</summary>
    public long CommittedAt { get; private init; }

    /// <param name="committedAt">See <see cref="CommittedAt"/>.</param>
    public static Push Of(Event logged, long committedAt = 0) =>
        new(PushKind.Events, JsonSerializer.SerializeToUtf8Bytes(logged, Json)) { CommittedAt = committedAt };

    public static Push Of(ConversationView head) => Make(PushKind.Heads, head);

    public static Push Of(DeviceMessage message) => Make(PushKind.DeviceMessages, message);

    public static Push Of(Receipt receipt) => Make(PushKind.Receipts, receipt);

    public static Push Of(EphemeralSignal signal) => Make(PushKind.Ephemeral, signal);

    public static Push Of(PresenceView presence) => Make(PushKind.Presence, presence);

    public static Push Of(WalletBalance balance) => Make(PushKind.WalletChanged, balance);

    public static Push Of(ControlSignal signal) => Make(PushKind.Control, signal);

    public static Push Of(KeysSignal signal) => Make(PushKind.Keys, signal);

    public static bool IsAloneOf(PushKind kind) => kind is PushKind.Control or PushKind.Keys;

    /// <summary>A push that another node has serialised.</summary>
    public static Push OfJson(PushKind kind, byte[] json) => new(kind, json);

    private static Push Make<T>(PushKind kind, T value) => new(kind, JsonSerializer.SerializeToUtf8Bytes(value, Json));
}
