using ChatPay.Core.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ChatPay.Tests.Support;

/// <summary>
/// Stands before everything that the server does with a request: a test answers in its place, or has it wait.
/// </summary>
internal sealed class HttpFault : IStartupFilter
{
    /// <summary>Is given every request, and what carries it out; null for nobody.</summary>
    public Func<HttpContext, Func<Task>, Task>? Around { get; set; }

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use((context, carryOut) =>
            Around is { } around ? around(context, () => carryOut(context)) : carryOut(context));
        next(app);
    };

    /// <summary>For <see cref="TestServer.StartAsync"/>.</summary>
    public void AddTo(IServiceCollection services) => services.AddSingleton<IStartupFilter>(this);

    /// <summary>
    /// The server does as it is asked, and its answer is lost: what the test says comes in its place.
    /// </summary>
    public static async Task LoseAnswerAsync(HttpContext context, Func<Task> carryOut)
    {
        var body = context.Response.Body;
        context.Response.Body = Stream.Null;
        await carryOut();
        context.Response.Body = body;
        context.Response.Clear();
    }

    /// <summary>The server's answer to something that it refuses.</summary>
    public static async Task RefuseAsync(HttpContext context, ErrorCode code, string name, int? retryAfterMs = null)
    {
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        context.Response.ContentType = "application/problem+json";
        var (retryable, details) = retryAfterMs is { } ms ? ("true", $$"""{"retryAfterMs":{{ms}}}""") : ("false", "{}");
        await context.Response.WriteAsync(
            $$"""
            {"code":{{(int)code}},"name":"{{name}}","detail":"As the test has it.","retryable":{{retryable}},
            "details":{{details}}}
            """);
    }
}
