using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>Turns events, opened or not, into what the program sees. Everything goes into the batch.</summary>
internal sealed class ItemBuilder(DeviceCore core)
{
    private readonly Doubts _doubts = new(core);

    public async ValueTask BuildAsync(
        Batch batch, ConversationDraft draft, Event logged, LogReading reading, CancellationToken cancellationToken)
    {
        switch (logged.Kind)
        {
            case EventKind.Message or EventKind.Card:
                await BuildMessageAsync(batch, draft, logged, reading, cancellationToken);
                break;
            case EventKind.CardChanged:
                await BuildChangeAsync(batch, draft, logged, cancellationToken);
                break;
            case EventKind.Commit or EventKind.Members:
                BuildMembers(batch, draft, logged);
                break;
            default:
                if (logged.Seq > draft.Place.Replayed)
                {
                    batch.Arrive(Stamp(draft, logged, Warning(logged, UnreadableReason.NewerVersion)));
                }

                break;
        }
    }

    /// <summary>
    /// This device's own message or card, now that the log or the server's answer says where it stands.
    /// </summary>
    public async ValueTask SettleAsync(
        Batch batch, ConversationDraft draft, OutboxRecord entry, long seq, DateTimeOffset at, CardView? card,
        CancellationToken cancellationToken)
    {
        var device = core.Device;
        batch.Remove(entry);
        var content = MessageContent.Parse(entry.Content);
        var item = content switch
        {
            MessageContent.Text text => (ChatItem?)new TextMessage
            {
                Conversation = entry.Conversation,
                Seq = seq,
                At = at,
                Text = text.Value,
                Id = entry.ClientId,
            },
            MessageContent.GroupName name => Rename(draft, seq, at, name.Value),
            MessageContent.CardDetails details when card is not null => await PostAsync(
                batch, seq, at, CardChecks.Own(card, entry.Card!, entry.Conversation, device.Account.Id, details.Memo),
                cancellationToken),
            _ => null,
        };
        if (item is not null)
        {
            batch.Arrive(item with
            {
                Conversation = entry.Conversation,
                By = device.Account,
                Device = device.Device,
                IsOwn = true,
                ClientId = entry.ClientId,
                Expires = content.Expires ? true : null,
            });
        }

        core.Archive.Queue.Take(
            batch, draft, content, item, new(entry.Conversation, seq, at, device.Device, entry.ClientId), device.Account);
    }

    private async ValueTask BuildMessageAsync(
        Batch batch, ConversationDraft draft, Event logged, LogReading reading, CancellationToken cancellationToken)
    {
        if (logged.Device == core.Device.Device && logged.ClientId is { } clientId)
        {
            if (draft.State.Lane.Find(clientId) is { } sending)
            {
                await SettleAsync(batch, draft, sending.Record, logged.Seq, logged.At, logged.Card, cancellationToken);
                batch.After(() => draft.State.Lane.Settled(sending, logged.Seq, logged.At, logged.Card));
            }
            else if (await _doubts.TakeAsync(batch, logged.Conversation, clientId, cancellationToken) is { } doubt)
            {
                // It was given up, and in truth accepted.
                await SettleAsync(batch, draft, doubt, logged.Seq, logged.At, logged.Card, cancellationToken);
            }
            else if (logged.Card is { } own && await batch.CardAsync(own.Id, cancellationToken) is null)
            {
                // Of a time that this store does not remember.
                await PostAsync(
                    batch, logged.Seq, logged.At, CardChecks.Unread(own), cancellationToken);
            }

            return;
        }

        if (reading is LogReading.Nothing || (reading is LogReading.Failed && logged.Seq <= draft.Place.Replayed))
        {
            await BuildUnreadAsync(batch, draft, logged, cancellationToken);
            return;
        }

        var (content, reason) = Open(logged, reading);
        if (logged.Kind == EventKind.Card && logged.Card is { } card)
        {
            var seen = CardChecks.Posted(card, logged, content as MessageContent.CardDetails);
            var posted = await PostAsync(batch, logged.Seq, logged.At, seen, cancellationToken);
            Arrive(batch, draft, logged, content, posted);
            return;
        }

        var item = content switch
        {
            MessageContent.Text text => (ChatItem?)new TextMessage
            {
                Conversation = logged.Conversation,
                Seq = logged.Seq,
                At = logged.At,
                Text = text.Value,
                Id = logged.ClientId ?? default,
            },
            MessageContent.GroupName name => Rename(draft, logged.Seq, logged.At, name.Value),
            _ => Warning(logged, reason),
        };
        Arrive(batch, draft, logged, content, item);
    }

    /// <summary>Into the history, and into the archive, where one is on.</summary>
    /// <param name="item">Null for what is no news.</param>
    private void Arrive(
        Batch batch, ConversationDraft draft, Event logged, MessageContent? content, ChatItem? item)
    {
        if (item is not null)
        {
            batch.Arrive(Stamp(draft, logged, item) with
            {
                ClientId = logged.ClientId,
                Expires = content is { Expires: true } ? true : null,
            });
        }

        core.Archive.Queue.Take(
            batch, draft, content, item,
            new(logged.Conversation, logged.Seq, logged.At, logged.Device, logged.ClientId),
            logged.Account is { } account ? Views.Person(draft.Record, account) : null);
    }

    /// <summary>
    /// Something that there is no key for: from before this device joined or is about to, known from an earlier
    /// lineage, or of a conversation whose encryption could not be mended.
    /// </summary>
    private async ValueTask BuildUnreadAsync(
        Batch batch, ConversationDraft draft, Event logged, CancellationToken cancellationToken)
    {
        var isAgain = logged.Seq <= draft.Place.Replayed;
        if (logged.Card is { } card)
        {
            if (await batch.CardAsync(card.Id, cancellationToken) is { } known)
            {
                batch.Put(CardChecks.Advance(known, card));
                return;
            }

            var seen = await PostAsync(
                batch, logged.Seq, logged.At, CardChecks.Unread(card), cancellationToken);
            batch.Arrive(Stamp(draft, logged, seen));
        }
        else if (!isAgain && (draft.Facts is not { } facts || logged.Seq > facts.JoinSeq)
            && draft.State is { Unreadable: true, JoinFailures: 0 } && core.Groups.IsCertified)
        {
            // A device that nobody has approved yet is told as little of what it cannot read as one that is yet to come.
            batch.Arrive(Stamp(draft, logged, Warning(logged, UnreadableReason.Failed)));
        }
    }

    /// <summary>
    /// Whether a decrypted message is what its event says: the sending leaf is the device that the server names, and
    /// the signed authenticated data names this very event. Else there is a warning in its place.
    /// </summary>
    private (MessageContent? Content, UnreadableReason Reason) Open(Event logged, LogReading reading)
    {
        if (reading is not LogReading.Opened opened)
        {
            return (null, UnreadableReason.Failed);
        }

        if (opened.Sender.Account != logged.Account || opened.Sender.Device != logged.Device)
        {
            return (null, UnreadableReason.SenderMismatch);
        }

        if (!AuthenticatedData.TryDecode(opened.AuthenticatedData, out var data) || data.ClientId != logged.ClientId
            || (data.Card is not null) != (logged.Kind == EventKind.Card)
            || (data.Card is { } binding && (logged.Card is not { } card || binding.Card != card.Id
                || !binding.DetailCommit.AsSpan().SequenceEqual(card.DetailCommit))))
        {
            return (null, UnreadableReason.Failed);
        }

        if (MessageContent.LogOf(opened.Plaintext) is { } seen && logged.Account is { } sender)
        {
            core.Keys.Gossip.Take(sender, seen);
        }

        return MessageContent.Parse(opened.Plaintext) switch
        {
            MessageContent.Newer => (null, UnreadableReason.NewerVersion),
            MessageContent.Malformed => (null, UnreadableReason.Failed),
            var content when content is MessageContent.CardDetails != (logged.Kind == EventKind.Card) =>
                (null, UnreadableReason.Failed),
            var content => (content, default),
        };
    }

    private async ValueTask BuildChangeAsync(
        Batch batch, ConversationDraft draft, Event logged, CancellationToken cancellationToken)
    {
        if (logged.Card is not { } card)
        {
            return;
        }

        var known = await batch.CardAsync(card.Id, cancellationToken);
        var next = known is null ? CardChecks.Unread(card) : CardChecks.Advance(known, card);
        if (ReferenceEquals(next, known) && logged.Seq <= draft.Place.Replayed)
        {
            return;
        }

        batch.Put(next, changed: !ReferenceEquals(next, known));
        batch.Arrive(Stamp(draft, logged, new CardChanged
        {
            Conversation = logged.Conversation,
            Seq = logged.Seq,
            At = logged.At,
            Card = new(next.View, next.Memo, next.Trust),
        }));
    }

    private void BuildMembers(Batch batch, ConversationDraft draft, Event logged)
    {
        if (logged.Seq <= draft.Place.Replayed || logged.Members is not { } change)
        {
            return;
        }

        var record = draft.Record;
        if (logged.Kind == EventKind.Commit && logged.Seq == record.JoinedSeq)
        {
            // Conversations that were there before this device are no news.
            if (logged.At >= core.Device.CreatedAt)
            {
                batch.Arrive(Stamp(draft, logged, new ConversationStarted
                {
                    Conversation = logged.Conversation,
                    Seq = logged.Seq,
                    At = logged.At,
                    Kind = record.Kind,
                    Members =
                    [
                        .. record.Members.Where(member => change.Added.All(added => added.Account != member.Account)),
                        .. change.Added,
                    ],
                }));
            }

            return;
        }

        DeviceId[] devicesGone = [.. change.DevicesRemoved, .. change.DevicesRevoked];
        if (change.Added.Count + change.Removed.Count + change.Left.Count + change.Roles.Count
            + change.DevicesAdded.Count + devicesGone.Length > 0)
        {
            batch.Arrive(Stamp(draft, logged, new MembersChanged
            {
                Conversation = logged.Conversation,
                Seq = logged.Seq,
                At = logged.At,
                Added =
                [
                    .. change.Added.Select(static one => new AccountView(one.Account, one.Handle, one.DisplayName)),
                ],
                Removed = [.. change.Removed.Select(account => Views.Person(record, account))],
                Left = [.. change.Left.Select(account => Views.Person(record, account))],
                Roles = change.Roles,
                DevicesAdded = change.DevicesAdded,
                DevicesRemoved = devicesGone,
            }));
        }
        else if (change.Retention is { } retention)
        {
            batch.Arrive(Stamp(draft, logged, new RetentionSet
            {
                Conversation = logged.Conversation,
                Seq = logged.Seq,
                At = logged.At,
                Days = retention.Days,
            }));
        }
    }

    private static async ValueTask<ChatItem> PostAsync(
        Batch batch, long seq, DateTimeOffset at, CardRecord seen, CancellationToken cancellationToken)
    {
        var card = CardChecks.Meet(await batch.CardAsync(seen.View.Id, cancellationToken), seen);
        batch.Put(card);
        return new CardPosted
        {
            Conversation = card.View.Conversation,
            Seq = seq,
            At = at,
            Card = new(card.View, card.Memo, card.Trust),
        };
    }

    /// <summary>The group's name; only a change of it is news.</summary>
    private static GroupRenamed? Rename(ConversationDraft draft, long seq, DateTimeOffset at, string name)
    {
        var record = draft.Record;
        if (seq <= record.NameSeq || record.Kind != ConversationKind.Group)
        {
            return null;
        }

        draft.Record = record with { Name = name, NameSeq = seq };
        return record.Name is { } before && before != name
            ? new GroupRenamed { Conversation = record.Id, Seq = seq, At = at, Name = name, Before = before }
            : null;
    }

    private static Unreadable Warning(Event logged, UnreadableReason reason) => new()
    {
        Conversation = logged.Conversation,
        Seq = logged.Seq,
        At = logged.At,
        Reason = reason,
    };

    private ChatItem Stamp(ConversationDraft draft, Event logged, ChatItem item) => item with
    {
        Conversation = logged.Conversation,
        By = logged.Account is { } account ? Views.Person(draft.Record, account) : null,
        Device = logged.Device,
        IsOwn = logged.Account == core.Device.Account.Id,
    };
}
