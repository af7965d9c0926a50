using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http.Features;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Metrics, traces and logs over OTLP, for whoever names a collector; nobody listens otherwise and an instrument costs
/// nothing. What leaves the process says how many, how long and what went wrong, never content, keys, tokens, or
/// amounts with identities.
/// </summary>
internal static class Telemetry
{
    /// <summary>What every ChatPay meter's name begins with.</summary>
    public const string MeterPrefix = "ChatPay.";

    /// <summary>Where SignalR's spans of hub calls come from.</summary>
    public const string HubSource = "Microsoft.AspNetCore.SignalR.Server";

    private const string AnyEndpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>ChatPay's meters, and those that framework, runtime and database driver have built in.</summary>
    private static readonly string[] s_meters =
    [
        MeterPrefix + "*", "Npgsql", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.RateLimiting",
        "Microsoft.AspNetCore.Server.Kestrel",
    ];

    /// <summary>Requests, hub calls and queries have activities built in; the write path has its own.</summary>
    private static readonly string[] s_sources =
    [
        MeterPrefix + "*", "Npgsql", "Microsoft.AspNetCore", HubSource,
    ];

    /// <summary>From a commit on a local disk to a client that has all but gone.</summary>
    private static readonly double[] s_milliseconds =
        [0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000];

    private static readonly double[] s_counts = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096];

    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        builder.Services.AddValidatedOptions<TelemetryOptions>(TelemetryOptions.Section);
        var configuration = builder.Configuration;
        RequireAddress(configuration);
        if (IsOn(configuration, "LOGS"))
        {
            // No scopes: they hold request paths and connection ids.
            builder.Logging.AddOpenTelemetry(logging =>
            {
                logging.IncludeFormattedMessage = true;
                logging.SetResourceBuilder(Resource());
                logging.AddOtlpExporter(exporter => Configure(exporter, Options(configuration), "logs"));
            });
        }

        if (IsOn(configuration, "METRICS") || IsOn(configuration, "TRACES"))
        {
            // Before the features' own services, so that it hears them start and is the last to stop.
            builder.Services.AddHostedService(_ => new TelemetryPipeline(
                IsOn(configuration, "METRICS") ? () => Metrics(Options(configuration)) : null,
                IsOn(configuration, "TRACES") ? () => Traces(Options(configuration)) : null));
            builder.Services.AddHostedService<HealthWatch>();
        }
    }

    /// <summary>
    /// First of all middleware: names a request's span after its route. The framework leaves that to a package, and a span
    /// without it says only that something was asked.
    /// </summary>
    public static void UseSpanNames(this WebApplication app)
    {
        if (!IsOn((ConfigurationManager)app.Configuration, "TRACES"))
        {
            return;
        }

        app.Use(async (context, next) =>
        {
            await next(context);
            if (context.Features.Get<IHttpActivityFeature>()?.Activity is { IsAllDataRequested: true } span)
            {
                var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
                span.DisplayName = route is null ? context.Request.Method : $"{context.Request.Method} {route}";
                span.SetTag("http.request.method", context.Request.Method);
                span.SetTag("http.response.status_code", context.Response.StatusCode);
                span.SetTag("http.route", route);
            }
        });
    }

    private static MeterProvider Metrics(TelemetryOptions options) => Sdk.CreateMeterProviderBuilder()
        .SetResourceBuilder(Resource())
        .AddMeter(s_meters)
        .AddView(Buckets)
        .AddOtlpExporter((exporter, reader) =>
        {
            Configure(exporter, options, "metrics");
            reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = options.MetricIntervalSeconds * 1000;
        })
        .Build();

    private static TracerProvider Traces(TelemetryOptions options)
    {
        // A caller may choose a trace's id, but not that it is recorded: the ratio is asked either way.
        var ratio = new TraceIdRatioBasedSampler(options.TraceSampleRatio);
        return Sdk.CreateTracerProviderBuilder()
            .SetResourceBuilder(Resource())
            .SetSampler(new ParentBasedSampler(ratio, ratio, ratio))
            .AddSource(s_sources)
            .AddProcessor(new SpanPrivacy())
            .AddOtlpExporter(exporter => Configure(exporter, options, "traces"))
            .Build();
    }

    /// <summary>Buckets that fit what ChatPay measures; others keep those that their makers advise.</summary>
    private static ExplicitBucketHistogramConfiguration? Buckets(Instrument instrument)
    {
        var isHistogram = instrument.GetType() is { IsGenericType: true } type
            && type.GetGenericTypeDefinition() == typeof(Histogram<>);
        return isHistogram && instrument.Meter.Name.StartsWith(MeterPrefix, StringComparison.Ordinal)
            ? new() { Boundaries = instrument.Unit == "ms" ? s_milliseconds : s_counts }
            : null;
    }

    /// <summary>OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come last and win.</summary>
    private static ResourceBuilder Resource() => ResourceBuilder.CreateEmpty()
        .AddService(
            "chatpay",
            serviceVersion: typeof(Telemetry).Assembly.GetName().Version?.ToString(3),
            autoGenerateServiceInstanceId: false,
            serviceInstanceId: FormattableString.Invariant($"{Environment.MachineName}-{Environment.ProcessId}"))
        .AddTelemetrySdk()
        .AddEnvironmentVariableDetector();

    /// <summary>Before anything starts: the exporter itself would fail later, and without a word.</summary>
    private static void RequireAddress(ConfigurationManager configuration)
    {
        foreach (var key in new[] { $"{TelemetryOptions.Section}:{nameof(TelemetryOptions.OtlpEndpoint)}", AnyEndpoint })
        {
            if (IsSet(configuration[key]) && !(Uri.TryCreate(configuration[key], UriKind.Absolute, out var endpoint)
                && endpoint.Scheme is "http" or "https"))
            {
                throw new StartupException($"{key} is no address; it looks like http://localhost:4317.");
            }
        }
    }

    private static bool IsOn(ConfigurationManager configuration, string signal) =>
        IsSet(configuration[$"{TelemetryOptions.Section}:{nameof(TelemetryOptions.OtlpEndpoint)}"])
        || IsSet(configuration[AnyEndpoint]) || IsSet(configuration[$"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT"]);

    private static bool IsSet(string? value) => !string.IsNullOrWhiteSpace(value);

    /// <summary>Read before the host is built; it checks the same values when it is.</summary>
    private static TelemetryOptions Options(ConfigurationManager configuration) =>
        configuration.GetSection(TelemetryOptions.Section).Get<TelemetryOptions>() ?? new();

    private static void Configure(OtlpExporterOptions exporter, TelemetryOptions options, string signal)
    {
        if (options.OtlpEndpoint.Length == 0)
        {
            return;
        }

        var endpoint = new Uri(options.OtlpEndpoint);
        var isGrpc = options.OtlpTransport is OtlpTransport.Grpc;
        exporter.Protocol = isGrpc ? OtlpExportProtocol.Grpc : OtlpExportProtocol.HttpProtobuf;
        exporter.Endpoint = isGrpc ? endpoint : new Uri($"{endpoint.AbsoluteUri.TrimEnd('/')}/v1/{signal}");
    }
}

/// <summary>Listens from before the features start until after they have stopped, and sends what is left.</summary>
internal sealed class TelemetryPipeline(Func<MeterProvider>? metrics, Func<TracerProvider>? traces)
    : IHostedService, IDisposable
{
    /// <summary>A collector that is away must not keep the server from stopping.</summary>
    private const int FlushMs = 2000;

    private MeterProvider? _metrics;
    private TracerProvider? _traces;

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _metrics = metrics?.Invoke();
        _traces = traces?.Invoke();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.WhenAll(
        Task.Run(() => _metrics?.Shutdown(FlushMs), CancellationToken.None),
        Task.Run(() => _traces?.Shutdown(FlushMs), CancellationToken.None));

    public void Dispose()
    {
        _metrics?.Dispose();
        _traces?.Dispose();
    }
}
