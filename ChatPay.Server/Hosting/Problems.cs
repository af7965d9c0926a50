using System.Globalization;
using System.Reflection;
using System.Text.Json.Serialization;
using ChatPay.Core.Protocol;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Http.Metadata;

namespace ChatPay.Server.Hosting;

/// <summary>An <see cref="Error"/> over HTTP: RFC 9457 problem details with the catalogue's members.</summary>
/// <param name="Type">A URN made of the name: stable, and no page behind it to keep.</param>
/// <param name="Title">The name in words, the same for every occurrence.</param>
/// <param name="Status">The HTTP status.</param>
/// <param name="Detail">One sentence for people.</param>
/// <param name="Code">The catalogue's number.</param>
/// <param name="Name">The catalogue's name, as stable as the number.</param>
/// <param name="Retryable">Whether the very same request may succeed later.</param>
/// <param name="Details">Machine-readable extras or null.</param>
internal sealed record ProblemBody(
    string Type, string Title, int Status, string Detail, int Code, string Name, bool Retryable,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    IReadOnlyDictionary<string, object>? Details)
{
    public const string ContentType = "application/problem+json";

    public static ProblemBody From(Error error)
    {
        var body = ErrorBody.From(error);
        return new ProblemBody(
            "urn:chatpay:error:" + body.Name, body.Name.Replace('_', ' '), ErrorCatalogue.HttpStatusOf(error.Code),
            body.Message, body.Code, body.Name, body.Retryable, body.Details);
    }
}

/// <summary>Writes an <see cref="Error"/>; the one way an error leaves over HTTP.</summary>
internal sealed class ErrorResult(Error error) : IResult, IStatusCodeHttpResult, IEndpointMetadataProvider
{
    public int? StatusCode => ErrorCatalogue.HttpStatusOf(error.Code);

    /// <summary>Every endpoint that may fail says so in OpenAPI; the codes themselves are in the catalogue.</summary>
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        Document(builder, [400, 403, 404, 409, 413, 415, 422]);
    }

    public static void Document(EndpointBuilder builder, ReadOnlySpan<int> statuses)
    {
        foreach (var status in statuses)
        {
            builder.Metadata.Add(
                new ProducesResponseTypeMetadata(status, typeof(ProblemBody), [ProblemBody.ContentType]));
        }
    }

    public Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        var body = ProblemBody.From(error);
        httpContext.Response.StatusCode = body.Status;
        httpContext.Response.Headers.CacheControl = "no-store";
        if (error.Details?.GetValueOrDefault("retryAfterMs") is int retryAfterMs)
        {
            var seconds = Math.Max(1, (retryAfterMs + 999) / 1000);
            httpContext.Response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        }

        return httpContext.Response.WriteAsJsonAsync(
            body, options: null, ProblemBody.ContentType, httpContext.RequestAborted);
    }
}

/// <summary>How an endpoint ends: <c>return (await service.DoAsync(…)).ToOk();</c></summary>
internal static class ResultExtensions
{
    /// <summary>Documents what any endpoint may answer, whatever it does.</summary>
    public static RouteGroupBuilder WithErrors(this RouteGroupBuilder group)
    {
        ((IEndpointConventionBuilder)group).Add(builder => ErrorResult.Document(builder, [401, 429, 500, 503]));
        return group;
    }

    public static Results<Ok<T>, ErrorResult> ToOk<T>(this Result<T> result) =>
        result.IsOk ? TypedResults.Ok(result.Value) : new ErrorResult(result.Error!);

    /// <param name="location">Where the new thing is, such as <c>/v1/conversations/…</c>.</param>
    public static Results<Created<T>, ErrorResult> ToCreated<T>(this Result<T> result, Func<T, string> location) =>
        result.IsOk ? TypedResults.Created(location(result.Value), result.Value) : new ErrorResult(result.Error!);

    public static Results<NoContent, ErrorResult> ToNoContent(this Result<Unit> result) =>
        result.IsOk ? TypedResults.NoContent() : new ErrorResult(result.Error!);
}
