using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChatPay.Tests.Support;

/// <summary>
/// A collector that takes OTLP, over HTTP or gRPC, and keeps the bodies. Their protobuf is not decoded: names and values are
/// in it as UTF-8, which is all that a search for them needs.
/// </summary>
internal sealed class OtlpReceiver : IAsyncDisposable
{
    private const string Grpc = "/opentelemetry.proto.collector.";

    private static readonly Dictionary<string, string> s_signals = new(StringComparer.Ordinal)
    {
        ["/v1/metrics"] = "metrics",
        ["/v1/traces"] = "traces",
        ["/v1/logs"] = "logs",
        [Grpc + "metrics.v1.MetricsService/Export"] = "metrics",
        [Grpc + "trace.v1.TraceService/Export"] = "traces",
        [Grpc + "logs.v1.LogsService/Export"] = "logs",
    };

    private readonly ConcurrentDictionary<string, StringBuilder> _bodies = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private OtlpReceiver(WebApplication app) => _app = app;

    public string Address => _app.Services.GetRequiredService<IServer>()
        .Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <param name="protocols">HTTP/2 alone for gRPC, which has no other word than that for it without TLS.</param>
    public static async Task<OtlpReceiver> StartAsync(
        CancellationToken cancellationToken, HttpProtocols protocols = HttpProtocols.Http1)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = protocols));
        var receiver = new OtlpReceiver(builder.Build());
        receiver._app.Run(receiver.TakeAsync);
        await receiver._app.StartAsync(cancellationToken);
        return receiver;
    }

    /// <summary>Everything that came for "metrics", "traces" or "logs", byte by byte.</summary>
    public string Received(string signal)
    {
        var body = _bodies.GetOrAdd(signal, _ => new StringBuilder());
        lock (body)
        {
            return body.ToString();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }

    private async Task TakeAsync(HttpContext context)
    {
        using var bytes = new MemoryStream();
        await context.Request.Body.CopyToAsync(bytes, context.RequestAborted);
        var path = context.Request.Path.Value!;
        var body = _bodies.GetOrAdd(s_signals.GetValueOrDefault(path, path), _ => new StringBuilder());
        lock (body)
        {
            body.Append(Encoding.Latin1.GetString(bytes.ToArray()));
        }

        if (HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            // An empty message, and that all is well.
            context.Response.ContentType = "application/grpc";
            await context.Response.Body.WriteAsync(new byte[5], context.RequestAborted);
            context.Response.AppendTrailer("grpc-status", "0");
        }
    }
}
