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
        .. CheckCardAcknowledgements(history),
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
                if (Disorder(log) is { } disorder)
                {
                    yield return new(Rules.SeqOrder, $"{device} in {conversation}: {disorder}");
                }
                else if (log.Count != truth.Count)
                {
                    yield return new(
                        Rules.EveryDevice, $"{device} has {log.Count} of {truth.Count} events of {conversation}");
                }
                else if (log.Zip(truth).FirstOrDefault(pair => pair.First != pair.Second) is { First.Seq: > 0 } pair)
                {
                    yield return new(
                        Rules.EveryDevice, $"{device} in {conversation} has {pair.First} for {pair.Second}");
                }
            }
        }
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
