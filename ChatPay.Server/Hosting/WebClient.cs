using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Hosting;

/// <summary>Serves the built web client: files by name, and its one page for every address of the client's own.</summary>
internal static partial class WebClient
{
    private const string Page = "index.html";
    private const string Immutable = "public, max-age=31536000, immutable";

    /// <summary>Asked again every time, answered with 304 when nothing changed.</summary>
    private const string Revalidate = "no-cache";

    /// <summary>Below these the server itself answers; a wrong address there is an error and not a page.</summary>
    private static readonly PathString[] s_reserved = ["/v1", "/hub", "/health", "/openapi"];

    public static void UseWebClient(this WebApplication app)
    {
        var logger = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(WebClient).FullName!);
        var configured = app.Services.GetRequiredService<IOptions<HostingOptions>>().Value.WebFolder;
        var folder = Find(configured);
        if (folder is null)
        {
            Log.Missing(logger);
            return;
        }

        var files = new PhysicalFileProvider(folder);
        app.Lifetime.ApplicationStopped.Register(files.Dispose);
        var types = new FileExtensionContentTypeProvider();
        types.Mappings[".webmanifest"] = "application/manifest+json";
        var options = new StaticFileOptions
        {
            FileProvider = files,
            ContentTypeProvider = types,
            OnPrepareResponse = file => file.Context.Response.Headers.CacheControl =
                file.Context.Request.Path.StartsWithSegments("/assets", StringComparison.Ordinal)
                    ? Immutable
                    : Revalidate,
        };

        // The build names assets after their content; the page names the assets, so it alone is asked for again.
        app.Use((context, next) =>
        {
            if (IsPage(context.Request) && context.GetEndpoint() is null)
            {
                context.Request.Path = "/" + Page;
            }

            return next(context);
        });
        app.UseStaticFiles(options);
    }

    private static bool IsPage(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
        && !Array.Exists(s_reserved, prefix => request.Path.StartsWithSegments(prefix, StringComparison.OrdinalIgnoreCase))
        && !Path.HasExtension(request.Path.Value);

    private static string? Find(string configured)
    {
        if (configured.Length > 0)
        {
            return HoldsPage(configured) ?? throw new StartupException(
                $"There is no {Page} in {configured}, the folder named by Hosting:WebFolder.");
        }

        if (HoldsPage(Path.Combine(AppContext.BaseDirectory, "wwwroot")) is { } beside)
        {
            return beside;
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (HoldsPage(Path.Combine(folder.FullName, "web", "dist")) is { } built)
            {
                return built;
            }
        }

        return null;
    }

    private static string? HoldsPage(string folder) =>
        File.Exists(Path.Combine(folder, Page)) ? Path.GetFullPath(folder) : null;

    private static partial class Log
    {
        [LoggerMessage(211, LogLevel.Warning,
            "The web client is not built, so only the API is served; run: npm ci --prefix web && npm run build --prefix web")]
        public static partial void Missing(ILogger logger);
    }
}
