using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Server.Presence;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Cluster;

/// <summary>
/// Hints in one message: <c>version(1) ‖ node(16)</c>, then per hint <c>kind(1) ‖ length(4) ‖ payload</c>, integers
/// big-endian, ids in network order. A message of another version, and a hint of an unknown kind, are passed over, so that
/// nodes of two builds run side by side. Bounds: 1 MiB per message, 128 KiB per hint.
/// </summary>
internal static class HintCodec
{
    public const int MessageBytesMax = 1024 * 1024;

    /// <summary>The JSON of a hint; an event with more is only named.</summary>
    public const int JsonBytesMax = 127 * 1024;

    private const byte Version = 1;
    private const int IdBytes = 16;
    private const int HeaderBytes = 1 + IdBytes;
    private const int HintBytesMax = 128 * 1024;
    private const int PresenceBytes = IdBytes + sizeof(long);
    private const int AccountsMax = Limits.MembersPerGroup;

    /// <summary>The last second of the year 9999.</summary>
    private const long LastSeenMax = 253_402_300_799;

    private enum Kind : byte
    {
        Event = 1,
        Head = 2,
        Signal = 3,
        Device = 4,
        Wallet = 5,
        Join = 6,
        Session = 7,
        Pulse = 8,
        Presence = 9,
        Visibility = 10,
        Account = 11,
    }

    public static void Begin(ArrayBufferWriter<byte> message, Guid node)
    {
        message.Write([Version]);
        Write(message, node);
    }

    public static void Append(ArrayBufferWriter<byte> message, Hint hint)
    {
        var (kind, bytes) = Measure(hint);
        message.Write([(byte)kind]);
        BinaryPrimitives.WriteInt32BigEndian(message.GetSpan(sizeof(int)), bytes);
        message.Advance(sizeof(int));
        switch (hint)
        {
            case EventHint e:
                Write(message, e.Conversation.Value);
                Write(message, e.Seq);
                message.Write([e.HasToBeRead ? (byte)1 : (byte)0]);
                message.Write(e.Json);
                break;
            case HeadHint head:
                Write(message, head.Conversation.Value);
                Write(message, head.Seq);
                break;
            case SignalHint signal:
                Write(message, signal.Conversation.Value);
                Write(message, signal.Except?.Value ?? Guid.Empty);
                message.Write([(byte)signal.Kind]);
                message.Write(signal.Json);
                break;
            case DeviceHint device:
                Write(message, device.Device.Value);
                Write(message, device.Message);
                message.Write([(byte)device.Kind]);
                message.Write(device.Json);
                break;
            case WalletHint wallet:
                Write(message, wallet.Account.Value);
                Write(message, wallet.Version);
                message.Write([(byte)wallet.Asset.Length]);
                message.Write(Encoding.ASCII.GetBytes(wallet.Asset));
                message.Write(wallet.Json);
                break;
            case JoinHint join:
                Write(message, join.Conversation.Value);
                foreach (var account in join.Accounts)
                {
                    Write(message, account.Value);
                }

                break;
            case SessionHint session:
                Write(message, session.Device.Value);
                break;
            case PresenceHint presence:
                Write(message, presence.Node);
                foreach (var change in presence.Changes)
                {
                    Write(message, change.Account.Value);
                    Write(message, change.Online ? -1 : change.LastSeen?.ToUnixTimeSeconds() ?? 0);
                }

                break;
            case VisibilityHint visibility:
                Write(message, visibility.Account.Value);
                break;
            case AccountHint account:
                Write(message, account.Account.Value);
                message.Write([(byte)account.Kind]);
                message.Write(account.Json);
                break;
        }
    }

    /// <summary>Reads a message.</summary>
    /// <returns>False if it is not of this version or not whole; what came before the fault is in the list.</returns>
    public static bool TryRead(ReadOnlySpan<byte> message, out Guid node, List<Hint> hints)
    {
        node = default;
        if (message.Length is < HeaderBytes or > MessageBytesMax || message[0] != Version)
        {
            return false;
        }

        node = Id(message[1..]);
        var rest = message[HeaderBytes..];
        while (rest.Length > 0)
        {
            if (rest.Length < 1 + sizeof(int))
            {
                return false;
            }

            var kind = (Kind)rest[0];
            var bytes = BinaryPrimitives.ReadInt32BigEndian(rest[1..]);
            rest = rest[(1 + sizeof(int))..];
            if (bytes < 0 || bytes > HintBytesMax || bytes > rest.Length)
            {
                return false;
            }

            if (Read(kind, rest[..bytes]) is { } hint)
            {
                hints.Add(hint);
            }

            rest = rest[bytes..];
        }

        return true;
    }

    private static (Kind Kind, int Bytes) Measure(Hint hint) => hint switch
    {
        EventHint e => (Kind.Event, IdBytes + sizeof(long) + 1 + e.Json.Length),
        HeadHint => (Kind.Head, IdBytes + sizeof(long)),
        SignalHint signal => (Kind.Signal, (2 * IdBytes) + 1 + signal.Json.Length),
        DeviceHint device => (Kind.Device, (2 * IdBytes) + 1 + device.Json.Length),
        WalletHint wallet => (Kind.Wallet, IdBytes + sizeof(long) + 1 + wallet.Asset.Length + wallet.Json.Length),
        JoinHint join => (Kind.Join, IdBytes * (1 + join.Accounts.Count)),
        SessionHint => (Kind.Session, IdBytes),
        PulseHint => (Kind.Pulse, 0),
        PresenceHint presence => (Kind.Presence, IdBytes + (PresenceBytes * presence.Changes.Count)),
        VisibilityHint => (Kind.Visibility, IdBytes),
        AccountHint account => (Kind.Account, IdBytes + 1 + account.Json.Length),
        _ => throw new InvalidOperationException($"{hint.GetType().Name} has no encoding."),
    };

    /// <summary>Null for what this build does not know, or that is too short for what it claims to be.</summary>
    private static Hint? Read(Kind kind, ReadOnlySpan<byte> payload) => kind switch
    {
        Kind.Event when payload.Length > IdBytes + sizeof(long) + 1 => new EventHint(
            new(Id(payload)), Number(payload[IdBytes..]), payload[IdBytes + sizeof(long)] != 0,
            payload[(IdBytes + sizeof(long) + 1)..].ToArray()),
        Kind.Head when payload.Length >= IdBytes + sizeof(long) =>
            new HeadHint(new(Id(payload)), Number(payload[IdBytes..])),
        Kind.Signal when payload.Length > (2 * IdBytes) + 1 && IsKnown(payload[2 * IdBytes]) => new SignalHint(
            new(Id(payload)), Id(payload[IdBytes..]) is var except && except == Guid.Empty ? null : new AccountId(except),
            (PushKind)payload[2 * IdBytes], payload[((2 * IdBytes) + 1)..].ToArray()),
        Kind.Device when payload.Length > (2 * IdBytes) + 1 && IsKnown(payload[2 * IdBytes]) => new DeviceHint(
            new(Id(payload)), Id(payload[IdBytes..]), (PushKind)payload[2 * IdBytes],
            payload[((2 * IdBytes) + 1)..].ToArray()),
        Kind.Wallet => ReadWallet(payload),
        Kind.Join when payload.Length >= IdBytes && payload.Length <= IdBytes * (1 + AccountsMax) => ReadJoin(payload),
        Kind.Session when payload.Length >= IdBytes => new SessionHint(new(Id(payload))),
        Kind.Pulse => new PulseHint(),
        Kind.Presence when payload.Length >= IdBytes => ReadPresence(payload),
        Kind.Visibility when payload.Length >= IdBytes => new VisibilityHint(new(Id(payload))),
        Kind.Account when payload.Length > IdBytes + 1 && IsKnown(payload[IdBytes]) => new AccountHint(
            new(Id(payload)), (PushKind)payload[IdBytes], payload[(IdBytes + 1)..].ToArray()),
        _ => null,
    };

    private static WalletHint? ReadWallet(ReadOnlySpan<byte> payload)
    {
        const int AssetAt = IdBytes + sizeof(long) + 1;
        if (payload.Length < AssetAt || payload.Length <= AssetAt + payload[AssetAt - 1])
        {
            return null;
        }

        var json = AssetAt + payload[AssetAt - 1];
        return new(
            new(Id(payload)), Encoding.ASCII.GetString(payload[AssetAt..json]), Number(payload[IdBytes..]),
            payload[json..].ToArray());
    }

    private static JoinHint ReadJoin(ReadOnlySpan<byte> payload)
    {
        var accounts = new List<AccountId>();
        for (var at = IdBytes; at + IdBytes <= payload.Length; at += IdBytes)
        {
            accounts.Add(new(Id(payload[at..])));
        }

        return new(new(Id(payload)), accounts);
    }

    /// <summary>A time below zero says that the account is there; zero, that nobody is to know.</summary>
    private static PresenceHint ReadPresence(ReadOnlySpan<byte> payload)
    {
        var changes = new List<PresenceChange>();
        for (var at = IdBytes; at + PresenceBytes <= payload.Length; at += PresenceBytes)
        {
            var seen = Number(payload[(at + IdBytes)..]);
            changes.Add(new(
                new(Id(payload[at..])), seen < 0,
                seen > 0 && seen <= LastSeenMax ? DateTimeOffset.FromUnixTimeSeconds(seen) : null));
        }

        return new(Id(payload), changes);
    }

    private static bool IsKnown(byte pushKind) => Enum.IsDefined((PushKind)pushKind);

    private static Guid Id(ReadOnlySpan<byte> bytes) => new(bytes[..IdBytes], bigEndian: true);

    private static long Number(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64BigEndian(bytes);

    private static void Write(ArrayBufferWriter<byte> message, Guid id)
    {
        id.TryWriteBytes(message.GetSpan(IdBytes), bigEndian: true, out _);
        message.Advance(IdBytes);
    }

    private static void Write(ArrayBufferWriter<byte> message, long number)
    {
        BinaryPrimitives.WriteInt64BigEndian(message.GetSpan(sizeof(long)), number);
        message.Advance(sizeof(long));
    }
}
