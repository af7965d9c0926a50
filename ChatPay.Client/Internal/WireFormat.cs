using System.Net.Http.Json;
using System.Text.Json;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>How answers and errors are read.</summary>
internal static class WireFormat
{
    public static readonly JsonSerializerOptions Json = ProtocolJson.Create();

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

    private sealed record Problem(
        int Code = 0, string? Name = null, string? Detail = null, bool Retryable = false,
        Dictionary<string, object>? Details = null);
}
