using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>What people do with conversations: open, name, invite, remove, leave.</summary>
internal sealed class Desk(DeviceCore core, Commits commits, Outbox outbox, GroupDoor door, GroupCare care)
{
    /// <summary>What may have been created: nobody lived, or waited, to see the answer.</summary>
    private readonly ConcurrentDictionary<ConversationId, bool> _open = new();

    /// <summary>What an earlier run was about to create when it ended.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        await foreach (var (key, _) in core.ListAsync(StoreKeys.Creations, cancellationToken))
        {
            _open[new(Guid.Parse(key.AsSpan(StoreKeys.Creations.Length), CultureInfo.InvariantCulture))] = true;
        }
    }

    /// <summary>
    /// The server says what has become of those that nobody knows of: they are there, with the keys that this device
    /// made for them, or they were never created.
    /// </summary>
    public async Task SettleOpenAsync(CancellationToken cancellationToken)
    {
        foreach (var id in _open.Keys)
        {
            if (core.TryFind(id, out _))
            {
                // The log has told of it.
            }
            else if (await door.KnowAsync(id, cancellationToken) is null)
            {
                await DropAsync(id, cancellationToken);
            }
            else
            {
                core.RequireSession().Read(id);
            }

            _open.TryRemove(id, out _);
        }
    }

    /// <exception cref="ChatPayException">Refused, or the server cannot be reached.</exception>
    public async Task<ConversationState> StartDirectAsync(AccountId other, CancellationToken cancellationToken)
    {
        var known = core.Conversations.FirstOrDefault(state =>
            state.Record is { Kind: ConversationKind.Direct, Active: true } record
            && record.Members.Any(member => member.Account == other));
        return await RequireDirectAsync(
            known ?? await CreateAsync(ConversationKind.Direct, [other], cancellationToken), other, cancellationToken);
    }

    public async Task<ConversationState> CreateGroupAsync(
        string name, IReadOnlyList<AccountId> members, CancellationToken cancellationToken)
    {
        RequireName(name);
        var state = await CreateAsync(ConversationKind.Group, members, cancellationToken);
        await outbox.SendAsync(state, new MessageContent.GroupName(name), null, null, cancellationToken);
        return state;
    }

    public async Task RenameAsync(ConversationState state, string name, CancellationToken cancellationToken)
    {
        RequireName(name);
        await outbox.SendAsync(state, new MessageContent.GroupName(name), null, null, cancellationToken);
    }

    public async Task InviteAsync(
        ConversationState state, IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        var packages = await ClaimAsync(accounts, cancellationToken);
        using (await state.Lane.TurnAsync(cancellationToken))
        {
            await commits.CommitAsync(
                state,
                (group, record) =>
                {
                    var present = group.Members.Select(static member => Views.Owner(member).Device).ToHashSet();
                    var adds = Adds(packages.Where(package => !present.Contains(package.Device)));
                    return adds.Count == 0 ? null : [.. Commits.Removals(group, record), .. adds];
                },
                cancellationToken);
        }

        await care.SayNameAsync(state, cancellationToken);
    }

    public async Task RemoveAsync(ConversationState state, AccountId account, CancellationToken cancellationToken)
    {
        using (await state.Lane.TurnAsync(cancellationToken))
        {
            await commits.CommitAsync(
                state,
                (group, record) =>
                {
                    var leaves = group.Members.Where(member => Views.Owner(member).Account == account).ToList();
                    var waiting = Commits.Removals(group, record).Cast<RemoveProposal>()
                        .Where(removal => leaves.All(leaf => leaf.LeafIndex != removal.Removed));
                    return leaves.Count == 0
                        ? null
                        :
                        [
                            .. waiting,
                            .. leaves.Select(static leaf => new RemoveProposal { Removed = leaf.LeafIndex }),
                        ];
                },
                cancellationToken);
        }

        // Somebody whose devices are all gone has no leaf for a commit to remove, or had only waiting ones.
        if (state.Record.Members.Any(member => member.Account == account))
        {
            await core.Client.RemoveMemberAsync(state.Id, account, cancellationToken);
        }
    }

    public async Task LeaveAsync(ConversationState state, CancellationToken cancellationToken)
    {
        core.RequireLive(state);
        await core.Client.LeaveAsync(state.Id, cancellationToken);
        using (await core.EnterAsync(cancellationToken))
        {
            var batch = new Batch(core);
            var draft = batch.Of(state);
            draft.Record = draft.Record with { Active = false, PendingRemovals = [] };
            draft.GroupGone();
            await batch.WriteAsync(cancellationToken);
        }
    }

    private static void RequireName(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.Length > Limits.GroupNameMaxChars)
        {
            throw LocalErrors.Refused(
                ErrorCode.InvalidArgument, $"A group's name has at most {Limits.GroupNameMaxChars} characters.");
        }
    }

    private async Task<ConversationState> CreateAsync(
        ConversationKind kind, IReadOnlyList<AccountId> others, CancellationToken cancellationToken)
    {
        var me = core.Device.Account.Id;
        AccountId[] accounts = [.. others.Where(account => account != me).Distinct(), me];
        var packages = await ClaimAsync(accounts, cancellationToken);
        var id = new ConversationId(core.NewId());
        var request = await PrepareAsync(id, kind, packages, cancellationToken);
        ConversationView view;
        try
        {
            view = await PostAsync(request, cancellationToken);
        }
        catch (ChatPayException refused) when (
            Transport.IsVerdict(refused) && !core.Stopping.IsCancellationRequested)
        {
            await DropAsync(id, cancellationToken);
            if (kind == ConversationKind.Direct && ExistingIn(refused.Error) is { } existing)
            {
                return await TakeUpAsync(existing, cancellationToken);
            }

            throw;
        }
        catch
        {
            // It may be there: its keys are kept until the server has said so, at the latest when all has been read.
            _open[id] = true;
            throw;
        }

        await door.LearnAsync(view, cancellationToken);
        return await TakeUpAsync(id, cancellationToken);
    }

    /// <summary>
    /// The server says which conversation it is. What is meant for one person must not go to others: these two are its
    /// members, and nobody else has a leaf in its group.
    /// </summary>
    private async Task<ConversationState> RequireDirectAsync(
        ConversationState state, AccountId other, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            HashSet<AccountId> two = [core.Device.Account.Id, other];
            var group = state.Facts is null ? null : await core.Groups.GroupAsync(state, cancellationToken);
            return state.Record.Kind == ConversationKind.Direct
                && two.SetEquals(state.Record.Members.Select(static member => member.Account))
                && (group?.Members ?? []).All(leaf => two.Contains(Views.Owner(leaf).Account))
                ? state
                : throw LocalErrors.Refused(
                    ErrorCode.DirectConversation,
                    "The conversation that the server named is not of exactly these two.");
        }
    }

    /// <summary>One key package for every live device of these accounts except this one.</summary>
    private async Task<IReadOnlyList<ClaimedKeyPackage>> ClaimAsync(
        IReadOnlyList<AccountId> accounts, CancellationToken cancellationToken)
    {
        var device = core.Device;
        var claimed = new List<ClaimedKeyPackage>();
        foreach (var some in accounts.Chunk(Limits.AccountsPerClaim))
        {
            var reply = await core.Client.ClaimKeyPackagesAsync(new(some), cancellationToken);
            claimed.AddRange(reply.KeyPackages.Where(package => package.Device != device.Device));
        }

        await core.Keys.LookAtAsync(
            GroupKeeper.Shown(claimed.Select(
                static package => CommitChecks.TryRead(package, out var one) ? one.LeafNode : null).OfType<LeafNode>()),
            cancellationToken);

        var reached = claimed.Select(static package => package.Account).Append(device.Account.Id).ToHashSet();
        return accounts.All(reached.Contains)
            ? claimed
            : throw LocalErrors.Refused(
                ErrorCode.KeyPackageUnavailable, "Somebody has no device that could be added now.");
    }

    private List<Proposal> Adds(IEnumerable<ClaimedKeyPackage> packages)
    {
        var adds = new List<Proposal>();
        foreach (var package in packages)
        {
            if (!CommitChecks.TryRead(package, out var keyPackage))
            {
                throw LocalErrors.Refused(
                    ErrorCode.KeyPackageInvalid, "The server handed out a key package of another account or device.");
            }

            if (!core.Keys.People.MayAdd(keyPackage.LeafNode))
            {
                throw LocalErrors.IdentityChanged("somebody who would be added");
            }

            adds.Add(new AddProposal { KeyPackage = keyPackage });
        }

        return adds;
    }

    /// <summary>The group and the commit that begins it are stored before the server hears of them.</summary>
    private async Task<CreateConversationRequest> PrepareAsync(
        ConversationId id, ConversationKind kind, IReadOnlyList<ClaimedKeyPackage> packages,
        CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var groups = core.Groups;
            using var group = Group.Create(GroupKeeper.Suite, GroupIds.From(id), groups.Member, groups.Services);
            var commit = new MlsCommitRequest { Proposals = Adds(packages), IncludePending = false, ForcePath = true };
            if (!group.TryCommit(commit, out var pending, out var rejection))
            {
                throw LocalErrors.Refused(
                    ErrorCode.KeyPackageInvalid, $"A key package does not fit the group: {rejection}.");
            }

            using (pending)
            {
                var facts = new PendingFacts(new(core.NewId()), 0, Joining: false);
                var changes = new Dictionary<string, byte[]?>(StringComparer.Ordinal)
                {
                    [StoreKeys.Creation(id)] = [],
                    [StoreKeys.GroupFacts(id)] = DeviceCore.Encode(new GroupFacts(0, 0, [])),
                    [StoreKeys.PendingFacts(id)] = DeviceCore.Encode(facts),
                };
                groups.PutGroup(changes, id, group, withEpoch: true);
                groups.PutPending(changes, id, pending);
                await core.WriteAsync(
                    [.. changes.Select(static change => new StoreChange(change.Key, change.Value))], cancellationToken);
                return new(id, kind, facts.ClientId, pending.Message, pending.Welcome, pending.GroupInfo);
            }
        }
    }

    /// <summary>
    /// The id is this device's alone, so a repeated post that finds it taken finds this very conversation.
    /// </summary>
    private async Task<ConversationView> PostAsync(
        CreateConversationRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await Transport.InsistAsync(
                core,
                () => Transport.RetryAsync(
                    core, token => core.Client.CreateConversationAsync(request, token), cancellationToken),
                cancellationToken);
        }
        catch (ChatPayException taken) when (ExistingIn(taken.Error) == request.Id)
        {
            return await Transport.RetryAsync(
                core, token => core.Client.ConversationAsync(request.Id, token), cancellationToken);
        }
    }

    private static ConversationId? ExistingIn(ErrorBody error) =>
        error.Code == (int)ErrorCode.ConversationExists
        && error.Details?.GetValueOrDefault("conversation") is JsonElement element && element.TryGetGuid(out var id)
            ? new ConversationId(id) : null;

    /// <summary>Nothing is left of a creation that was refused.</summary>
    private async Task DropAsync(ConversationId id, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            if (core.TryFind(id, out _))
            {
                // The log was faster than the answer, so it is there, and these are its keys.
                return;
            }

            await core.WriteAsync(
                [
                    new(StoreKeys.Creation(id), null), new(StoreKeys.GroupFacts(id), null),
                    new(StoreKeys.GroupEpoch(id), null), new(StoreKeys.GroupRatchets(id), null),
                    new(StoreKeys.PendingFacts(id), null), new(StoreKeys.PendingState(id), null),
                ],
                cancellationToken);
        }
    }

    /// <summary>A conversation that is there, once this device can use it.</summary>
    private async Task<ConversationState> TakeUpAsync(ConversationId id, CancellationToken cancellationToken)
    {
        var state = await door.KnowAsync(id, cancellationToken)
            ?? throw LocalErrors.NotReady("The conversation is gone.");
        core.RequireSession().Read(id);
        await commits.ReadyAsync(state, cancellationToken);
        return state;
    }
}
