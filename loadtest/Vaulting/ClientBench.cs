using System.Globalization;
using System.Text.Json;
using ChatPay.Core.Vault;
using ChatPay.LoadTest.Baselines;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Serving;
using ChatPay.Server.Hosting;

namespace ChatPay.LoadTest.Vaulting;

/// <summary>One recovery as its person waits for it, with the parameters that new registrations have.</summary>
internal sealed class ClientBench : IAsyncDisposable
{
    private const int Number = 480_279;

    private readonly VaultDevice _device;
    private readonly ChatPerson _person;
    private readonly byte[] _root;
    private readonly NodeDriver? _browser;
    private readonly List<IReadOnlyDictionary<string, double>> _net = [];
    private readonly List<IReadOnlyDictionary<string, double>> _chromium = [];

    private ClientBench(VaultDevice device, ChatPerson person, byte[] root, NodeDriver? browser, string? missing)
    {
        (_device, _person, _root, _browser, Missing) = (device, person, root, browser, missing);
    }

    /// <summary>Why the browser is not measured; null where it is.</summary>
    public string? Missing { get; }

    /// <summary>Whether every recovery brought back what was registered.</summary>
    public bool RootsAreRight { get; private set; } = true;

    public static async Task<ClientBench> OpenAsync(
        ServedProcess server, VaultDevice device, ChatPerson person, CancellationToken cancellationToken)
    {
        using var pin = RecoveryCrowd.PinOf(Number);
        var root = await device.RegisterAsync(person, pin, PinHashParameters.Default, cancellationToken);
        NodeDriver? browser = null;
        string? missing = null;
        try
        {
            browser = NodeDriver.Start("vault");
            await browser.AskAsync(
                new
                {
                    op = "open",
                    server = server.Address.ToString(),
                    token = person.Token,
                    account = person.Account.Value,
                    pin = Number.ToString(CultureInfo.InvariantCulture),
                },
                cancellationToken);
        }
        catch (Exception failure) when (failure is StartupException or NodeDriverException)
        {
            missing = failure.Message.Split('\n')[0];
            if (browser is not null)
            {
                await browser.DisposeAsync();
                browser = null;
            }
        }

        var bench = new ClientBench(device, person, root, browser, missing);
        await bench.RecoverAsync(cancellationToken);
        if (browser is not null)
        {
            await bench.RecoverInChromiumAsync(cancellationToken);
        }

        bench._net.Clear();
        bench._chromium.Clear();
        return bench;
    }

    public async Task<SectionResult> RecoverAsync(CancellationToken cancellationToken)
    {
        using var pin = RecoveryCrowd.PinOf(Number);
        var times = await _device.RecoverAsync(_person, pin, cancellationToken);
        RootsAreRight &= times.RootSecret.AsSpan().SequenceEqual(_root);
        return Keep(_net, new Dictionary<string, double>(StringComparer.Ordinal)
        {
            ["total"] = times.Total.TotalMilliseconds,
            ["argon2id_and_blinding"] = times.Begin.TotalMilliseconds,
            ["checks_and_opening"] = times.Check.TotalMilliseconds,
            ["realms"] = times.Network.TotalMilliseconds,
        });
    }

    /// <exception cref="InvalidOperationException">There is no browser.</exception>
    public async Task<SectionResult> RecoverInChromiumAsync(CancellationToken cancellationToken)
    {
        var answer = await (_browser ?? throw new InvalidOperationException("There is no browser.")).AskAsync(
            new { op = "recover" }, cancellationToken);
        RootsAreRight &= NodeDriver.BytesOf(answer.GetProperty("rootSecret")).AsSpan().SequenceEqual(_root);
        return Keep(_chromium, answer.GetProperty("times").EnumerateObject().ToDictionary(
            part => part.Name, part => part.Value.GetDouble(), StringComparer.Ordinal));
    }

    /// <summary>Milliseconds of a whole recovery and of its parts; medians.</summary>
    public Dictionary<string, object> Figures() => new(StringComparer.Ordinal)
    {
        ["client_net_ms"] = MediansOf(_net),
        ["client_chromium_ms"] = Missing is null ? MediansOf(_chromium) : new { notMeasured = Missing },
    };

    public async Task<JsonElement?> VersionsAsync(CancellationToken cancellationToken) => _browser is null
        ? null : await _browser.AskAsync(new { op = "versions" }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }
    }

    private static SectionResult Keep(
        List<IReadOnlyDictionary<string, double>> runs, Dictionary<string, double> times)
    {
        runs.Add(times);
        return SectionResult.OfRate(1_000 / times["total"]) with { P50 = TimeSpan.FromMilliseconds(times["total"]) };
    }

    private static Dictionary<string, double> MediansOf(List<IReadOnlyDictionary<string, double>> runs) =>
        runs[0].Keys.ToDictionary(
            part => part, part => Math.Round(Statistics.Median(runs.Select(run => run[part])), 1),
            StringComparer.Ordinal);
}
