using System.Text;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What a device keeps of PINs that are on their way to the realms.</summary>
public sealed class PinRecordTests
{
    [Fact]
    public void What_an_earlier_version_kept_of_a_PIN_is_read()
    {
        var version = Guid.Parse("0190a0b0-0000-7000-8000-000000000001");
        var other = Guid.Parse("0190a0b0-0000-7000-8000-000000000002");
        var kept = DeviceCore.Decode<OwnKeysRecord>(Encoding.UTF8.GetBytes(
            $$"""
            {"identitySeed":"AQ==","rootSecret":"Ag==","wrapDue":true,
             "pending":{"version":"{{version}}","digest":"Aw==","replaces":["{{other}}"],"at":"2026-11-01T00:00:00+00:00"}
            }
            """));
        var begun = Assert.Single(kept.Begun());
        Assert.Equal((version, other), (begun.Version, Assert.Single(begun.Replaces!)));
        Assert.Null(begun.RootSecret);
        Assert.False(kept.PinVoid);

        var more = kept.With(new PendingRegistration(other, [4], [version]));
        more = DeviceCore.Decode<OwnKeysRecord>(DeviceCore.Encode(more));
        Assert.Equal([version, other], more.Begun().Select(static one => one.Version));
        Assert.Equal([other], more.Without(version).Begun().Select(static one => one.Version));
        Assert.Equal([2], Assert.Single(kept.WithoutRoot().Begun()).RootSecret);
        Assert.Empty(kept.Without(version).Begun());
    }
}
