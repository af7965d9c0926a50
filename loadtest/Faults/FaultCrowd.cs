using ChatPay.Client;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using Npgsql;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// People with one or two devices in many conversations, all talking and paying, and some coming and going, until they are told
/// to stop.
/// </summary>
internal sealed class FaultCrowd : IAsyncDisposable
{
    private const int PairsDistance = 3;
    private const int Groups = 6;
    private const int GroupMembers = 5;
    private const int Turnovers = 2;
    private const int LoopsPerPerson = 2;
    private const int PauseMaxMs = 400;
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    private readonly HistoryBook _book;
    private readonly List<Participant> _people = [];
    private readonly List<Participant> _devices = [];
    private readonly List<(ConversationId Id, IReadOnlyList<Participant> Members)> _rooms = [];
    private readonly List<Turnover> _turnovers = [];
    private readonly Dictionary<ConversationId, IReadOnlySet<AccountId>> _founders = [];
    private readonly CancellationTokenSource _enough = new();
    private readonly List<Task> _loops = [];

    private FaultCrowd(HistoryBook book) => _book = book;

    /// <summary>All devices, second ones included.</summary>
    public IReadOnlyList<Participant> Devices => _devices;

    /// <summary>Conversations in which nobody comes and goes.</summary>
    public IReadOnlyList<(ConversationId Id, IReadOnlyList<Participant> Members)> Rooms => _rooms;

    public int Conversations => _founders.Count;

    /// <summary>Who was in each conversation from its beginning.</summary>
    public IReadOnlyDictionary<ConversationId, IReadOnlySet<AccountId>> Founders => _founders;

    /// <param name="front">Where the sessions connect to, by turns.</param>
    public static async Task<FaultCrowd> GatherAsync(
        int people, Uri signUp, IReadOnlyList<Uri> front, NpgsqlDataSource owner, HistoryBook book, ulong seed,
        CancellationToken cancellationToken)
    {
        var crowd = new FaultCrowd(book);
        try
        {
            for (var index = 0; index < people; index++)
            {
                var person = await Participant.SignUpAsync(
                    signUp, FormattableString.Invariant($"person{index:D6}"), book, cancellationToken);
                crowd._people.Add(person);
                crowd._devices.Add(person);
                if (index % 3 == 0)
                {
                    crowd._devices.Add(await person.OnAnotherDeviceAsync(cancellationToken));
                }
            }

            await crowd.AddRoomsAsync(owner, seed, cancellationToken);
            foreach (var device in crowd._devices)
            {
                device.Start(front);
            }

            return crowd;
        }
        catch
        {
            await crowd.DisposeAsync();
            throw;
        }
    }

    /// <summary>Everybody begins to talk, and pairs to pay each other.</summary>
    public void Begin(ulong seed)
    {
        var stream = seed;
        SplitMix64 Next() => new(SplitMix64.Mix(unchecked(++stream)));
        foreach (var person in _people)
        {
            for (var loop = 0; loop < LoopsPerPerson; loop++)
            {
                var random = Next();
                _loops.Add(Task.Run(() => GuardAsync(() => TalkAsync(person, random))));
            }
        }

        foreach (var (id, members) in _rooms.Where(room => room.Members.Count == 2))
        {
            var trader = new CardTrader(id, members[0], members[1], _book, Next());
            _loops.Add(Task.Run(() => GuardAsync(() => trader.RunAsync(_enough.Token))));
        }

        foreach (var turnover in _turnovers)
        {
            var changes = Next();
            _loops.Add(Task.Run(() => GuardAsync(() => turnover.ChangeAsync(changes, _enough.Token))));
            foreach (var person in turnover.Talkers)
            {
                var words = Next();
                _loops.Add(Task.Run(() => GuardAsync(() => turnover.TalkAsync(person, words, _enough.Token))));
            }
        }
    }

    /// <summary>Nobody begins anything new; what was begun gets its answer, or that is a violation.</summary>
    public async Task SettleAsync(TimeSpan timeout)
    {
        await _enough.CancelAsync();
        foreach (var loop in _loops)
        {
            try
            {
                await loop.WaitAsync(timeout);
            }
            catch (TimeoutException)
            {
                _book.Violate(Rules.Answered, "a call got no answer after everything was well again");
            }
        }

        foreach (var device in _devices.Where(device => device.Session.Completion.IsCompleted))
        {
            _book.Violate(Rules.Answered, $"the session of {device.Device} has ended: {device.Session.Completion.Status}");
        }
    }

    /// <summary>Waits until every device has what was acknowledged up to now.</summary>
    /// <returns>How long it took; null where it took too long.</returns>
    public Task<TimeSpan?> UntilInSyncAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        UntilAllHaveAsync(_book.Heads, timeout, cancellationToken);

    /// <summary>Waits until every device has the logs up to there.</summary>
    public async Task<TimeSpan?> UntilAllHaveAsync(
        IReadOnlyDictionary<ConversationId, long> heads, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var took = TimeProvider.System.GetElapsedTime(began);
            if (_devices.TrueForAll(device => device.Has(heads))
                && _turnovers.TrueForAll(turnover => turnover.AllHave(heads.GetValueOrDefault(turnover.Id))))
            {
                return took;
            }

            if (took > timeout)
            {
                return null;
            }

            await Task.Delay(s_look, cancellationToken);
        }
    }

    /// <summary>Who lacks what of that which was acknowledged up to now, in words.</summary>
    public IEnumerable<string> Behind()
    {
        var heads = _book.Heads;
        var fixedOnes = _rooms.ConvertAll(room => room.Id);
        return (
            from device in _devices
            where !device.Has(heads)
            let lacking = device.Logs
                .Where(log => fixedOnes.Contains(log.Key) && log.Value.Count < heads.GetValueOrDefault(log.Key))
                .Select(log => $"{log.Key} {log.Value.Count}/{heads[log.Key]}")
            let state = $"{device.Session.State}, {device.Session.Completion.Status}"
            select $"{device.Device} ({state}) lacks {string.Join(", ", lacking)}").Concat(
            from turnover in _turnovers
            let head = heads.GetValueOrDefault(turnover.Id)
            where !turnover.AllHave(head)
            select $"{turnover.Describe()}, the head being {head}");
    }

    /// <summary>Waits until so many more calls were answered: work goes on.</summary>
    public async Task<bool> UntilAnsweredAsync(int more, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var began = TimeProvider.System.GetTimestamp();
        var goal = _book.Operations + more;
        while (_book.Operations < goal)
        {
            if (TimeProvider.System.GetElapsedTime(began) > timeout)
            {
                return false;
            }

            await Task.Delay(s_look, cancellationToken);
        }

        return true;
    }

    /// <summary>Looks at everybody's cursors again and again.</summary>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(s_look);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
            {
                _devices.ForEach(device => device.Observe());
            }
        }
        catch (OperationCanceledException)
        {
            // Nobody moves any more.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _enough.CancelAsync();
        await Task.WhenAll(_devices.Select(device => device.DisposeAsync().AsTask()));
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _enough.Dispose();
    }

    /// <summary>Each person talks with the next ones in a circle, and in groups that overlap.</summary>
    private async Task AddRoomsAsync(NpgsqlDataSource owner, ulong seed, CancellationToken cancellationToken)
    {
        var random = new SplitMix64(SplitMix64.Mix(seed));
        var now = TimeProvider.System.GetUtcNow();
        var rooms = new List<Participant[]>();
        foreach (var index in Enumerable.Range(0, _people.Count))
        {
            for (var distance = 1; distance <= PairsDistance; distance++)
            {
                rooms.Add([_people[index], _people[(index + distance) % _people.Count]]);
            }
        }

        for (var group = 0; group < Groups; group++)
        {
            var first = random.Below(_people.Count);
            rooms.Add([.. Enumerable.Range(0, GroupMembers).Select(i => _people[(first + (i * 2)) % _people.Count])
                .Distinct()]);
        }

        // An owner, a member and a guest, of whom one in two has another device.
        var lasting = rooms.Count;
        for (var turnover = 0; turnover < Turnovers; turnover++)
        {
            rooms.Add([.. Enumerable.Range(1 + (4 * turnover), 3).Select(i => _people[i % _people.Count])]);
        }

        var made = rooms.ConvertAll(members => new ChatRoom(
            new(random.NextOrderedUuid(now)),
            [.. members.Select(member => new ChatPerson(member.Account, member.Device, "", []))]));
        await ChatStore.AddRoomsAsync(owner, made, cancellationToken);
        foreach (var (index, (room, members)) in made.Zip(rooms).Index())
        {
            _founders.Add(room.Id, members.Select(member => member.Account).ToHashSet());
            var devices = _devices.FindAll(device => members.Any(member => member.Account == device.Account));
            devices.ForEach(device => device.Expect(room.Id, turnover: index >= lasting));
            if (index < lasting)
            {
                _rooms.Add((room.Id, members));
            }
            else
            {
                var guest = devices.FindAll(device => device.Account == members[^1].Account);
                _turnovers.Add(new(room.Id, members[0], members[1], guest, [.. devices.Except(guest)], _book));
            }
        }
    }

    /// <summary>Whoever gets an answer that ends the talk says so at once.</summary>
    private async Task GuardAsync(Func<Task> talk)
    {
        try
        {
            await talk();
        }
        catch (ChatPayException over)
            when (over.Name == ClientErrors.SessionEnded && _enough.IsCancellationRequested)
        {
            // The run is broken off.
        }
        catch (ChatPayException refused)
        {
            _book.Violate(
                Rules.Answered,
                $"a call was refused for good: {refused.Name}, {refused.Message} {refused.InnerException?.Message}");
        }
    }

    private async Task TalkAsync(Participant person, SplitMix64 random)
    {
        var rooms = _rooms.Where(room => room.Members.Contains(person)).Select(room => room.Id).ToArray();
        while (!_enough.IsCancellationRequested)
        {
            var request = SealedBodies.Message(rooms[random.Below(rooms.Length)]);
            var name = new MessageName(request.Conversation, person.Device, request.ClientId);
            _book.Attempt(name);
            var reply = await person.Session.SendAsync(request, CancellationToken.None);
            _book.Acknowledge(name, reply.Seq);
            await Task.Delay(random.Below(PauseMaxMs), CancellationToken.None);
        }
    }
}
