using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Conversations;

/// <summary>Puts names to stored conversations.</summary>
internal sealed class ConversationViews(
    ConversationStore store, AccountDirectory directory, IOptions<ConversationOptions> options)
{
    /// <summary>Conversations as the account sees them now, with the next events after the cursors.</summary>
    public async Task<IReadOnlyList<SyncPage>> PagesAsync(
        AccountId account, IReadOnlyList<Cursor> cursors, CancellationToken cancellationToken)
    {
        if (cursors.Count == 0)
        {
            return [];
        }

        var found = await store.SnapshotsAsync(account, cursors, cancellationToken);
        AccountId[] members = [.. found.Values.SelectMany(one => one.Members, (_, member) => member.Account).Distinct()];
        var names = await directory.GetAsync(members, cancellationToken);
        var pages = new List<SyncPage>(found.Count);
        foreach (var cursor in cursors)
        {
            if (found.GetValueOrDefault(cursor.Conversation) is { } one)
            {
                var start = Math.Max(one.JoinedSeq, one.FirstSeq);
                var last = one.Events.Count > 0 ? one.Events[^1].Seq : Math.Max(cursor.Seq, start - 1);
                pages.Add(new(View(one, names), one.Events, last < one.Head));
            }
        }

        return pages;
    }

    /// <summary>Conversations as the account sees them now.</summary>
    public async Task<IReadOnlyList<ConversationView>> ViewsAsync(
        AccountId account, IReadOnlyList<ConversationId> conversations, CancellationToken cancellationToken)
    {
        var pages = await PagesAsync(
            account, [.. conversations.Select(id => new Cursor(id, -1))], cancellationToken);
        return [.. pages.Select(page => page.Conversation)];
    }

    private ConversationView View(
        ConversationSnapshot one, IReadOnlyDictionary<AccountId, AccountView> names) => new(
            one.Id, one.Kind, one.Head, one.Epoch, one.JoinedSeq, one.CreatedAt,
            [.. one.Members.Select(member => Member(member, names))], one.PendingRemovals, one.Receipts,
            one.FirstSeq, one.RetentionDays ?? options.Value.DefaultRetentionDays);

    private static MemberView Member(
        (AccountId Account, MemberRole Role, long JoinedSeq) member, IReadOnlyDictionary<AccountId, AccountView> names)
    {
        var name = names.GetValueOrDefault(member.Account);
        return new(member.Account, name?.Handle ?? "", name?.DisplayName ?? "", member.Role, member.JoinedSeq);
    }
}
