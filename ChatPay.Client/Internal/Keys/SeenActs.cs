using System.Globalization;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>What a device did at the vault at one time, a guess or a wait, at however many realms.</summary>
/// <param name="At">When, or until when, as the realm says that told of it first.</param>
/// <param name="Parts">What each realm calls its part of it; at most one of each realm.</param>
internal sealed record SeenAct(DeviceId Device, DateTimeOffset At, IReadOnlyList<SeenPart> Parts);

/// <summary>One realm's part of an act.</summary>
internal sealed record SeenPart(Guid Realm, string Name);

/// <summary>What a realm tells of an act.</summary>
/// <param name="Name">By which the same realm tells of the same thing again.</param>
internal readonly record struct ToldPart(Guid Realm, DeviceId Device, DateTimeOffset At, string Name);

/// <summary>
/// Puts together what realms tell, each by itself: a device asks them all at once, and what it does at all of them is one act.
/// A realm has one part of each, so that what a device does again within the minute is another one.
/// </summary>
internal static class SeenActs
{
    /// <summary>A device asks all realms at once, and their clocks differ by less.</summary>
    private static readonly TimeSpan s_clocksApart = TimeSpan.FromMinutes(1);

    /// <summary>Realms give guesses no id; each has its time, to the microsecond, and its device.</summary>
    public static string NameOf(DateTimeOffset at, DeviceId device) =>
        string.Create(CultureInfo.InvariantCulture, $"{at.UtcDateTime:O} {device}");

    /// <param name="known">What was told before.</param>
    /// <param name="isOver">
    /// Of what cannot go on at further realms: what they tell then is another act, though it be within the minute. Null where
    /// nothing shows that.
    /// </param>
    /// <returns>All acts, the oldest known first, and those of them that nobody has told of before.</returns>
    public static (IReadOnlyList<SeenAct> Acts, IReadOnlyList<SeenAct> Fresh) Fold(
        IReadOnlyList<SeenAct> known, IEnumerable<ToldPart> told, Predicate<SeenAct>? isOver = null)
    {
        var acts = known.ToList();
        var over = isOver is null ? [] : known.Where(act => isOver(act)).ToHashSet();
        var parts = known.SelectMany(static act => act.Parts).ToHashSet();
        foreach (var one in told.OrderBy(static one => one.At))
        {
            var part = new SeenPart(one.Realm, one.Name);
            if (!parts.Add(part))
            {
                continue;
            }

            var at = acts.FindIndex(act => act.Device == one.Device && (act.At - one.At).Duration() < s_clocksApart
                && act.Parts.All(other => other.Realm != one.Realm) && !over.Contains(act));
            if (at < 0)
            {
                acts.Add(new SeenAct(one.Device, one.At, [part]));
            }
            else
            {
                acts[at] = acts[at] with { Parts = [.. acts[at].Parts, part] };
            }
        }

        return (acts, acts[known.Count..]);
    }

    /// <summary>
    /// Forgets what is in a realm's list no longer; of a realm that did not answer all is kept.
    /// </summary>
    public static IReadOnlyList<SeenAct> Listed(
        IEnumerable<SeenAct> acts, IEnumerable<ToldPart> told, IReadOnlySet<Guid> answering)
    {
        var listed = told.Select(static one => new SeenPart(one.Realm, one.Name)).ToHashSet();
        return
        [
            .. acts.Select(act => act with
            {
                Parts = [.. act.Parts.Where(part => listed.Contains(part) || !answering.Contains(part.Realm))],
            }).Where(static act => act.Parts.Count > 0),
        ];
    }
}
