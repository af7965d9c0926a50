using System.Text.Json;
using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Driving;
using ChatPay.Server.Hosting;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// A group whose guest is put out, leaves, and is taken in again, by commits that another member races for the epoch, while
/// all of them talk.
/// </summary>
/// <param name="guest">All devices of the one who comes and goes; the first was in the group from the beginning.</param>
/// <param name="others">All devices of the owner and the member.</param>
internal sealed class Turnover(
    ConversationId id, Participant owner, Participant member, IReadOnlyList<Participant> guest,
    IReadOnlyList<Participant> others, HistoryBook book)
{
    private const int OwnerLeaf = 0;
    private const int MemberLeaf = 1;
    private const int GuestLeaf = 2;
    private const int ChangePauseMaxMs = 1_000;
    private const int TalkPauseMaxMs = 1_500;

    /// <summary>One in so many of its words the guest says although it is out.</summary>
    private const int IntrusionOneIn = 4;

    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan s_again = TimeSpan.FromMilliseconds(200);
    private static readonly IdFactory s_ids = new(TimeProvider.System);

    private readonly Participant _guest = guest[0];
    private int[] _leaves = [GuestLeaf];
    private int[] _pending = [];
    private volatile bool _isIn = true;
    private long _epoch = ChatPeople.Epoch;

    public ConversationId Id => id;

    /// <summary>Those who talk in it, each with the first of its devices.</summary>
    public IReadOnlyList<Participant> Talkers => [owner, member, _guest];

    /// <summary>One change after the other, each when everybody has heard of the one before.</summary>
    public async Task ChangeAsync(SplitMix64 random, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            await Task.Delay(random.Below(ChangePauseMaxMs), CancellationToken.None);

            // Whoever comes back sees nothing any more of what was before, so a device must not be behind then.
            while (!IsSettled && !enough.IsCancellationRequested)
            {
                await Task.Delay(s_look, CancellationToken.None);
            }

            var how = random.Below(3);
            var at = random.Below(2);
            var race = random.Below(2) == 0 ? TryRefreshAsync() : Task.CompletedTask;
            await (_isIn ? PartAsync(how, at == 0) : TakeInAsync(at == 0));
            await race;
        }
    }

    public async Task TalkAsync(Participant person, SplitMix64 random, CancellationToken enough)
    {
        while (!enough.IsCancellationRequested)
        {
            await Task.Delay(random.Below(TalkPauseMaxMs), CancellationToken.None);
            if (person != _guest || _isIn || random.Below(IntrusionOneIn) == 0)
            {
                await SayAsync(person);
            }
        }
    }

    /// <summary>Whether everybody has been handed what they are due up to there, the guest by when it was in.</summary>
    public bool AllHave(long head)
    {
        if (others.Any(device => device.LastOf(id) < head))
        {
            return false;
        }

        if (Spans is not [.., var last] || last.IsOpen)
        {
            // It must have heard at least that it is in, or nobody would tell it that it is out again.
            return guest.All(device => device.LastOf(id) >= Math.Max(head, 1));
        }

        // To a device that has begun anew while it was out, nobody says what was before.
        return guest.All(device =>
            device.LastOf(id) is var seq && (seq >= last.To || (seq == 0 && device.Lineages > 0)));
    }

    /// <summary>In words.</summary>
    public string Describe() =>
        $"{id} with {string.Join(", ", others.Concat(guest).Select(device => $"{device.Device} at {device.LastOf(id)}"))}, "
        + $"the last being the guest's, which was in: {string.Join(", ", Spans)}";

    /// <summary>When the guest was in, as far as the owner has heard.</summary>
    private IReadOnlyList<MemberSpan> Spans => MemberSpan.Of(owner.LogOf(id), _guest.Account, founder: true);

    /// <summary>Everybody has heard of the last change and of what was acknowledged since.</summary>
    private bool IsSettled => Spans is [.., var last] && last.IsOpen == _isIn && AllHave(book.HeadOf(id));

    /// <summary>Put out by a commit, put out at once, or gone by itself; the latter leave their leaves to a commit.</summary>
    private async Task PartAsync(int how, bool tidies)
    {
        _isIn = false;
        if (how == 0)
        {
            await CommitAsync(owner, OwnerLeaf, [], _leaves);
            _leaves = [];
            return;
        }

        await (how == 1
            ? UntilDoneAsync(token => owner.Client.RemoveMemberAsync(id, _guest.Account, token))
            : UntilDoneAsync(token => _guest.Client.LeaveAsync(id, token)));
        (_pending, _leaves) = (_leaves, []);
        if (tidies)
        {
            await CommitAsync(member, MemberLeaf, [], _pending);
            _pending = [];
        }
    }

    /// <summary>With all of its devices; what is left of the last time goes by the same commit.</summary>
    private async Task TakeInAsync(bool byOwner)
    {
        await (byOwner
            ? CommitAsync(owner, OwnerLeaf, guest, _pending) : CommitAsync(member, MemberLeaf, guest, _pending));
        _pending = [];
        _leaves = [.. Enumerable.Range(GuestLeaf, guest.Count)];
        _isIn = true;
    }

    /// <summary>As often as another commit is faster.</summary>
    private async Task CommitAsync(
        Participant by, int leaf, IReadOnlyList<Participant> adds, IReadOnlyList<int> removes)
    {
        while (!await TryCommitAsync(by, leaf, adds, removes))
        {
            book.Refused();
        }
    }

    /// <summary>Changes nothing but keys, and gives way to whatever comes first.</summary>
    private async Task TryRefreshAsync()
    {
        if (!await TryCommitAsync(member, MemberLeaf, [], []))
        {
            book.Refused();
        }
    }

    private async Task<bool> TryCommitAsync(
        Participant by, int leaf, IReadOnlyList<Participant> adds, IReadOnlyList<int> removes)
    {
        var epoch = Interlocked.Read(ref _epoch);
        var request = SealedCommits.Create(id, epoch, by, leaf, adds, removes);
        var name = new MessageName(id, by.Device, request.ClientId);
        book.Attempt(name);
        try
        {
            var reply = await by.Session.SubmitCommitAsync(request, CancellationToken.None);
            book.AcknowledgeCommit(name, reply.Seq, reply.Epoch - 1);
            Learn(reply.Epoch);
            return true;
        }
        catch (ChatPayException stale) when (stale.Code == ErrorCode.StaleEpoch)
        {
            Learn(stale);
            return false;
        }
    }

    /// <summary>What was refused for its epoch is encrypted again under the same id, which is promised to be free.</summary>
    private async Task SayAsync(Participant person)
    {
        var clientId = new ClientMessageId(s_ids.NewUuid());
        var name = new MessageName(id, person.Device, clientId);
        book.Attempt(name);
        while (true)
        {
            try
            {
                var request = SealedBodies.Message(id, clientId, Interlocked.Read(ref _epoch));
                var reply = await person.Session.SendAsync(request, CancellationToken.None);
                book.Acknowledge(name, reply.Seq);
                return;
            }
            catch (ChatPayException stale) when (stale.Code == ErrorCode.StaleEpoch)
            {
                book.Refused();
                Learn(stale);
            }
            catch (ChatPayException foreign) when (foreign.Code == ErrorCode.NotMember && person == _guest)
            {
                book.Refused();
                return;
            }
        }
    }

    private void Learn(ChatPayException stale)
    {
        if (stale.Error.Details?.GetValueOrDefault("epoch") is JsonElement epoch)
        {
            Learn(epoch.GetInt64());
        }
    }

    private void Learn(long epoch)
    {
        for (var known = Interlocked.Read(ref _epoch); epoch > known; known = Interlocked.Read(ref _epoch))
        {
            Interlocked.CompareExchange(ref _epoch, epoch, known);
        }
    }

    /// <summary>Over HTTP, where nobody tries again by itself. That it is done already is an answer too.</summary>
    private static async Task UntilDoneAsync(Func<CancellationToken, Task> call)
    {
        while (true)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            try
            {
                await call(limit.Token);
                return;
            }
            catch (ChatPayException done) when (done.Code is ErrorCode.NotMember or ErrorCode.MemberUnknown)
            {
                return;
            }
            catch (Exception lost) when (lost is ChatPayException { Retryable: true } or OperationCanceledException)
            {
                await Task.Delay(s_again, CancellationToken.None);
            }
        }
    }
}
