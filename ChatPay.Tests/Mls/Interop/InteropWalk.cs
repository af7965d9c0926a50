using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;

namespace ChatPay.Tests.Mls;

/// <summary>
/// Random operations in a mixed group, which grows to its largest, stays there for a while and shrinks again.
/// </summary>
internal sealed class InteropWalk(InteropGroup group, Dice dice, WalkPlan plan)
{
    private const int SmallestGroup = 2;
    private const int ChangesMax = 4;
    private const int PskEpochsBack = 4;
    private string _step = "";

    /// <summary>How many members there were at most.</summary>
    public int Largest { get; private set; }

    public async Task RunAsync()
    {
        await group.CreateAsync(await PeerAsync());
        await GrowAsync(1);
        for (var step = 0; step < plan.Operations; step++)
        {
            try
            {
                await StepAsync(TargetAt(step));
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                throw new InvalidOperationException($"Operation {step}, {_step}: {failure.Message}", failure);
            }

            Largest = Math.Max(Largest, group.Members.Count);
        }
    }

    /// <summary>Up for two fifths of the way, level for one, down for the rest.</summary>
    private int TargetAt(int step)
    {
        var share = step * 5.0 / plan.Operations;
        var height = share < 2 ? share / 2 : share < 3 ? 1 : (5 - share) / 2;
        return SmallestGroup + (int)Math.Round((plan.MembersMax - SmallestGroup) * height);
    }

    private Task StepAsync(int target)
    {
        var missing = target - group.Members.Count;
        if (missing > 0 && dice.Chance(50))
        {
            return GrowAsync(1 + dice.Next(Math.Min(missing, ChangesMax)));
        }

        if (missing < 0 && dice.Chance(50))
        {
            return ShrinkAsync(1 + dice.Next(Math.Min(-missing, ChangesMax)));
        }

        return dice.Next(10) switch
        {
            < 4 => TalkAsync(),
            4 => UpdateAsync(),
            5 or 6 => ByReferenceAsync(),
            7 => ExternalAsync(),
            8 => PskAsync(),
            _ => AtOnceAsync(),
        };
    }

    private Task TalkAsync()
    {
        _step = "talk";
        var senders = Enumerable.Range(0, 1 + dice.Next(3)).Select(_ => dice.Pick(group.Members)).Distinct().ToArray();
        return group.TalkAsync(senders, 1 + dice.Next(6), lostPercent: 15);
    }

    private Task UpdateAsync()
    {
        _step = "update";
        return group.CommitAsync(dice.Pick(group.Members), Format(), [], []);
    }

    private async Task GrowAsync(int count)
    {
        _step = $"add {count}";
        var joiners = await JoinersAsync(count);
        await group.CommitAsync(dice.Pick(group.Members), Format(), await AddsOf(joiners), joiners);
    }

    /// <summary>Some go; now and then somebody else comes by the same commit.</summary>
    private async Task ShrinkAsync(int count)
    {
        var committer = dice.Pick(group.Members);
        var removed = Enumerable.Range(0, count).Select(_ => dice.Pick(group.Others(committer))).Distinct().ToArray();
        var joiners = await JoinersAsync(dice.Chance(25) ? 1 : 0);
        _step = $"remove {removed.Length}, add {joiners.Length}, by {committer.Name}";
        if (removed.Length + SmallestGroup > group.Members.Count)
        {
            removed = [];
        }

        Change[] changes = [.. removed.Select(peer => new RemoveChange(group.LeafOf(peer))), .. await AddsOf(joiners)];
        await group.CommitAsync(committer, Format(), changes, joiners);
    }

    /// <summary>Several propose, and somebody else commits all of it.</summary>
    private async Task ByReferenceAsync()
    {
        _step = "proposals by reference";
        var committer = dice.Pick(group.Members);
        var proposers = group.Others(committer);
        var updater = dice.Pick(proposers);
        if (dice.Chance(70))
        {
            await group.ProposeAsync(updater, new UpdateChange(), Format());
        }

        var removable = group.Others(committer, updater);
        if (removable.Length > 0 && dice.Chance(40))
        {
            await group.ProposeAsync(
                dice.Pick(group.Members), new RemoveChange(group.LeafOf(dice.Pick(removable))), Format());
        }

        var joiners = await JoinersAsync(group.Members.Count < plan.MembersMax ? dice.Next(2) : 0);
        foreach (var add in await AddsOf(joiners))
        {
            await group.ProposeAsync(dice.Pick(group.Members), add, Format());
        }

        if (dice.Chance(30))
        {
            await group.ProposeAsync(
                dice.Pick(group.Members), await NewPskAsync(group.Members.Concat(joiners)), Format());
        }

        await group.CommitAsync(committer, Format(), [], joiners);
    }

    /// <summary>Somebody new comes in from outside, or a member who lost its state comes back.</summary>
    private async Task ExternalAsync()
    {
        _step = "external join";
        var joiner = group.Members.Count < plan.MembersMax && dice.Chance(60)
            ? (await JoinersAsync(1))[0] : dice.Pick(group.Members);
        await group.JoinExternallyAsync(joiner, dice.Pick(group.Others(joiner)));
    }

    private async Task PskAsync()
    {
        _step = "pre-shared keys";
        List<Change> changes = [];
        var joiners = await JoinersAsync(group.Members.Count < plan.MembersMax ? dice.Next(2) : 0);
        for (var keys = 1 + dice.Next(2); keys > 0; keys--)
        {
            changes.Add(await NewPskAsync(group.Members.Concat(joiners)));
        }

        if (joiners.Length == 0 && dice.Chance(60))
        {
            var since = Math.Max(group.CommonSince, group.Epoch > PskEpochsBack ? group.Epoch - PskEpochsBack : 0);
            changes.Add(new ResumptionChange(since + (ulong)dice.Next((int)(group.Epoch - since + 1))));
        }

        changes.AddRange(await AddsOf(joiners));
        await group.CommitAsync(dice.Pick(group.Members), Format(), changes, joiners);
    }

    private Task AtOnceAsync()
    {
        _step = "two commits at once";
        var winner = dice.Pick(group.Members);
        return group.CommitAtOnceAsync(winner, dice.Pick(group.Others(winner)), Format());
    }

    private static async Task<PskChange> NewPskAsync(IEnumerable<IPeer> peers)
    {
        var id = RandomNumberGenerator.GetBytes(12);
        await InteropGroup.AddPskAsync(id, RandomNumberGenerator.GetBytes(32), peers);
        return new PskChange(id);
    }

    private static async Task<IReadOnlyList<Change>> AddsOf(IEnumerable<IPeer> joiners)
    {
        List<Change> adds = [];
        foreach (var joiner in joiners)
        {
            adds.Add(new AddChange(await joiner.KeyPackageAsync()));
        }

        return adds;
    }

    /// <summary>Some who were members before, some new.</summary>
    private async Task<IPeer[]> JoinersAsync(int count)
    {
        List<IPeer> joiners = [];
        while (joiners.Count < count)
        {
            var known = group.Outside.Except(joiners).ToArray();
            joiners.Add(known.Length > 0 && dice.Chance(50) ? dice.Pick(known) : await PeerAsync());
        }

        return [.. joiners];
    }

    /// <summary>As many of each implementation, until there are enough of ts-mls.</summary>
    private Task<IPeer> PeerAsync()
    {
        var ts = group.Members.Concat(group.Outside).Count(static peer => peer is TsPeer);
        return group.NewPeerAsync(isTs: ts < plan.TsMax && (ts < 2 || dice.Chance(50)));
    }

    private HandshakeFormat Format() => dice.Chance(50) ? HandshakeFormat.Public : HandshakeFormat.Private;
}

/// <param name="TsMax">Most members on ts-mls; processing a commit takes them long.</param>
internal sealed record WalkPlan(int Operations, int MembersMax, int TsMax);
