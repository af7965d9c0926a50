using System.CommandLine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ChatPay.LoadTest.Baselines;

/// <summary>The hidden command that hosts a relay, so that a baseline has a process of its own as the server has.</summary>
internal static class RelayCommand
{
    public const string Name = "relay";
    public const string WebSocket = "websocket";
    public const string SignalR = "signalr";
    public const string Ready = "The relay is ready: ";

    public static Command Create()
    {
        var kind = new Argument<string>("kind");
        kind.AcceptOnlyFromAmong(WebSocket, SignalR);
        var command = new Command(Name, "Host a baseline.") { kind };
        command.Hidden = true;
        command.SetAction((parsed, stop) => ServeAsync(parsed.GetValue(kind)!, stop));
        return command;
    }

    /// <summary>Serves until it is told to stop, or until whoever started it is gone and its standard input ends.</summary>
    private static async Task<int> ServeAsync(string kind, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Configuration["urls"] = "http://127.0.0.1:0";
        if (kind == SignalR)
        {
            builder.Services.AddSignalR();
        }

        await using var app = builder.Build();
        if (kind == SignalR)
        {
            SignalRRelay.Map(app);
        }
        else
        {
            WebSocketRelay.Map(app);
        }

        await app.StartAsync(cancellationToken);
        var addresses = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        await Console.Out.WriteLineAsync(Ready + addresses.First());
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        _ = Task.Run(
            async () =>
            {
                await Console.In.ReadToEndAsync(CancellationToken.None);
                await left.CancelAsync();
            },
            CancellationToken.None);
        await app.WaitForShutdownAsync(left.Token);
        return 0;
    }
}
