using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <summary>The account's archive, as the server and this device see it: <see cref="ChatPayDevice.ArchiveStateAsync"/>.</summary>
/// <param name="IsOffered">Whether this server keeps archives at all.</param>
/// <param name="IsOn">Whether the account keeps one.</param>
/// <param name="IsReadable">Whether this device has its key, and so reads it and writes to it.</param>
/// <param name="Bytes">Of everything in it, as the server keeps it.</param>
/// <param name="MaximumBytes">How many there may be.</param>
/// <param name="Waiting">Messages that this device has yet to send there.</param>
/// <param name="IsFull">Whether the server takes no more of this device, because there are as many bytes as there may be.</param>
public sealed record ChatArchive(
    bool IsOffered, bool IsOn, bool IsReadable, long Bytes, long MaximumBytes, int Waiting, bool IsFull);

/// <summary>What <see cref="ChatPayDevice.ReadArchiveAsync"/> finds: a message, or that something is missing.</summary>
public abstract record ArchiveEntry;

/// <summary>A message as a device of this account archived it.</summary>
public abstract record ArchivedMessage : ArchiveEntry
{
    /// <summary>Where it was said; the account is in there, or was.</summary>
    public ConversationId Conversation { get; init; }

    /// <summary>Its place in the conversation's log.</summary>
    public long Seq { get; init; }

    /// <summary>The server's time.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Who said it, as they were called then; without names where those were not archived.</summary>
    public AccountView By { get; init; } = new(default, "", "");

    /// <summary>With which device.</summary>
    public DeviceId Device { get; init; }

    /// <summary>The id that its sender chose.</summary>
    public ClientMessageId Id { get; init; }
}

/// <summary>Something that was said.</summary>
/// <param name="Text">What; at most 8,000 UTF-16 units.</param>
public sealed record ArchivedText(string Text) : ArchivedMessage;

/// <summary>What a group was called from there on.</summary>
/// <param name="Name">At most 64 UTF-16 units.</param>
public sealed record ArchivedGroupName(string Name) : ArchivedMessage;

/// <summary>A card, with the terms that the archiving device saw.</summary>
/// <param name="Card">Its id.</param>
/// <param name="Memo">What its author wrote on it; null where that device could not read it.</param>
/// <param name="IsSound">Whether that device found the terms to be what the author had committed to.</param>
/// <param name="Kind">Whether its author pays, or asks to be paid.</param>
/// <param name="Payer">Whose money it is.</param>
/// <param name="Payee">Who gets it.</param>
/// <param name="AmountMinor">In minor units.</param>
/// <param name="Asset">Of which asset.</param>
public sealed record ArchivedCard(
    CardId Card, string? Memo, bool IsSound, CardKind Kind, AccountId Payer, AccountId Payee, long AmountMinor,
    string Asset) : ArchivedMessage
{
    /// <summary>Compares the card as the server shows it now with the terms that were archived.</summary>
    /// <param name="current">As the server shows it.</param>
    /// <returns>
    /// <see cref="CardTrust.Mismatch"/> where they differ, or were not sound in the first place: warn, and do nothing with it.
    /// </returns>
    /// <example>
    /// <code>
    /// var trust = archived.Compare(await client.CardAsync(archived.Card, cancellationToken));
    /// </code>
    /// </example>
    public CardTrust Compare(CardView current)
    {
        ArgumentNullException.ThrowIfNull(current);
        return IsSound && current.Id == Card && current.Conversation == Conversation && current.Kind == Kind
            && current.Author == By.Id && current.Payer == Payer && current.Payee == Payee
            && current.AmountMinor == AmountMinor && current.Asset == Asset
                ? CardTrust.Verified : CardTrust.Mismatch;
    }
}

/// <summary>The rest of what one device archived cannot be read; what others archived still can.</summary>
/// <param name="Device">Whose part of the archive it is.</param>
/// <param name="Number">The first chunk that is not as it was written.</param>
/// <param name="Kind">What is wrong.</param>
public sealed record ArchiveDamage(DeviceId Device, long Number, ArchiveDamageKind Kind) : ArchiveEntry;

/// <summary>What an <see cref="ArchiveDamage"/> is about.</summary>
public enum ArchiveDamageKind
{
    /// <summary>A chunk is not the one that was written there: changed, exchanged, or the one before it left out.</summary>
    Unreadable = 1,

    /// <summary>The end is missing: there are fewer chunks than were written.</summary>
    Missing = 2,
}
