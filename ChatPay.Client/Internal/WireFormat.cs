using System.Net.Http.Json;
using System.Text.Json;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>How answers and errors are read.</summary>
internal static class WireFormat
{
    /// <summary>
    /// Largest message or answer that is taken in, in bytes. The largest that a server has reason for, a page of views
    /// of full groups with everybody's marks, is a little smaller.
    /// </summary>
    public const int MaxAnswerBytes = 128 * 1024 * 1024;

    public static readonly JsonSerializerOptions Json = Create();

    /// <summary>
    /// As the protocol has it, but that a name that a newer server has for something is no reason to read nothing at
    /// all.
    /// </summary>
    public static void Configure(JsonSerializerOptions options)
    {
        ProtocolJson.Configure(options);
        options.Converters.Insert(0, new NewerNames());
    }

    /// <summary>The numbered error of a problem details answer; a proxy's own page counts as unavailable.</summary>
    public static async Task<ErrorBody> ReadErrorAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json"
            && await response.Content.ReadFromJsonAsync<Problem>(Json, cancellationToken) is { Code: > 0 } problem)
        {
            return new(
                problem.Code, problem.Name ?? "", problem.Detail ?? "", problem.Retryable, problem.Details);
        }

        return ErrorBody.From(new Error(
            ErrorCode.Unavailable, $"The server answered {(int)response.StatusCode} without saying why."));
    }

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions();
        Configure(options);
        options.MakeReadOnly();
        return options;
    }

    private sealed record Problem(
        int Code = 0, string? Name = null, string? Detail = null, bool Retryable = false,
        Dictionary<string, object>? Details = null);
}
