using ChatPay.LoadTest.Driving;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// Which fault comes when: every kind once in a shuffled order, then again in another, for as long as there is time. The
/// same seed gives the same order.
/// </summary>
internal static class FaultSchedule
{
    /// <summary>Without an end; whoever goes through it stops when the time is over.</summary>
    public static IEnumerable<FaultKind> Of(ulong seed, IReadOnlyList<FaultKind> kinds)
    {
        var random = new SplitMix64(seed);
        while (true)
        {
            var round = kinds.ToArray();
            for (var at = round.Length - 1; at > 0; at--)
            {
                var with = random.Below(at + 1);
                (round[at], round[with]) = (round[with], round[at]);
            }

            foreach (var kind in round)
            {
                yield return kind;
            }
        }
    }
}
