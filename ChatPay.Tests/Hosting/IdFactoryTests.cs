using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Xunit;

namespace ChatPay.Tests.Hosting;

/// <summary>The server's own ids.</summary>
public sealed class IdFactoryTests
{
    private static readonly DateTimeOffset s_moment = new(2026, 11, 20, 12, 34, 56, 789, TimeSpan.Zero);

    [Fact]
    public void An_id_is_a_version_7_uuid_of_its_moment()
    {
        var id = new IdFactory(new Clock()).NewUuid();
        Assert.Equal(7, id.Version);
        Assert.InRange(id.Variant, 8, 11);
        var bytes = id.ToByteArray(bigEndian: true);
        Assert.Equal(
            s_moment.ToUnixTimeMilliseconds(),
            bytes.Take(6).Aggregate(0L, (milliseconds, next) => (milliseconds << 8) | next));
    }

    [Fact]
    public void Ids_of_one_moment_differ()
    {
        var factory = new IdFactory(new Clock());
        var ids = Enumerable.Range(0, 1000).Select(_ => factory.New<AccountId>()).ToHashSet();
        Assert.Equal(1000, ids.Count);
    }

    private sealed class Clock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => s_moment;
    }
}
