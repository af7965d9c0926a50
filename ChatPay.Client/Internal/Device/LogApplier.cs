using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>What became of an event.</summary>
internal enum Applied
{
    Done,

    /// <summary>This device does not know the conversation.</summary>
    UnknownConversation,

    /// <summary>This device has no group that fits the log: it has to get into it first.</summary>
    NoGroup,

    /// <summary>
    /// A device of this account shows an identity key that its chain, as it is known here, has not: that is looked at first.
    /// </summary>
    KeyUnknown,
}

/// <summary>What MLS makes of an event.</summary>
internal abstract record LogReading
{
    private LogReading()
    {
    }

    /// <summary>Nothing for MLS, or nothing that this device can read or has to.</summary>
    public sealed record Nothing : LogReading;

    public sealed record Opened(CredentialIdentity Sender, byte[] AuthenticatedData, byte[] Plaintext) : LogReading;

    public sealed record Failed : LogReading;

    public sealed record Committed(ProcessedCommit Commit) : LogReading;
}

/// <summary>
/// Applies the log's events to a batch: in order, each once. The ratchet that opened a message, the message, and the
/// cursor behind it become one write.
/// </summary>
internal sealed class LogApplier(DeviceCore core, Action<ConversationState, Event> joinSeen)
{
    private readonly ItemBuilder _items = new(core);

    /// <summary>Behind the gate. Events come in the order of their logs.</summary>
    public async ValueTask<Applied> ApplyAsync(Batch batch, Event logged, CancellationToken cancellationToken)
    {
        if (!core.TryFind(logged.Conversation, out var state))
        {
            return Applied.UnknownConversation;
        }

        var draft = batch.Of(state);
        if (logged.Seq <= draft.Place.Cursor)
        {
            return Applied.Done;
        }

        if (!draft.Record.Active && Views.ComesBack(logged, core.Device.Account.Id))
        {
            Views.ComeBack(draft, logged);
        }

        if (await TryAdoptAsync(batch, draft, logged, cancellationToken))
        {
            return Applied.Done;
        }

        var group = draft.Facts is null ? null : await core.Groups.GroupAsync(state, cancellationToken);
        var leaves = group?.Members ?? [];
        if (group is null && draft.Record.Active && !state.Unreadable)
        {
            return Applied.NoGroup;
        }

        if (group is not null && logged.Seq != state.KeysLookedAt
            && core.Keys.HasUnknown(GroupKeeper.Shown(CommitChecks.Shown(logged))))
        {
            return Applied.KeyUnknown;
        }

        if (Read(draft, group, logged) is not { } reading)
        {
            draft.GroupGone();
            return Applied.NoGroup;
        }

        await _items.BuildAsync(batch, draft, logged, reading, cancellationToken);
        Views.Apply(draft, logged, leaves, core.Device.Account.Id);
        Advance(draft, logged);
        if (reading is LogReading.Committed { Commit: { IsExternal: true, SelfRemoved: false } })
        {
            batch.After(() => joinSeen(state, logged));
        }

        return Applied.Done;
    }

    /// <summary>
    /// A commit of this device that has won: the prepared epoch is entered where the commit stands in the log.
    /// </summary>
    private async ValueTask<bool> TryAdoptAsync(
        Batch batch, ConversationDraft draft, Event logged, CancellationToken cancellationToken)
    {
        if (draft.Pending is not { } facts || logged.Kind != EventKind.Commit || logged.Body is null
            || logged.Device != core.Device.Device || logged.ClientId != facts.ClientId)
        {
            return false;
        }

        using var pending = await core.Groups.PendingAsync(draft.State.Id, cancellationToken);
        if (!logged.Body.AsSpan().SequenceEqual(pending.Message))
        {
            return false;
        }

        await AdoptAsync(core, draft, facts, pending, logged.Seq, cancellationToken);
        await _items.BuildAsync(batch, draft, logged, new LogReading.Nothing(), cancellationToken);
        Views.Apply(draft, logged, draft.State.Group!.Members, core.Device.Account.Id);
        Advance(draft, logged);
        return true;
    }

    /// <summary>The group after a commit of this device's at that seq.</summary>
    public static async ValueTask AdoptAsync(
        DeviceCore core, ConversationDraft draft, PendingFacts facts, PendingCommit pending, long seq,
        CancellationToken cancellationToken)
    {
        var hash = SHA256.HashData(pending.Message);
        if (facts.Joining)
        {
            core.Groups.Keep(draft.State, pending.Activate());
        }
        else
        {
            var group = await core.Groups.GroupAsync(draft.State, cancellationToken)
                ?? throw LocalErrors.StoreUnreadable("The group that a commit belongs to is missing in the store.");
            group.Apply(pending);
        }

        draft.EpochChanged(core.Groups, new(facts.Epoch + 1, facts.Joining ? seq : draft.Facts?.JoinSeq ?? 0, hash));
        draft.DropPending();
        draft.State.Unreadable = false;
    }

    private static void Advance(ConversationDraft draft, Event logged) => draft.Place = draft.Place with
    {
        Cursor = logged.Seq,
        Head = Math.Max(draft.Place.Head, logged.Seq),
    };

    /// <returns>Null where the log and the group do not fit each other.</returns>
    private LogReading? Read(ConversationDraft draft, Group? group, Event logged)
    {
        if (group is null || draft.Facts is not { } facts || logged.Seq <= facts.JoinSeq || logged.Body is not { } body
            || logged.Kind is not (EventKind.Message or EventKind.Card or EventKind.Commit))
        {
            return new LogReading.Nothing();
        }

        var epoch = (long)group.Epoch;
        var isOwn = logged.Device == core.Device.Device;
        if (logged.Epoch < epoch)
        {
            // The log is read again, after a restored backup. Did it go on as before?
            var decides = logged.Kind == EventKind.Commit && logged.Epoch == epoch - 1 && facts.LastCommit.Length > 0;
            return decides && !SHA256.HashData(body).AsSpan().SequenceEqual(facts.LastCommit)
                ? null : new LogReading.Nothing();
        }

        if (logged.Kind != EventKind.Commit && isOwn)
        {
            return new LogReading.Nothing();
        }

        // Another branch of the group's history, or a commit of this device that it does not remember.
        return logged.Epoch > epoch || isOwn ? null
            : logged.Kind == EventKind.Commit ? Follow(draft, group, logged, body)
            : Open(draft, group, body);
    }

    private static LogReading Open(ConversationDraft draft, Group group, byte[] body)
    {
        var isOne = PrivateMessageHeader.TryRead(body, out var header, out _)
            && header.ContentType == ContentType.Application;
        if (!isOne || !group.TryProcess(body, out var processed, out _)
            || processed is not ProcessedApplication message || group.MemberAt(message.SenderLeaf) is not { } sender)
        {
            return new LogReading.Failed();
        }

        draft.RatchetsMoved();
        return new LogReading.Opened(Views.Owner(sender), message.AuthenticatedData, message.Data);
    }

    private LogReading.Committed? Follow(ConversationDraft draft, Group group, Event logged, byte[] body)
    {
        if (!CommitChecks.Fits(logged, group, draft.Record) || !group.TryProcess(body, out var processed, out _)
            || processed is not ProcessedCommit commit || !CommitChecks.Matches(logged, commit))
        {
            return null;
        }

        if (commit.SelfRemoved)
        {
            draft.GroupGone();
        }
        else
        {
            // Whatever this device had prepared for the epoch that is over now has lost.
            draft.EpochChanged(core.Groups, new((long)group.Epoch, draft.Facts!.JoinSeq, SHA256.HashData(body)));
            draft.DropPending();
        }

        return new LogReading.Committed(commit);
    }
}
