using System.Diagnostics;
using OpenTelemetry;

namespace ChatPay.Server.Hosting;

/// <summary>
/// Takes from every span what is not known to be harmless, before anybody sends it. Paths hold handles and ids, queries may
/// hold anything, and what a later version of framework or driver adds is unknown: only what is listed here stays.
/// </summary>
internal sealed class SpanPrivacy : BaseProcessor<Activity>
{
    private static readonly HashSet<string> s_harmless = new(StringComparer.Ordinal)
    {
        "http.request.method", "http.route", "http.response.status_code", "url.scheme", "network.protocol.name",
        "network.protocol.version", "error.type", "server.address", "server.port",
        "rpc.system", "rpc.service", "rpc.method", "signalr.connection.status",

        // The statements' text: constants of the program, whose values are parameters and never part of it.
        "db.system", "db.system.name", "db.query.text", "db.statement", "db.namespace", "db.response.status_code",
        "db.npgsql.data_source", "db.operation.name", "db.npgsql.prepared", "db.npgsql.rows",
    };

    public override void OnEnd(Activity data)
    {
        ArgumentNullException.ThrowIfNull(data);
        List<string>? suspects = null;
        foreach (var tag in data.EnumerateTagObjects())
        {
            if (!s_harmless.Contains(tag.Key) && !tag.Key.StartsWith("chatpay.", StringComparison.Ordinal))
            {
                (suspects ??= []).Add(tag.Key);
            }
        }

        foreach (var key in suspects ?? [])
        {
            data.SetTag(key, null);
        }
    }
}
