using System.Text.Json;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Realtime;

public sealed class HubErrorTests(ServerFixture server) : IClassFixture<ServerFixture>
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("NoSuchMethod", "[]", ErrorCode.UnknownMethod)]
    [InlineData("OnConnectedAsync", "[]", ErrorCode.UnknownMethod)]
    [InlineData("Send", "[]", ErrorCode.MalformedRequest)]
    [InlineData("Send", "[null]", ErrorCode.MalformedRequest)]
    [InlineData("Send", "[{}]", ErrorCode.MalformedRequest)]
    [InlineData("Send", "[1]", ErrorCode.MalformedRequest)]
    [InlineData("Send", "[{},{}]", ErrorCode.MalformedRequest)]
    [InlineData("Sync", """[{"after":[null]}]""", ErrorCode.InvalidArgument)]
    [InlineData("Mark", """[{"marks":null}]""", ErrorCode.MalformedRequest)]
    [InlineData("Mark", """[{"marks":[null]}]""", ErrorCode.InvalidArgument)]
    public async Task A_call_that_does_not_fit_gets_a_numbered_error(string method, string arguments, ErrorCode code)
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        using var hub = await RawHub.ConnectAsync(server.Address, ada.Client.Token!);
        await hub.HelloAsync(ada.Device);

        var completion = await hub.CallAsync(method, arguments);
        AssertError(completion.GetProperty("result").GetProperty("error"), code);
        Assert.False(completion.TryGetProperty("error", out _));
        Assert.False(completion.GetProperty("result").TryGetProperty("ok", out _));
    }

    [Theory]
    [InlineData("{", ErrorCode.MalformedRequest)]
    [InlineData("[]", ErrorCode.MalformedRequest)]
    [InlineData("""{"type":"one"}""", ErrorCode.MalformedRequest)]
    [InlineData("""{"type":1,"invocationId":"1"}""", ErrorCode.MalformedRequest)]
    public async Task A_frame_that_nobody_can_read_closes_with_a_numbered_error(string frame, ErrorCode code)
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        using var hub = await RawHub.ConnectAsync(server.Address, ada.Client.Token!);
        await hub.SendAsync(frame);
        await AssertClosedAsync(hub, code);
    }

    [Fact]
    public async Task A_frame_beyond_the_limit_closes_with_too_large()
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        using var hub = await RawHub.ConnectAsync(server.Address, ada.Client.Token!);
        await hub.SendAsync($$"""{"type":1,"target":"Hello","arguments":["{{new string('x', Limits.HubFrameBytes)}}"]}""");
        await AssertClosedAsync(hub, ErrorCode.TooLarge);
    }

    [Fact]
    public async Task Hello_comes_first_from_the_right_device_in_the_right_version()
    {
        await using var ada = await Person.SignUpAsync(server.Address);
        await ada.OpenAsync();
        var hello = new HelloRequest(ada.Device, Limits.ProtocolVersion, [], null, []);
        var cases = new (ErrorCode Code, Task Call)[]
        {
            (ErrorCode.HelloFirst, ada.Hub.PullDeviceAsync(Cancellation)),
            (ErrorCode.WrongDevice, ada.Hub.HelloAsync(hello with { Device = new(ada.Id.Value) }, Cancellation)),
            (ErrorCode.UpgradeRequired, ada.Hub.HelloAsync(hello with { Protocol = 99 }, Cancellation)),
            (ErrorCode.HelloFirst, ada.Hub.PullDeviceAsync(Cancellation)),
        };
        foreach (var (code, call) in cases)
        {
            Assert.Equal(code, (ErrorCode)(await Person.ErrorOf(call)).Code);
        }
    }

    [Fact]
    public async Task Without_a_session_there_is_no_connection_and_nothing_is_negotiated()
    {
        using var http = server.CreateClient();
        Assert.Equal(401, (int)(await http.GetAsync(new Uri("hub", UriKind.Relative), Cancellation)).StatusCode);
        await using var ada = await Person.SignUpAsync(server.Address);
        http.DefaultRequestHeaders.Authorization = new("Bearer", ada.Client.Token);
        var negotiated = await http.PostAsync(new Uri("hub/negotiate", UriKind.Relative), null, Cancellation);
        Assert.Equal(404, (int)negotiated.StatusCode);
    }

    private static async Task AssertClosedAsync(RawHub hub, ErrorCode code)
    {
        var close = await hub.FrameAsync(7);
        AssertError(JsonDocument.Parse(close.GetProperty("error").GetString()!).RootElement, code);
    }

    private static void AssertError(JsonElement error, ErrorCode code)
    {
        Assert.Equal(code, (ErrorCode)error.GetProperty("code").GetInt32());
        Assert.Equal(ErrorCatalogue.NameOf(code), error.GetProperty("name").GetString());
        Assert.DoesNotContain("Exception", error.GetRawText(), StringComparison.Ordinal);
    }
}
