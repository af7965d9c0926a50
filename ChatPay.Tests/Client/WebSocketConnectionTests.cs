using System.Net.WebSockets;
using ChatPay.Client.Internal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Client;

/// <summary>What a server sends is taken in up to a bound.</summary>
public sealed class WebSocketConnectionTests
{
    private const int MaxBytes = 100_000;
    private const byte Separator = 0x1e;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory(Timeout = 30_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_message_that_does_not_end_ends_the_connection_and_many_that_do_are_taken(bool ends)
    {
        const int Frames = 200;
        var frame = new byte[4096];
        frame[1000] = ends ? Separator : (byte)' ';
        var builder = WebApplication.CreateSlimBuilder();
        await using var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.UseWebSockets();
        app.Run(async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            try
            {
                for (var i = 0; i < Frames; i++)
                {
                    await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, Cancellation);
                }

                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, Cancellation);
                await socket.ReceiveAsync(new byte[1].AsMemory(), Cancellation);
            }
            catch (WebSocketException)
            {
                // Whoever was to read it has gone.
            }
        });
        await app.StartAsync(Cancellation);
        var address = new Uri(app.Services.GetRequiredService<IServer>()
            .Features.Get<IServerAddressesFeature>()!.Addresses.First());
        var target = new HubEndPoint(new UriBuilder(address) { Scheme = "ws" }.Uri, "token");
        await using var connection = await new WebSocketConnectionFactory(MaxBytes).ConnectAsync(target, Cancellation);
        var (taken, input) = (0L, connection.Transport.Input);
        var failure = await Record.ExceptionAsync(async () =>
        {
            while (true)
            {
                var read = await input.ReadAsync(Cancellation);
                taken += read.Buffer.Length;
                input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    return;
                }
            }
        });
        if (ends)
        {
            Assert.Null(failure);
            Assert.Equal(Frames * (long)frame.Length, taken);
        }
        else
        {
            Assert.IsType<IOException>(failure);
            Assert.InRange(taken, 0, MaxBytes);
        }
    }
}
