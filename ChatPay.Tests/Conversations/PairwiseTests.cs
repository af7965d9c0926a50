using ChatPay.Core.Protocol;
using ChatPay.Tests.Cluster;
using ChatPay.Tests.Support;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Conversations;

/// <summary>Messages from one device to another, beside all conversations.</summary>
public sealed class PairwiseTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static readonly byte[] s_body = [1, 2, 3];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_waits_for_its_device_until_acknowledged()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var ben = await Person.JoinAsync(server.Address);
        await using var phone = await ben.OnAnotherDeviceAsync();
        await TestGroup.DirectAsync(ada, ben);
        await AcknowledgeAllAsync(ben);
        await phone.DisconnectAsync();
        var clientId = TestGroup.NewClientId();
        await ada.Hub.SendToDevicesAsync(new([new(ben.Device, s_body), new(phone.Device, [9])], clientId), Cancellation);

        var pushed = await ben.DeviceMessages.FirstAsync(message => message.Kind == DeviceMessageKind.Pairwise);
        Assert.Equal(
            (null, ada.Id, ada.Device, clientId), (pushed.Conversation, pushed.FromAccount, pushed.FromDevice, pushed.ClientId));
        Assert.Equal(s_body, pushed.Body);
        Assert.Equal(1, (await phone.ConnectAsync()).DeviceMessagesWaiting);
        var pulled = Assert.Single((await phone.Hub.PullDeviceAsync(Cancellation)).Messages);
        Assert.Equal([9], pulled.Body);
        Assert.Equal((ada.Id, ada.Device, clientId), (pulled.FromAccount, pulled.FromDevice, pulled.ClientId));

        await phone.Hub.AckDeviceAsync(new([pulled.Id]), Cancellation);
        Assert.Empty((await phone.Hub.PullDeviceAsync(Cancellation)).Messages);
        Assert.Equal(pushed.Id, Assert.Single((await ben.Hub.PullDeviceAsync(Cancellation)).Messages).Id);
    }

    [Fact]
    public async Task A_repeated_request_changes_nothing_even_after_it_was_acknowledged()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        var request = new SendToDevicesRequest([new(phone.Device, s_body)], TestGroup.NewClientId());
        await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => ada.Hub.SendToDevicesAsync(request, Cancellation)));
        var message = Assert.Single((await phone.Hub.PullDeviceAsync(Cancellation)).Messages);
        await phone.Hub.AckDeviceAsync(new([message.Id]), Cancellation);

        await ada.Hub.SendToDevicesAsync(request, Cancellation);
        Assert.Empty((await phone.Hub.PullDeviceAsync(Cancellation)).Messages);
        var other = request with { Envelopes = [new(phone.Device, [7])] };
        Assert.Equal((int)ErrorCode.ClientIdReused, (await Person.ErrorOf(ada.Hub.SendToDevicesAsync(other, Cancellation))).Code);

        await ada.Client.RevokeDeviceAsync(phone.Device, Cancellation);
        await ada.Hub.SendToDevicesAsync(request, Cancellation);
    }

    [Fact]
    public async Task Only_live_devices_of_ones_own_and_of_contacts_are_reached_and_all_or_none()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await using var tablet = await ada.OnAnotherDeviceAsync();
        await using var stranger = await Person.JoinAsync(server.Address);
        await ada.Client.RevokeDeviceAsync(tablet.Device, Cancellation);
        var unknown = new DeviceId(Guid.Parse("0190a000-0000-7000-8000-000000000099"));
        foreach (var device in new[] { stranger.Device, tablet.Device, ada.Device, unknown })
        {
            var request = new SendToDevicesRequest([new(phone.Device, s_body), new(device, s_body)], TestGroup.NewClientId());
            var error = await Person.ErrorOf(ada.Hub.SendToDevicesAsync(request, Cancellation));
            Assert.Equal((int)ErrorCode.DeviceUnreachable, error.Code);
            Assert.Contains(device.ToString(), error.Details!["devices"].ToString());
            Assert.DoesNotContain(phone.Device.ToString(), error.Details["devices"].ToString());
        }

        Assert.Empty((await phone.Hub.PullDeviceAsync(Cancellation)).Messages);
        var group = await TestGroup.GroupAsync(ada, stranger);
        await ada.Hub.SendToDevicesAsync(new([new(stranger.Device, s_body)], TestGroup.NewClientId()), Cancellation);
        await stranger.Client.LeaveAsync(group.Id, Cancellation);
        Assert.Equal((int)ErrorCode.DeviceUnreachable, (await Person.ErrorOf(ada.Hub.SendToDevicesAsync(
            new([new(stranger.Device, s_body)], TestGroup.NewClientId()), Cancellation))).Code);
    }

    [Fact]
    public async Task A_full_queue_takes_no_more_until_something_is_acknowledged()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        await using var fill = server.DataSource.CreateCommand(
            """
            insert into device_message (id, device_id, kind, seq, body, from_account, from_device, client_id)
            select gen_random_uuid(), $1, 2, 0, '\x01', $2, $3, gen_random_uuid() from generate_series(1, $4)
            """);
        fill.Parameters.Add(new NpgsqlParameter { Value = phone.Device.Value });
        fill.Parameters.Add(new NpgsqlParameter { Value = ada.Id.Value });
        fill.Parameters.Add(new NpgsqlParameter { Value = ada.Device.Value });
        fill.Parameters.Add(new NpgsqlParameter { Value = Limits.PairwiseWaiting - 1 });
        await fill.ExecuteNonQueryAsync(Cancellation);
        var last = new SendToDevicesRequest([new(phone.Device, s_body)], TestGroup.NewClientId());
        await ada.Hub.SendToDevicesAsync(last, Cancellation);
        var more = new SendToDevicesRequest([new(phone.Device, s_body)], TestGroup.NewClientId());
        var error = await Person.ErrorOf(ada.Hub.SendToDevicesAsync(more, Cancellation));
        Assert.Equal(((int)ErrorCode.DeviceQueueFull, true), (error.Code, error.Retryable));
        await ada.Hub.SendToDevicesAsync(last, Cancellation);

        var page = await phone.Hub.PullDeviceAsync(Cancellation);
        await phone.Hub.AckDeviceAsync(new([page.Messages[0].Id]), Cancellation);
        await ada.Hub.SendToDevicesAsync(more, Cancellation);
    }

    [Fact]
    public async Task What_is_out_of_bounds_is_refused()
    {
        await using var ada = await Person.JoinAsync(server.Address);
        await using var phone = await ada.OnAnotherDeviceAsync();
        DeviceEnvelope[] many = [.. Enumerable.Range(0, Limits.PairwisePerRequest + 1).Select(
            _ => new DeviceEnvelope(new(TestGroup.NewClientId().Value), s_body))];
        (DeviceEnvelope[] Envelopes, ErrorCode Code)[] cases =
        [
            ([], ErrorCode.InvalidArgument),
            (many, ErrorCode.InvalidArgument),
            ([new(phone.Device, s_body), new(phone.Device, s_body)], ErrorCode.InvalidArgument),
            ([new(phone.Device, [])], ErrorCode.InvalidArgument),
            ([new(phone.Device, new byte[Limits.PairwiseBytes + 1])], ErrorCode.TooLarge),
            ([.. many.Take(5).Select(one => one with { Body = new byte[Limits.PairwiseBytes] })], ErrorCode.TooLarge),
        ];
        foreach (var (envelopes, code) in cases)
        {
            var error = await Person.ErrorOf(
                ada.Hub.SendToDevicesAsync(new(envelopes, TestGroup.NewClientId()), Cancellation));
            Assert.Equal((int)code, error.Code);
        }

        await ada.Hub.SendToDevicesAsync(
            new([new(phone.Device, new byte[Limits.PairwiseBytes])], TestGroup.NewClientId()), Cancellation);
    }

    [Fact]
    public async Task It_reaches_a_device_on_another_node()
    {
        await using var redis = await RedisProcess.StartNewAsync();
        await using var nodes = await TwoNodes.OverRedisAsync(server.ConnectionString, redis);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var phone = await ada.OnAnotherDeviceAsync(nodes.B.Address);
        await ada.Hub.SendToDevicesAsync(new([new(phone.Device, s_body)], TestGroup.NewClientId()), Cancellation);
        Assert.Equal(s_body, (await phone.DeviceMessages.FirstAsync(_ => true)).Body);
    }

    [Fact]
    public async Task It_reaches_a_device_on_another_node_that_was_not_told()
    {
        await using var nodes = await TwoNodes.StartAsync(server.ConnectionString, redis: "", headCheckMs: 100);
        await using var ada = await Person.JoinAsync(nodes.A.Address);
        await using var phone = await ada.OnAnotherDeviceAsync(nodes.B.Address);
        await ada.Hub.SendToDevicesAsync(new([new(phone.Device, s_body)], TestGroup.NewClientId()), Cancellation);
        var found = await phone.DeviceMessages.FirstAsync(_ => true);
        Assert.Equal((ada.Id, ada.Device), (found.FromAccount, found.FromDevice));
    }

    private static async Task AcknowledgeAllAsync(Person person)
    {
        var page = await person.Hub.PullDeviceAsync(Cancellation);
        await person.Hub.AckDeviceAsync(new([.. page.Messages.Select(message => message.Id)]), Cancellation);
    }
}
