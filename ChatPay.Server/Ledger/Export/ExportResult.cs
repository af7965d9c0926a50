using System.Reflection;
using Microsoft.AspNetCore.Http.Metadata;

namespace ChatPay.Server.Ledger;

/// <summary>Sends an export as a file of its own length; what fails half way breaks the connection, so it is noticed.</summary>
internal sealed class ExportResult(Export export, IDisposable place, TimeSpan timeout) : IResult, IEndpointMetadataProvider
{
    public static void PopulateMetadata(MethodInfo method, EndpointBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Metadata.Add(new ProducesResponseTypeMetadata(
            StatusCodes.Status200OK, typeof(Stream),
            [.. StatementFormat.All.Select(format => format.ContentType.Split(';')[0])]));
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        ArgumentNullException.ThrowIfNull(httpContext);
        using (place)
        {
            var response = httpContext.Response;
            response.ContentType = export.Format.ContentType;
            response.Headers.ContentDisposition = $"attachment; filename=\"{export.FileName}\"";
            response.Headers.CacheControl = "no-store";
            using var end = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted);
            end.CancelAfter(timeout);
            try
            {
                await export.WriteAsync(response.Body, end.Token);
            }
            catch (OperationCanceledException) when (end.IsCancellationRequested)
            {
                httpContext.Abort();
            }
        }
    }
}
