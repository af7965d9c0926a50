using System.Text.Json;
using System.Text.RegularExpressions;
using ChatPay.Tests.Support;
using Xunit;
using YamlDotNet.RepresentationModel;

namespace ChatPay.Tests.Hosting;

/// <summary>What the deployment files name is there: settings, files, metrics, and a page of the runbook per alert.</summary>
public sealed partial class DeploymentTests
{
    /// <summary>Of runtime, framework and driver, as their documentation names them and a collector passes them on.</summary>
    private static readonly string[] s_foreign =
    [
        "dotnet_process_cpu_time_seconds_total", "dotnet_process_memory_working_set_bytes",
        "dotnet_gc_pause_time_seconds_total", "dotnet_thread_pool_queue_length", "db_client_connection_count",
        "db_client_connection_max", "db_client_operation_duration_seconds_bucket", "http_server_request_duration_seconds_bucket",
    ];

    private static readonly string[] s_logs = ["key_log", "ledger_log"];

    private static readonly string s_operating = Read("docs/OPERATING.md");

    [Fact]
    public void Every_setting_in_compose_exists()
    {
        using var example = JsonDocument.Parse(
            Read("appsettings.example.json"), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        var settings = Setting().Matches(Read("compose.yaml"))
            .Select(match => match.Value).Distinct(StringComparer.Ordinal).ToList();
        Assert.True(settings.Count > 5);
        Repository.AssertNone(settings.Where(setting => !Exists(example.RootElement, setting.Split("__"))));
    }

    [Fact]
    public void Compose_has_two_nodes_behind_a_proxy_and_bounds_every_service()
    {
        var services = (YamlMappingNode)Yaml("compose.yaml")["services"];
        var names = services.Children.Keys.Select(key => key.ToString());
        Assert.Equal(["node1", "node2", "nginx", "postgres", "redis"], names);
        foreach (var (name, service) in services.Children)
        {
            // What the nodes share stands in the anchor, which the parser leaves as a merge key.
            var keys = Merged((YamlMappingNode)service);
            string[] needed = ["read_only", "cap_drop", "security_opt", "deploy", "restart", "networks", "tmpfs"];
            Repository.AssertNone(needed.Except(keys, StringComparer.Ordinal).Select(key => $"{name} lacks {key}"));
            Assert.True(keys.Contains("healthcheck") || keys.Contains("build"), $"{name} has no health check");
        }
    }

    [Fact]
    public void Every_file_that_compose_and_dockerfile_take_is_there()
    {
        var mounted = Mount().Matches(Read("compose.yaml")).Select(match => match.Groups["path"].Value);
        var copied = Copy().Matches(Read("Dockerfile")).SelectMany(match => match.Groups["paths"].Value.Split(' ')[..^1]);
        Repository.AssertNone(mounted.Concat(copied).Where(path => !Path.Exists(Repository.PathOf(path))));
    }

    [Fact]
    public void Every_metric_of_dashboard_and_alerts_exists()
    {
        var known = Instruments().Concat(s_foreign).ToHashSet(StringComparer.Ordinal);
        var alerts = Alerts().Select(alert => alert["expr"].ToString());
        using var dashboard = JsonDocument.Parse(Read("deploy/dashboard.json"));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray()
            .Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
            .Select(target => target.GetProperty("expr").GetString()!);
        var used = alerts.Concat(panels)
            .SelectMany(expression => Metric().Matches(Labels().Replace(expression, "")))
            .Select(match => match.Value)
            .Distinct(StringComparer.Ordinal)
            .ToList();
        Assert.True(used.Count > 30);
        Repository.AssertNone(used.Where(metric => !known.Contains(metric)));
    }

    [Fact]
    public void Every_metric_of_the_server_is_explained()
    {
        var rows = MetricRow().Matches(s_operating).Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal);
        Assert.Equal(Declared().Select(instrument => instrument.Name).Order(StringComparer.Ordinal), rows);
    }

    [Fact]
    public void Every_alert_has_its_section_in_the_runbook_and_no_section_is_without()
    {
        var sections = RunbookSection().Matches(s_operating).Select(match => match.Groups["name"].Value);
        Assert.Equal(Alerts().Select(alert => alert["alert"].ToString()), sections);
    }

    [Fact]
    public void Every_section_of_the_settings_is_explained_to_the_operator()
    {
        using var example = JsonDocument.Parse(
            Read("appsettings.example.json"), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
        Repository.AssertNone(example.RootElement.EnumerateObject()
            .Select(section => section.Name)
            .Where(name => !s_operating.Contains($"| `{name}", StringComparison.Ordinal)));
        Repository.AssertNone(OperatingSetting().Matches(s_operating)
            .Select(match => match.Groups["key"].Value)
            .Where(key => !Exists(example.RootElement, key.Split(':'))));
    }

    [Fact]
    public void Every_file_that_the_operator_is_pointed_to_is_there() => Repository.AssertNone(
        from Match link in Link().Matches(s_operating)
        let path = Path.GetFullPath(Path.Combine(Repository.PathOf("docs"), link.Groups["path"].Value))
        where !Path.Exists(path)
        select path);

    private static IEnumerable<YamlNode> Alerts() =>
        from YamlMappingNode @group in (YamlSequenceNode)Yaml("deploy/alerts.yaml")["groups"]
        from rule in (YamlSequenceNode)@group["rules"]
        select rule;

    /// <summary>The names that a collector's Prometheus exporter makes of the server's instruments.</summary>
    private static IEnumerable<string> Instruments()
    {
        foreach (var instrument in Declared())
        {
            var name = instrument.Name.Replace('.', '_') + (instrument.Unit == "ms" ? "_milliseconds" : "");
            string[] suffixes = instrument.Kind switch
            {
                "Counter" => ["_total"],
                "Histogram" => ["_bucket", "_count", "_sum"],
                _ => [""],
            };
            foreach (var suffix in suffixes)
            {
                yield return name + suffix;
            }
        }
    }

    /// <summary>As the source has them; those of a log are declared once for both.</summary>
    private static IEnumerable<(string Name, string Kind, string Unit)> Declared() =>
        from Match instrument in Instrument().Matches(ServerText())
        let declared = instrument.Groups["name"].Value
        from log in declared.Contains("{name}", StringComparison.Ordinal) ? s_logs : [""]
        select (
            declared.Replace("{name}", log, StringComparison.Ordinal), instrument.Groups["kind"].Value,
            instrument.Groups["unit"].Value);

    private static bool Exists(JsonElement element, string[] path) => path.Length == 0
        || (element.ValueKind == JsonValueKind.Array && path[0].All(char.IsAsciiDigit))
        || (element.ValueKind == JsonValueKind.Object && element.TryGetProperty(path[0], out var child)
            && Exists(child, path[1..]));

    private static HashSet<string> Merged(YamlMappingNode node)
    {
        var keys = node.Children.Keys.Select(key => key.ToString()).ToHashSet(StringComparer.Ordinal);
        if (node.Children.TryGetValue("<<", out var shared))
        {
            keys.UnionWith(Merged((YamlMappingNode)shared));
        }

        return keys;
    }

    private static YamlMappingNode Yaml(string path)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(Read(path)));
        return (YamlMappingNode)stream.Documents[0].RootNode;
    }

    private static string ServerText() =>
        string.Join('\n', Repository.Sources("ChatPay.Server").Select(source => source.Text));

    private static string Read(string path) => File.ReadAllText(Repository.PathOf(path));

    [GeneratedRegex(@"\b[A-Z][A-Za-z]+(__\w+)+")]
    private static partial Regex Setting();

    [GeneratedRegex(@"\./(?<path>deploy/[^:""]+):")]
    private static partial Regex Mount();

    [GeneratedRegex(@"^COPY (?!--from)(?<paths>.+)$", RegexOptions.Multiline)]
    private static partial Regex Copy();

    [GeneratedRegex(@"\b(chatpay|dotnet|db|http|kestrel)_\w+")]
    private static partial Regex Metric();

    [GeneratedRegex(@"by \([^)]*\)|\{[^}]*\}")]
    private static partial Regex Labels();

    [GeneratedRegex("""
        Create(?<kind>Counter|UpDownCounter|Gauge|Histogram|ObservableGauge)(<\w+>)?
        \(\s*\$?"(?<name>chatpay(\.(\w+|\{name\}))+)"(,\s*\(\)\s=>[^,]+)?(,\s*"(?<unit>[^"]*)")?
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Instrument();

    [GeneratedRegex(@"^\| `(?<name>chatpay(\.\w+)+)` \|", RegexOptions.Multiline)]
    private static partial Regex MetricRow();

    [GeneratedRegex(@"^### (?<name>ChatPay\w+)$", RegexOptions.Multiline)]
    private static partial Regex RunbookSection();

    [GeneratedRegex(@"`(?<key>[A-Z][A-Za-z]+:[A-Z]\w+)`")]
    private static partial Regex OperatingSetting();

    [GeneratedRegex(@"\]\((?<path>[^)#:]+)\)")]
    private static partial Regex Link();
}
