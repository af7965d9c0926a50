using System.ComponentModel.DataAnnotations;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Configuration section <c>Telemetry</c>. The standard OTEL_EXPORTER_OTLP_* variables, OTEL_SERVICE_NAME and
/// OTEL_RESOURCE_ATTRIBUTES are understood as well; headers that a collector demands are secrets and go only there.
/// </summary>
internal sealed class TelemetryOptions
{
    public const string Section = "Telemetry";

    /// <summary>
    /// An OpenTelemetry collector that takes metrics, traces and logs, such as http://localhost:4317. Default empty: none,
    /// unless OTEL_EXPORTER_OTLP_ENDPOINT names one.
    /// </summary>
    public string OtlpEndpoint { get; set; } = "";

    /// <summary>
    /// How OtlpEndpoint is spoken to, Grpc (usually port 4317) or HttpProtobuf (usually port 4318). Default Grpc.
    /// </summary>
    [EnumDataType(typeof(OtlpTransport))]
    public OtlpTransport OtlpTransport { get; set; } = OtlpTransport.Grpc;

    /// <summary>
    /// Which part of the traces is recorded, 0 to 1, whatever a caller's own headers ask for. Default 0.01.
    /// </summary>
    [Range(0.0, 1.0)]
    public double TraceSampleRatio { get; set; } = 0.01;

    /// <summary>How often metrics are sent, in seconds, 1 to 300. Default 15.</summary>
    [Range(1, 300)]
    public int MetricIntervalSeconds { get; set; } = 15;
}

internal enum OtlpTransport
{
    Grpc,
    HttpProtobuf,
}
