using System.Net;
using ChatPay.Core.Protocol;
using ChatPay.Server.Vault;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Builds the server: the one way in for the program, for its commands and for tests. What the features add and map stands
/// in <see cref="Program"/>.
/// </summary>
internal static class ServerHost
{
    /// <summary>
    /// The loopback address: a browser gives pages their cryptography there, and elsewhere only over TLS.
    /// </summary>
    private const string DefaultUrl = "http://localhost:5080";

    /// <param name="settings">Configuration keys and values that win over files and environment.</param>
    /// <param name="environment">"Development" or "Production"; null asks ASPNETCORE_ENVIRONMENT.</param>
    public static WebApplicationBuilder CreateBuilder(
        IEnumerable<KeyValuePair<string, string?>> settings, string? environment = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment });

        // Below everything that files and environment say, so all of it can be changed there.
        builder.Configuration.Sources.Insert(0, new Microsoft.Extensions.Configuration.Memory.MemoryConfigurationSource
        {
            InitialData = new Dictionary<string, string?>(StringComparer.Ordinal)
            {
                ["urls"] = DefaultUrl,
                ["Logging:LogLevel:Default"] = "Information",
                ["Logging:LogLevel:Microsoft.AspNetCore"] = "Warning",
                ["Logging:LogLevel:Microsoft.AspNetCore.DataProtection"] = "Error",
                ["Logging:LogLevel:Microsoft.Hosting.Lifetime"] = "Warning",
                ["Logging:LogLevel:Npgsql"] = "Warning",
            },
        });
        AddSecrets(builder.Configuration);
        builder.Configuration.AddInMemoryCollection(settings);
        builder.Logging.ClearProviders();
        LogToConsole(builder.Logging);
        builder.AddTelemetry();
        builder.Services.AddValidatedOptions<HostingOptions>(HostingOptions.Section);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<IdFactory>();
        builder.Services.AddSingleton<Draining>();

        // The program itself hears the signals; the usual lifetime would stop everything before the node is drained.
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.Services.ConfigureHttpJsonOptions(json => ProtocolJson.Configure(json.SerializerOptions));
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.AddOptions<HostOptions>().Configure<IOptions<HostingOptions>>((host, hosting) =>
            host.ShutdownTimeout = TimeSpan.FromSeconds(hosting.Value.ShutdownTimeoutSeconds));
        builder.Services.AddDataProtection().PersistNowhere();
        builder.AddRequestLimits();
        builder.AddChatPayOpenApi();
        if (RoleOf(builder.Configuration) == HostRole.Realm)
        {
            builder.Services.AddRealmRole();
        }
        else
        {
            Program.AddFeatures(builder.Services);
        }

        return builder;
    }

    /// <summary>Before the host is built there is no options machinery; it checks the same value when it is.</summary>
    public static HostRole RoleOf(IConfiguration configuration) =>
        configuration.GetValue<HostRole>($"{HostingOptions.Section}:{nameof(HostingOptions.Role)}");

    public static WebApplication Build(WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return RoleOf(builder.Configuration) == HostRole.Realm ? BuildRealm(builder) : BuildServer(builder);
    }

    private static WebApplication BuildRealm(WebApplicationBuilder builder)
    {
        var app = builder.Build();
        app.UseSpanNames();
        UseTrustedProxies(app);
        app.UseSecurityHeaders();
        app.UseErrorEdge();
        app.UseOriginCheck();
        app.UseRouting();
        app.UseRealmRole();
        app.UseRateLimiter();
        app.MapRealmRole(app.MapGroup("/v1").WithErrors());
        return app;
    }

    private static WebApplication BuildServer(WebApplicationBuilder builder)
    {
        var app = builder.Build();
        app.UseSpanNames();
        UseTrustedProxies(app);
        app.UseSecurityHeaders();
        app.UseErrorEdge();
        app.UseOriginCheck();
        app.UseRouting();
        app.UseWebClient();
        Program.UseFeatures(app);
        app.UseRateLimiter();
        app.MapHealth();
        app.MapOpenApi("/openapi/{documentName}.json");
        Program.MapFeatures(app, app.MapGroup("/v1").WithErrors());
        return app;
    }

    /// <summary>One line per message, with the time in UTC; never content, keys, or amounts with identities.</summary>
    public static void LogToConsole(ILoggingBuilder logging) => logging.AddSimpleConsole(console =>
    {
        console.SingleLine = true;
        console.UseUtcTimestamp = true;
        console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        console.ColorBehavior = LoggerColorBehavior.Disabled;
    });

    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }

    private static void AddSecrets(ConfigurationManager configuration)
    {
        if (configuration[$"{HostingOptions.Section}:{nameof(HostingOptions.SecretsFolder)}"] is not { Length: > 0 } folder)
        {
            return;
        }

        var path = Path.GetFullPath(folder);
        if (!Directory.Exists(path))
        {
            throw new StartupException($"There is no folder {path}, which Hosting:SecretsFolder names.");
        }

        configuration.AddKeyPerFile(path);
    }

    private static void UseTrustedProxies(WebApplication app)
    {
        var proxies = app.Services.GetRequiredService<IOptions<HostingOptions>>().Value.TrustedProxies;
        if (proxies.Count == 0)
        {
            return;
        }

        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
        };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var proxy in proxies)
        {
            if (IPAddress.TryParse(proxy, out var address))
            {
                options.KnownProxies.Add(address);
            }
            else if (System.Net.IPNetwork.TryParse(proxy, out var network))
            {
                options.KnownIPNetworks.Add(network);
            }
            else
            {
                throw new StartupException($"Hosting:TrustedProxies holds {proxy}, which is neither an address nor a "
                    + "network like 10.0.0.0/8.");
            }
        }

        app.UseForwardedHeaders(options);
    }
}
