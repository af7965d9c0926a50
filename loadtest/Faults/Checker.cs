using System.Globalization;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Judges a run by its history alone. The database's log is held against what was acknowledged, and each device's log
/// against the database's.
/// </summary>
internal static class Checker
{
    public static IReadOnlyList<Violation> Check(History history) =>
    [
        .. CheckMessages(history), .. CheckLogs(history), .. CheckDevices(history), .. CheckCards(history),
        .. CheckCardAcknowledgements(history), .. MembershipChecker.Check(history),
    ];

    /// <summary>In order and without a gap from the first.</summary>
    /// <returns>What is wrong, or null.</returns>
    public static string? Disorder(IReadOnlyList<LogEntry> log)
    {
        ArgumentNullException.ThrowIfNull(log);
        for (var index = 0; index < log.Count; index++)
        {
            if (log[index].Seq != index + 1)
            {
                return string.Create(
                    CultureInfo.InvariantCulture, $"seq {log[index].Seq} stands where {index + 1} is due");
            }
        }

        return null;
    }

    private static IEnumerable<Violation> CheckMessages(History history)
    {
        var found = new Dictionary<MessageName, List<long>>();
        foreach (var (conversation, log) in history.Database)
        {
            foreach (var entry in log.Where(entry => entry is { ClientId: not null, Device: not null }))
            {
                var name = new MessageName(conversation, entry.Device!.Value, entry.ClientId!.Value);
                if (!found.TryGetValue(name, out var places))
                {
                    found.Add(name, places = []);
                }

                places.Add(entry.Seq);
            }
        }

        foreach (var (name, seq) in history.Acknowledged)
        {
            var places = found.GetValueOrDefault(name) ?? [];
            if (places is not [var place])
            {
                yield return new(Rules.AcknowledgedOnce, $"{name} is in the log {places.Count} times");
            }
            else if (place != seq)
            {
                yield return new(Rules.AcknowledgedOnce, $"{name} was acknowledged as {seq} and is {place}");
            }
        }

        foreach (var (name, places) in found.Where(message => !history.Acknowledged.ContainsKey(message.Key)))
        {
            if (places.Count > 1)
            {
                yield return new(Rules.UnacknowledgedAtMostOnce, $"{name} is in the log {places.Count} times");
            }

            if (!history.Attempted.Contains(name))
            {
                yield return new(Rules.NothingMadeUp, $"{name} was sent by nobody");
            }
        }
    }

    private static IEnumerable<Violation> CheckLogs(History history) =>
        from log in history.Database
        let disorder = Disorder(log.Value)
        where disorder is not null
        select new Violation(Rules.SeqOrder, $"the database's log of {log.Key}: {disorder}");

    private static IEnumerable<Violation> CheckDevices(History history)
    {
        foreach (var (device, logs) in history.Devices)
        {
            foreach (var (conversation, log) in logs)
            {
                var truth = history.Database.GetValueOrDefault(conversation) ?? [];
                var due = MemberSpan.Of(
                    truth, history.Accounts[device], history.Founders[conversation].Contains(history.Accounts[device]));
                if (CheckDevice(log, truth, due, history.BegunAnew.Contains(device)) is var (rule, what))
                {
                    yield return new(rule, $"{device} in {conversation}: {what}");
                }
            }
        }
    }

    /// <param name="due">What it is to be handed.</param>
    /// <param name="begunAnew">Nobody hands it what was before the last time that its account came in.</param>
    private static (string Rule, string What)? CheckDevice(
        IReadOnlyList<LogEntry> log, IReadOnlyList<LogEntry> truth, IReadOnlyList<MemberSpan> due, bool begunAnew)
    {
        if (log.FirstOrDefault(entry => !due.Any(span => span.Holds(entry.Seq))) is { Seq: > 0 } stray)
        {
            return (Rules.Outside, $"it has seq {stray.Seq}, where its account was no member");
        }

        if (begunAnew)
        {
            due = [.. due.SkipWhile(span => !span.IsOpen && (log.Count == 0 || log[0].Seq > span.To))];
        }

        var expected = truth.Where(entry => due.Any(span => span.Holds(entry.Seq))).ToArray();
        foreach (var (index, entry) in log.Index())
        {
            if (index >= expected.Length || entry.Seq != expected[index].Seq)
            {
                return (Rules.SeqOrder, $"seq {entry.Seq} stands where {expected.ElementAtOrDefault(index).Seq} is due");
            }

            if (entry != expected[index])
            {
                return (Rules.EveryDevice, $"it has {entry} for {expected[index]}");
            }
        }

        return log.Count == expected.Length ? null : (Rules.EveryDevice, $"it has {log.Count} of {expected.Length} events");
    }

    private static IEnumerable<Violation> CheckCards(History history)
    {
        var lives = history.Database.Values.SelectMany(log => log).Select(entry => entry.Card).OfType<CardEntry>()
            .GroupBy(card => card.Id).ToDictionary(life => life.Key, life => life.ToArray());
        foreach (var (id, life) in lives)
        {
            var ends = life.Count(card => card.IsTerminal);
            if (ends > 1 || (ends == 1 && !life[^1].IsTerminal))
            {
                yield return new(
                    Rules.CardsEndOnce, $"card {id} went through {string.Join(", ", life.Select(card => card.State))}");
            }

            if (life.Index().FirstOrDefault(card => card.Item.Version != card.Index + 1) is { Item.Version: > 0 } gap)
            {
                yield return new(Rules.CardsEndOnce, $"card {id} has version {gap.Item.Version} as its change {gap.Index + 1}");
            }

            if (!history.Cards.TryGetValue(id, out var row) || row != life[^1])
            {
                yield return new(Rules.CardsAgree, $"card {id} is {row} in its row and {life[^1]} in the log");
            }
        }

        foreach (var id in history.Cards.Keys.Except(lives.Keys))
        {
            yield return new(Rules.CardsAgree, $"card {id} is in no log");
        }
    }

    private static IEnumerable<Violation> CheckCardAcknowledgements(History history)
    {
        foreach (var (conversation, seq, card) in history.CardsAcknowledged)
        {
            var log = history.Database.GetValueOrDefault(conversation) ?? [];
            var entry = seq >= 1 && seq <= log.Count ? log[(int)seq - 1].Card : null;
            if (entry != card)
            {
                yield return new(
                    Rules.CardsAgree, $"{card} was acknowledged as {seq} of {conversation}, where {entry} stands");
            }
        }
    }
}
