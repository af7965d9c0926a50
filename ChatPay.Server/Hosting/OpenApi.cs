using Microsoft.OpenApi;

namespace ChatPay.Server.Hosting;

/// <summary>The REST half of the protocol, described for machines at <c>/openapi/v1.json</c>.</summary>
internal static class OpenApi
{
    public static void AddChatPayOpenApi(this WebApplicationBuilder builder) =>
        builder.Services.AddOpenApi("v1", options => options.AddDocumentTransformer((document, _, _) =>
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
                ["bearer"] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http,
                    Scheme = "bearer",
                    Description = "The token of a sign-up or sign-in; browsers use the cookie instead.",
                },
            };
            return Task.CompletedTask;
        }));
}
