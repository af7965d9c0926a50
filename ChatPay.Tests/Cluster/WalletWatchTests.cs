using ChatPay.Core.Protocol;
using ChatPay.Server.Cluster;
using ChatPay.Server.Hosting;
using Xunit;

namespace ChatPay.Tests.Cluster;

public sealed class WalletWatchTests
{
    [Fact]
    public void Every_account_has_its_turn_whatever_its_hash()
    {
        var ids = new IdFactory(TimeProvider.System);
        var turns = Enumerable.Range(0, 1000).Select(_ => WalletWatch.TurnOf(ids.New<AccountId>())).ToHashSet();
        Assert.Equal(Enumerable.Range(0, WalletWatch.Parts), turns.Order());
    }
}
