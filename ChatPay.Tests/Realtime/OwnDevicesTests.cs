using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Realtime;

/// <summary>What one device of an account does, its others see.</summary>
public sealed class OwnDevicesTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_one_device_sends_and_reads_is_pushed_to_the_other()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await group.JoinAsync(phone);
        var sent = await group.SendAsync(phone);
        await ada.Events.FirstAsync(e => e.Seq == sent.Seq && e.Device == phone.Device);

        var answer = await group.SendAsync(ben);
        await phone.Hub.MarkAsync(new([new(group.Id, answer.Seq, answer.Seq)]), Cancellation);
        await ada.Receipts.FirstAsync(r => r.Account == ada.Id && r.Device == phone.Device && r.Read == answer.Seq);
    }

    [Fact]
    public async Task Hello_says_what_was_read_elsewhere_meanwhile_although_no_log_has_moved()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        var (join, answer) = (await group.JoinAsync(phone), await group.SendAsync(ben));
        Assert.Equal(join.Seq + 1, answer.Seq);
        await ada.DisconnectAsync();
        await phone.Hub.MarkAsync(new([new(group.Id, answer.Seq, answer.Seq)]), Cancellation);
        await ben.Receipts.FirstAsync(r => r.Device == phone.Device && r.Read == answer.Seq);

        var greeting = await ada.ConnectAsync(null, new Cursor(group.Id, answer.Seq));
        Assert.Empty(greeting.Changed);
        Assert.Equal([new(group.Id, answer.Seq)], greeting.ReadElsewhere!);

        await ada.Hub.MarkAsync(new([new(group.Id, answer.Seq, answer.Seq)]), Cancellation);
        await ben.Receipts.FirstAsync(r => r.Device == ada.Device && r.Read == answer.Seq);
        Assert.Null((await ada.ConnectAsync(null, new Cursor(group.Id, answer.Seq))).ReadElsewhere);
    }

    [Fact]
    public async Task What_a_device_has_read_that_is_revoked_now_stays_read()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await using var ben = await Person.JoinAsync(server.Address);
        var group = await TestGroup.DirectAsync(ada, ben);
        await group.JoinAsync(phone);
        var answer = await group.SendAsync(ben);
        await phone.Hub.MarkAsync(new([new(group.Id, answer.Seq, answer.Seq)]), Cancellation);
        await ada.Receipts.FirstAsync(r => r.Device == phone.Device && r.Read == answer.Seq);
        await ada.Client.RevokeDeviceAsync(phone.Device, Cancellation);

        Assert.Equal([new(group.Id, answer.Seq)], (await ada.ConnectAsync()).ReadElsewhere!);
    }
}
