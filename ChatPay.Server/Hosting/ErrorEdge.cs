using ChatPay.Core.Protocol;
using ChatPay.Server.Database;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace ChatPay.Server.Hosting;

/// <summary>
/// The last stop of everything that went wrong on the way to or from an endpoint: whatever it was, the client gets an entry
/// of the catalogue, and never a stack trace, a piece of SQL or a path.
/// </summary>
internal static partial class ErrorEdge
{
    private static readonly Error s_unavailable =
        new(ErrorCode.Unavailable, "The server cannot do this right now. Try again in a moment.");

    /// <summary>Outermost but for the security headers, which errors carry too.</summary>
    public static void UseErrorEdge(this WebApplication app)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ErrorEdge).FullName!);
        app.Use((context, next) => GuardAsync(context, next, logger));

        // What routing and binding refuse with an empty answer.
        app.UseStatusCodePages(pages => WriteAsync(pages.HttpContext, OfStatus(pages.HttpContext.Response.StatusCode)));
    }

    /// <summary>The catalogue's error for an exception that reached the edge.</summary>
    public static Error OfException(Exception exception) => exception switch
    {
        BadHttpRequestException bad => OfStatus(bad.StatusCode),
        TimeoutException => s_unavailable,
        _ when DatabaseTrouble.IsPassing(exception) => s_unavailable,
        _ => new Error(ErrorCode.Internal, "Something went wrong on our side. It has been noted."),
    };

    private static Error OfStatus(int status) => status switch
    {
        400 => new Error(ErrorCode.MalformedRequest, "The request is not well-formed."),
        401 => new Error(ErrorCode.Unauthenticated, "Sign in first."),
        403 => new Error(ErrorCode.ForbiddenOrigin, "This is not allowed from here."),
        404 => new Error(ErrorCode.NotFound, "There is nothing here."),
        405 => new Error(ErrorCode.MethodNotAllowed, "This method is not allowed here."),
        408 => new Error(ErrorCode.Unavailable, "The request took too long to arrive."),
        413 => new Error(ErrorCode.TooLarge, "The request is too large."),
        415 => new Error(ErrorCode.UnsupportedMediaType, "The request's content type is not supported here."),
        426 => new Error(ErrorCode.UpgradeRequired, "This version of the client is too old."),
        429 => new Error(ErrorCode.TooManyRequests, "Too many requests. Wait a little."),
        503 => s_unavailable,
        >= 500 => new Error(ErrorCode.Internal, "Something went wrong on our side. It has been noted."),
        _ => new Error(ErrorCode.MalformedRequest, "The request is not well-formed."),
    };

    private static async Task GuardAsync(HttpContext context, RequestDelegate next, ILogger logger)
    {
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; nobody reads an answer.
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            context.RequestServices.GetRequiredService<NpgsqlDataSource>().ForgetTainted(exception);
            var error = OfException(exception);
            if (error.Code is ErrorCode.Internal or ErrorCode.Unavailable)
            {
                Log.Failed(logger, context.GetEndpoint()?.DisplayName ?? "no endpoint", exception);
            }

            context.Response.Clear();
            SecurityHeaders.Apply(context);
            await WriteAsync(context, error);
        }
    }

    private static async Task WriteAsync(HttpContext context, Error error)
    {
        // Another handler must not answer for this one.
        if (context.Features.Get<IStatusCodePagesFeature>() is { } pages)
        {
            pages.Enabled = false;
        }

        await new ErrorResult(error).ExecuteAsync(context);
    }

    private static partial class Log
    {
        [LoggerMessage(201, LogLevel.Error, "The request for {Endpoint} failed.")]
        public static partial void Failed(ILogger logger, string endpoint, Exception exception);
    }
}
