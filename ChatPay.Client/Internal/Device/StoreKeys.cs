using System.Globalization;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// Under which keys a device keeps its records. Numbers have as many digits as they need to sort as text.
/// </summary>
internal static class StoreKeys
{
    /// <summary>The Ed25519 private key, 32 bytes; there before the server hears of its public half.</summary>
    public const string SignatureKey = "device/key";

    /// <summary>
    /// The same of a device that is to take this one's place; there before the server hears of its public half.
    /// </summary>
    public const string NextSignatureKey = "device/nextkey";

    /// <summary>The key that MLS state is sealed with, 32 bytes.</summary>
    public const string StorageKey = "device/storage";

    public const string Device = "device/me";

    public const string Conversations = "conversation/";
    public const string Places = "place/";
    public const string Groups = "group/";

    /// <summary>Conversations whose creation has not been answered yet; empty values.</summary>
    public const string Creations = "creating/";

    public const string Outbox = "outbox/";

    /// <summary>What was given up though it may have been accepted: until the log tells of it.</summary>
    public const string Doubts = "doubt/";

    public const string Arrivals = "arrived/";
    public const string Cards = "card/";
    public const string KeyPackages = "keypackage/";

    /// <summary>The account's own keys.</summary>
    public const string OwnKeys = "keys/own";

    /// <summary>What the realms have told of guesses and waits.</summary>
    public const string VaultSeen = "keys/vault";

    /// <summary>The realms that have the PIN.</summary>
    public const string PinRealms = "keys/realms";

    public const string KeyLog = "keys/log";

    /// <summary>What people have seen of it that the server has not been able to show to be the same.</summary>
    public const string UnprovenNotes = "keys/unproven";

    /// <summary>The newest checkpoint of the ledger log that was checked.</summary>
    public const string LedgerLog = "keys/ledger";
    public const string PersonKeys = "keys/of/";
    public const string KeyAlarms = "keys/alarm/";

    /// <summary>The archive that is written to, and how far.</summary>
    public const string Archive = "archive/state";

    /// <summary>A sealed chunk of it on its way.</summary>
    public const string ArchiveChunk = "archive/chunk";

    /// <summary>What waits to be archived.</summary>
    public const string ArchiveQueue = "archive/queue/";

    /// <summary>Where in a conversation's history that begins which did not fit into the queue.</summary>
    public const string ArchiveGaps = "archive/gap/";

    /// <summary>The history of all conversations.</summary>
    public const string AllItems = "item/";

    public static string Conversation(ConversationId id) => $"{Conversations}{id}";

    public static string Place(ConversationId id) => $"{Places}{id}";

    public static string GroupEpoch(ConversationId id) => $"{Groups}{id}/epoch";

    public static string GroupRatchets(ConversationId id) => $"{Groups}{id}/ratchets";

    public static string GroupFacts(ConversationId id) => $"{Groups}{id}/facts";

    public static string PendingState(ConversationId id) => $"{Groups}{id}/pending";

    public static string PendingFacts(ConversationId id) => $"{Groups}{id}/pendingfacts";

    public static string Creation(ConversationId id) => $"{Creations}{id}";

    public static string Item(ConversationId id, long seq) => $"{Items(id)}{Number(seq)}";

    public static string Items(ConversationId id) => $"{AllItems}{id}/";

    public static string ArchiveGap(ConversationId id) => $"{ArchiveGaps}{id}";

    public static string ArchiveWaiting(long number) => ArchiveQueue + Number(number);

    public static string Waiting(long order) => Outbox + Number(order);

    public static string DoubtsOf(ConversationId id) => $"{Doubts}{id}/";

    public static string Doubt(ConversationId id, ClientMessageId message) => $"{DoubtsOf(id)}{message}";

    public static string Arrival(long position) => Arrivals + Number(position);

    public static string Card(CardId id) => $"{Cards}{id}";

    public static string KeyPackage(byte[] reference) => KeyPackages + Convert.ToHexStringLower(reference);

    public static string KeysOf(AccountId account) => $"{PersonKeys}{account}";

    public static string KeyAlarm(long number) => KeyAlarms + Number(number);

    /// <summary>The number at the end of a key.</summary>
    public static long NumberOf(string key) =>
        long.Parse(key.AsSpan(key.LastIndexOf('/') + 1), CultureInfo.InvariantCulture);

    private static string Number(long number) => number.ToString("D19", CultureInfo.InvariantCulture);
}
