using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// What is known of a conversation, from the server's views of it and from its events. Views come by several ways and
/// may overtake events and each other; the seq they are as of orders them.
/// </summary>
internal static class Views
{
    private const int FormerKept = 200;

    public static (ConversationRecord Record, PlaceRecord Place) First(ConversationView view)
    {
        var record = new ConversationRecord(
            view.Id, view.Kind, view.CreatedAt, view.JoinedSeq, [], [], [], -1, true, null, 0, view.RetentionDays);
        var place = new PlaceRecord(view.JoinedSeq - 1, 0, 0, view.JoinedSeq - 1, 0);
        return Merge(record, place, view);
    }

    public static (ConversationRecord Record, PlaceRecord Place) Merge(
        ConversationRecord record, PlaceRecord place, ConversationView view)
    {
        // Of a former member's view only the end of what it may read is news.
        if (view.Members.Count == 0 || view.Head < Math.Max(record.ViewSeq, place.Cursor))
        {
            return (record, place);
        }

        // Added anew after having been away: what happened in between is not for this member.
        var cursor = Math.Max(place.Cursor, view.JoinedSeq - 1);
        var nextPlace = place with
        {
            Cursor = cursor,
            Head = Math.Max(place.Head, view.Head),
            Epoch = view.Epoch,
            Read = Math.Max(place.Read, view.JoinedSeq - 1),
        };
        if (view.Head == record.ViewSeq && record.Active)
        {
            // The operator may have changed the default, of which no event tells.
            return (KeptFor(record, view.RetentionDays), nextPlace);
        }

        var present = view.Members.Select(static member => member.Account).ToHashSet();
        var next = record with
        {
            // It may have been read by a version that did not know its name.
            Kind = record.Kind == default ? view.Kind : record.Kind,
            JoinedSeq = view.JoinedSeq,
            Members = view.Members,
            Former = Remember(record.Former, record.Members.Where(member => !present.Contains(member.Account))),
            PendingRemovals = view.PendingRemovals,
            ViewSeq = view.Head,
            Active = true,
        };
        return (KeptFor(next, view.RetentionDays), nextPlace);
    }

    /// <param name="days">As a view says, with the server's default in it.</param>
    public static ConversationRecord KeptFor(ConversationRecord record, int? days) =>
        record.RetentionDays == days && !record.IsRetentionOpen
            ? record : record with { RetentionDays = days, IsRetentionOpen = false };

    /// <summary>Whether an event adds this account.</summary>
    public static bool ComesBack(Event logged, AccountId me) =>
        logged.Members is { } change && change.Added.Any(member => member.Account == me);

    /// <summary>Added anew before any view says so: as if it were the first time.</summary>
    public static void ComeBack(ConversationDraft draft, Event logged)
    {
        draft.Record = draft.Record with { Active = true, JoinedSeq = logged.Seq };
        draft.Place = draft.Place with { Read = Math.Max(draft.Place.Read, logged.Seq - 1) };
    }

    /// <summary>
    /// What an event does to members and removals, for those who follow the log without asking for views.
    /// </summary>
    public static void Apply(ConversationDraft draft, Event logged, IReadOnlyList<GroupMember> leaves, AccountId me)
    {
        if (logged.Kind == EventKind.Commit)
        {
            draft.Place = draft.Place with { Epoch = Math.Max(draft.Place.Epoch, logged.Epoch + 1) };
        }

        if (logged.Members is not { } change || logged.Seq <= draft.Record.ViewSeq)
        {
            return;
        }

        var record = draft.Record;
        var gone = change.Removed.Concat(change.Left).ToHashSet();
        var added = change.Added.Select(static member => member.Account).ToHashSet();
        var roles = change.Roles.ToDictionary(static role => role.Account, static role => role.Role);
        PendingRemoval[] waiting =
        [
            .. from leaf in leaves
               let owner = Owner(leaf)
               where (logged.Kind == EventKind.Members && gone.Contains(owner.Account))
                   || change.DevicesRevoked.Contains(owner.Device)
               select new PendingRemoval((int)leaf.LeafIndex, owner.Device, owner.Account),
        ];
        var settled = change.DevicesRemoved.Concat(waiting.Select(static removal => removal.Device)).ToHashSet();
        var retention = change.Retention;
        draft.Record = record with
        {
            Members =
            [
                .. record.Members
                    .Where(member => !gone.Contains(member.Account) && !added.Contains(member.Account))
                    .Select(member => member with { Role = roles.GetValueOrDefault(member.Account, member.Role) }),
                .. change.Added,
            ],
            Former = Remember(record.Former, record.Members.Where(member => gone.Contains(member.Account))),
            PendingRemovals =
            [
                .. record.PendingRemovals.Where(removal => !settled.Contains(removal.Device)), .. waiting,
            ],
            Active = record.Active && !gone.Contains(me),
            RetentionDays = retention is null ? record.RetentionDays : retention.Days,

            // Without days of its own it is as the operator says, which only a view tells.
            IsRetentionOpen = retention is null ? record.IsRetentionOpen : retention.Days is null,
        };
    }

    /// <summary>
    /// Whose leaf it is. Every leaf of a group has such a credential, or the group would not have it.
    /// </summary>
    public static CredentialIdentity Owner(GroupMember member) =>
        CredentialIdentity.TryRead(member.Credential, out var owner)
            ? owner : throw new InvalidOperationException("A leaf without account and device.");

    /// <summary>Somebody's name, also of one who was here once.</summary>
    public static AccountView Person(ConversationRecord record, AccountId account)
    {
        if (record.Members.FirstOrDefault(member => member.Account == account) is { } member)
        {
            return new(account, member.Handle, member.DisplayName);
        }

        return record.Former.LastOrDefault(person => person.Id == account) ?? new(account, "", "");
    }

    private static IReadOnlyList<AccountView> Remember(IReadOnlyList<AccountView> former, IEnumerable<MemberView> gone)
    {
        AccountView[] fresh = [.. gone.Select(static one => new AccountView(one.Account, one.Handle, one.DisplayName))];
        return fresh.Length == 0
            ? former
            : [.. former.Where(person => fresh.All(one => one.Id != person.Id)).Concat(fresh).TakeLast(FormerKept)];
    }
}
