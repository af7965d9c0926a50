using System.Text;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Protocol;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What realms tell, each by itself, comes to one act of a device where it is one, and to two where it is two.</summary>
public sealed class SeenActsTests
{
    private static readonly Guid s_first = Guid.Parse("0190a0b0-0000-7000-8000-000000000001");
    private static readonly Guid s_second = Guid.Parse("0190a0b0-0000-7000-8000-000000000002");
    private static readonly Guid s_third = Guid.Parse("0190a0b0-0000-7000-8000-000000000003");
    private static readonly DeviceId s_device = new(Guid.Parse("0190a0b0-0000-7000-8000-000000000011"));
    private static readonly DeviceId s_other = new(Guid.Parse("0190a0b0-0000-7000-8000-000000000012"));
    private static readonly DateTimeOffset s_noon = new(2026, 11, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void What_a_device_does_at_all_realms_at_once_is_one_act_whichever_tells_of_it_and_when()
    {
        var (acts, fresh) = SeenActs.Fold([], [Told(s_first, 0), Told(s_second, 20)]);
        Assert.Equal(2, Assert.Single(fresh).Parts.Count);
        (acts, fresh) = SeenActs.Fold(acts, [Told(s_first, 0), Told(s_second, 20), Told(s_third, 59)]);
        Assert.Empty(fresh);
        Assert.Equal(3, Assert.Single(acts).Parts.Count);
    }

    [Fact]
    public void What_it_does_again_within_the_minute_is_another_one()
    {
        var (acts, _) = SeenActs.Fold([], [Told(s_first, 0), Told(s_second, 1), Told(s_third, 2)]);
        (acts, var fresh) = SeenActs.Fold(acts, [Told(s_third, 32), Told(s_first, 30), Told(s_second, 31)]);
        Assert.Equal(3, Assert.Single(fresh).Parts.Count);
        Assert.Equal(2, acts.Count);
        (_, fresh) = SeenActs.Fold(acts, [Told(s_first, 0), Told(s_first, 30), Told(s_second, 31)]);
        Assert.Empty(fresh);
    }

    [Fact]
    public void Another_device_and_another_minute_are_other_acts()
    {
        var (_, fresh) = SeenActs.Fold([], [Told(s_first, 0), Told(s_second, 1, s_other), Told(s_third, 60)]);
        Assert.Equal(3, fresh.Count);
    }

    [Fact]
    public void What_is_over_goes_on_at_no_further_realm()
    {
        var (acts, _) = SeenActs.Fold([], [Told(s_first, 0)]);
        (acts, var fresh) = SeenActs.Fold(acts, [Told(s_second, 20), Told(s_third, 21)], static _ => true);
        Assert.Equal([s_second, s_third], Assert.Single(fresh).Parts.Select(static part => part.Realm));
        Assert.Equal(2, acts.Count);
    }

    [Fact]
    public void What_is_in_a_list_no_longer_is_forgotten_unless_the_realm_did_not_answer()
    {
        var (acts, _) = SeenActs.Fold([], [Told(s_first, 0), Told(s_second, 1), Told(s_first, 600)]);
        ToldPart[] listed = [Told(s_first, 600)];
        Assert.Equal(
            [[s_second], [s_first]],
            SeenActs.Listed(acts, listed, new HashSet<Guid> { s_first })
                .Select(static act => act.Parts.Select(static part => part.Realm).ToArray()));
        var left = Assert.Single(SeenActs.Listed(acts, listed, new HashSet<Guid> { s_first, s_second }));
        Assert.Equal(s_noon.AddSeconds(600), left.At);
    }

    [Fact]
    public void What_an_earlier_version_kept_is_read()
    {
        var kept = DeviceCore.Decode<VaultSeenRecord>(Encoding.UTF8.GetBytes(
            $$"""
            {"guesses":[{"realm":"{{s_first}}","at":"2026-11-01T12:00:00+00:00","device":"{{s_device}}"}],
             "waits":[{"device":"{{s_device}}","until":"2026-11-01T12:00:00+00:00"}]}
            """));
        Assert.Empty(SeenActs.Fold(kept.FailedActs()!, [Told(s_first, 0)]).Fresh);
        Assert.Empty(SeenActs.Fold(kept.BegunActs(), [Told(s_second, 1)]).Fresh);
        Assert.Null(kept.Opened);
    }

    private static ToldPart Told(Guid realm, int seconds, DeviceId? device = null)
    {
        var at = s_noon.AddSeconds(seconds);
        return new ToldPart(realm, device ?? s_device, at, SeenActs.NameOf(at, device ?? s_device));
    }
}
