using System.Net.Http.Json;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>Stands in front of a realm and changes one bit of every proof that it gives.</summary>
internal sealed class LyingRealm : IAsyncDisposable
{
    private const int ProofBytes = 64;

    private readonly WebApplication _app;
    private readonly HttpClient _truth;

    private LyingRealm(WebApplication app, HttpClient truth)
    {
        _app = app;
        _truth = truth;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
    }

    public Uri Address { get; }

    public static async Task<LyingRealm> StartAsync(Uri realm)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        var truth = new HttpClient { BaseAddress = realm };
        var app = builder.Build();
        app.MapFallback(context => PassOnAsync(context, truth));
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new LyingRealm(app, truth);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _truth.Dispose();
    }

    private static async Task PassOnAsync(HttpContext context, HttpClient truth)
    {
        using var asked = new HttpRequestMessage(new HttpMethod(context.Request.Method), context.Request.Path.Value!);
        asked.Headers.TryAddWithoutValidation("Authorization", context.Request.Headers.Authorization.ToString());
        if (HttpMethods.IsPost(context.Request.Method))
        {
            var message = await context.Request.ReadFromJsonAsync<VaultExchange>(ProtocolJson.Create(), context.RequestAborted);
            asked.Content = JsonContent.Create(message, options: ProtocolJson.Create());
        }

        using var answer = await truth.SendAsync(asked, context.RequestAborted);
        context.Response.StatusCode = (int)answer.StatusCode;
        context.Response.ContentType = "application/json";
        if (answer.IsSuccessStatusCode && HttpMethods.IsPost(context.Request.Method))
        {
            var exchange = (await answer.Content.ReadFromJsonAsync<VaultExchange>(
                ProtocolJson.Create(), context.RequestAborted))!;
            if (exchange.Message[1] == (byte)VaultMessageType.Recover2Response)
            {
                exchange.Message[^ProofBytes] ^= 1;
            }

            await context.Response.WriteAsJsonAsync(exchange, ProtocolJson.Create(), context.RequestAborted);
            return;
        }

        await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
    }
}
