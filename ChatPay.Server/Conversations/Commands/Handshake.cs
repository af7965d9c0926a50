using ChatPay.Core.Conversations;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Conversations.Commands;

/// <summary>
/// A commit and what comes with it, read and checked before it enters the write path, with everything that deciding it
/// needs besides the conversation's rows.
/// </summary>
/// <param name="Inspected">What the commit proposes; null where it could not be read.</param>
/// <param name="Signer">The leaf that signed the GroupInfo, and whose place the committer's new leaf is signed for.</param>
/// <param name="Flaw">
/// What is wrong with the parts by themselves; answered only once membership and epoch have been checked.
/// </param>
/// <param name="Names">Of the caller and of the accounts that its Adds name.</param>
/// <param name="WelcomeIds">Ids for the device messages, one for each Add.</param>
internal sealed record Handshake(
    ConversationId Conversation, ClientMessageId ClientId, long Epoch, byte[] Commit, byte[]? Welcome, byte[] GroupInfo,
    InspectedCommit? Inspected, uint Signer, Error? Flaw, IReadOnlyDictionary<AccountId, AccountView> Names,
    IReadOnlyList<Guid> WelcomeIds)
{
    /// <summary>Whom the Adds name.</summary>
    public IReadOnlyList<CredentialIdentity> Named => Inspected is null ? [] : CreateRules.Named(Inspected);

    /// <summary>The accounts that the Adds name, which may come into one more conversation by them.</summary>
    public IEnumerable<AccountId> NamedAccounts => Named.Select(identity => identity.Account).Distinct();

    /// <summary>The devices whose facts deciding needs: the caller's and the added ones.</summary>
    public IEnumerable<DeviceId> Devices(DeviceId caller) =>
        Named.Select(identity => identity.Device).Append(caller);

    /// <summary>Judges the commit against a conversation that stands in its epoch.</summary>
    public Result<CommitPlan> Decide(ConversationRows rows, ConversationState conversation, Caller caller)
    {
        if (Flaw is not null)
        {
            return Flaw;
        }

        var plan = CommitRules.Decide(conversation, caller.Account, caller.Device, Inspected!, rows.FindDevice);
        if (!plan.IsOk)
        {
            return plan;
        }

        if (plan.Value.CommitterLeaf != Signer)
        {
            return ConversationErrors.CommitInvalid("The GroupInfo is signed by another leaf than the committer's.");
        }

        return plan.Value.AddedAccounts.All(rows.HasRoomForAnother) ? plan : ConversationErrors.TooManyConversations();
    }

    /// <summary>Appends the accepted commit and all that follows from it.</summary>
    /// <param name="creator">With the first commit: the member who was there before it.</param>
    public Event Append(
        ConversationRows rows, ConversationState conversation, CommitPlan plan, Caller caller, Member? creator = null)
    {
        var seq = conversation.Head + 1;
        var come = plan.AddedAccounts.Select(account => View(account, MemberRole.Member, seq));
        var change = new MembersChange(
            creator is null ? [.. come] : [View(creator.Account, creator.Role, seq), .. come], plan.RemovedAccounts, [], [],
            [.. plan.AddedLeaves.Select(leaf => leaf.Value.Device)], plan.RemovedDevices, []);
        var appended = rows.Append(conversation.Id, new(
            EventKind.Commit, caller.Account, caller.Device, ClientId, Commit, Members: change));
        CommitRules.Apply(conversation, plan, appended.Seq);
        rows.PutGroupInfo(conversation.Id, conversation.Epoch, appended.Seq, GroupInfo);
        for (var index = 0; index < plan.Welcomed.Count; index++)
        {
            rows.PutWelcome(WelcomeIds[index], plan.Welcomed[index], conversation.Id, appended.Seq, Welcome!);
        }

        return appended;
    }

    private MemberView View(AccountId account, MemberRole role, long seq)
    {
        var name = Names.GetValueOrDefault(account);
        return new(account, name?.Handle ?? "", name?.DisplayName ?? "", role, seq);
    }
}
