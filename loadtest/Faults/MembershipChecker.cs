using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>Judges the epochs of a run's logs, and who spoke in them.</summary>
internal static class MembershipChecker
{
    public static IEnumerable<Violation> Check(History history)
    {
        ArgumentNullException.ThrowIfNull(history);
        return CheckEpochs(history).Concat(CheckCommitAcknowledgements(history)).Concat(CheckSpeakers(history));
    }

    /// <summary>One commit ends each epoch, and everything stands in the epoch that it was made in.</summary>
    private static IEnumerable<Violation> CheckEpochs(History history)
    {
        foreach (var (conversation, log) in history.Database)
        {
            var epoch = 0L;
            foreach (var entry in log)
            {
                if (entry.Kind is EventKind.Commit or EventKind.Message or EventKind.Card && entry.Epoch != epoch)
                {
                    yield return new(
                        Rules.Epochs, $"seq {entry.Seq} of {conversation}, a {entry.Kind} of epoch {entry.Epoch}, is in {epoch}");
                }

                epoch += entry.Kind == EventKind.Commit ? 1 : 0;
            }
        }
    }

    private static IEnumerable<Violation> CheckCommitAcknowledgements(History history)
    {
        foreach (var (conversation, seq, epoch) in history.CommitsAcknowledged)
        {
            var log = history.Database.GetValueOrDefault(conversation) ?? [];
            var entry = log.FirstOrDefault(entry => entry.Seq == seq);
            if (entry.Kind != EventKind.Commit || entry.Epoch != epoch)
            {
                yield return new(
                    Rules.Epochs, $"the end of epoch {epoch} was acknowledged as {seq} of {conversation}, where {entry} stands");
            }
        }
    }

    private static IEnumerable<Violation> CheckSpeakers(History history)
    {
        foreach (var (conversation, log) in history.Database)
        {
            var spans = new Dictionary<AccountId, IReadOnlyList<MemberSpan>>();
            foreach (var entry in log)
            {
                if (entry.Kind is not (EventKind.Commit or EventKind.Message or EventKind.Card)
                    || entry.Device is not { } device || !history.Accounts.TryGetValue(device, out var account))
                {
                    continue;
                }

                if (!spans.TryGetValue(account, out var due))
                {
                    due = MemberSpan.Of(log, account, history.Founders[conversation].Contains(account));
                    spans.Add(account, due);
                }

                if (!due.Any(span => span.Holds(entry.Seq)))
                {
                    yield return new(Rules.Outside, $"{device} is in {conversation} at {entry.Seq} without being a member");
                }
            }
        }
    }
}
