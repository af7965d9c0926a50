using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace ChatPay.Server.Hosting;

/// <summary>The REST half of the protocol, described for machines at <c>/openapi/v1.json</c>.</summary>
internal static class OpenApi
{
    private const string Bearer = "bearer";

    public static void AddChatPayOpenApi(this WebApplicationBuilder builder) =>
        builder.Services.AddOpenApi("v1", options =>
        {
            options.AddDocumentTransformer(DescribeAsync);
            options.AddOperationTransformer(DemandBearerAsync);
        });

    private static Task DescribeAsync(
        OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "ChatPay",
            Version = "v1",
            Description = "REST half of the protocol; the hub is described in docs/PROTOCOL.md. Bytes are base64, "
                + "amounts are decimal strings of minor units. Every error is problem details (RFC 9457) with the "
                + "members code, name, retryable and details; unknown members are ignored in both directions.",
        };
        document.Servers = [];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [Bearer] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "The token of a sign-up or sign-in; browsers use the cookie instead.",
            },
        };
        return Task.CompletedTask;
    }

    /// <summary>Operations behind authorisation say so, so that generated clients send the token.</summary>
    private static Task DemandBearerAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        if (context.Description.ActionDescriptor.EndpointMetadata.OfType<IAuthorizeData>().Any())
        {
            operation.Security = [new() { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] }];
        }

        return Task.CompletedTask;
    }
}
