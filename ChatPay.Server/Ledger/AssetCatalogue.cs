using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Ledger;

/// <summary>This server's assets, as configured and checked. Other features ask it what a code means.</summary>
internal sealed class AssetCatalogue
{
    private const long SandboxMaxMinor = 1_000_000_000_000;
    private const int SandboxDefaultUnits = 1_000;

    private readonly Dictionary<AssetCode, Asset> _byCode = [];
    private readonly Dictionary<AssetCode, AmountMinor> _sandbox = [];

    /// <exception cref="StartupException">The section <c>Ledger</c> contradicts itself or is out of bounds.</exception>
    public AssetCatalogue(IOptions<LedgerOptions> options, IHostEnvironment environment)
    {
        IList<AssetOptions> configured = options.Value.Assets.Count > 0
            ? options.Value.Assets
            : [new AssetOptions { Code = "EUR", Exponent = 2 }];
        foreach (var entry in configured)
        {
            Add(entry);
        }

        All = [.. _byCode.Values];
        Views = [.. All.Select(asset => new AssetView(asset.Code.Value, asset.Exponent))];

        var sandbox = options.Value.Sandbox;
        SandboxEnabled = sandbox.Enabled ?? environment.IsDevelopment();
        if (SandboxEnabled && !environment.IsDevelopment() && !sandbox.AllowOutsideDevelopment)
        {
            throw new StartupException(
                $"Ledger:Sandbox:Enabled would hand out play money in the environment {environment.EnvironmentName}; "
                + "set it to false, or Ledger:Sandbox:AllowOutsideDevelopment to true if that is meant.");
        }
    }

    /// <summary>In the order of the configuration.</summary>
    public IReadOnlyList<Asset> All { get; }

    /// <summary>As clients see them, in the order of the configuration.</summary>
    public IReadOnlyList<AssetView> Views { get; }

    /// <summary>Whether new accounts receive play money.</summary>
    public bool SandboxEnabled { get; }

    /// <summary>Null for an unknown code or text that is no code.</summary>
    public Asset? Find(string? code) => AssetCode.TryParse(code, out var parsed) ? Find(parsed) : null;

    public Asset? Find(AssetCode code) => _byCode.GetValueOrDefault(code);

    /// <summary>What a new account receives; zero where the sandbox is off.</summary>
    public AmountMinor SandboxAmount(AssetCode code) => SandboxEnabled ? _sandbox[code] : AmountMinor.Zero;

    private void Add(AssetOptions entry)
    {
        if (!AssetCode.TryParse(entry.Code, out var code))
        {
            throw new StartupException(
                $"Ledger:Assets has the code '{entry.Code}', which is not 3 to 12 of A-Z and 0-9 with a letter first.");
        }

        if (entry.Exponent is < 0 or > Asset.ExponentMax || !Enum.IsDefined(entry.Kind))
        {
            throw new StartupException($"Ledger:Assets needs an exponent of 0 to 9 and a known kind for {code}.");
        }

        if (!_byCode.TryAdd(code, new Asset(code, entry.Exponent, entry.Kind)))
        {
            throw new StartupException($"Ledger:Assets names {code} twice.");
        }

        var grantMinor = entry.SandboxMinor ?? WholeUnits(SandboxDefaultUnits, entry.Exponent);
        if (grantMinor is < 0 or > SandboxMaxMinor)
        {
            throw new StartupException($"Ledger:Assets needs SandboxMinor of {code} between 0 and {SandboxMaxMinor}.");
        }

        _sandbox.Add(code, new AmountMinor(grantMinor));
    }

    private static long WholeUnits(long units, int exponent)
    {
        for (var decimals = 0; decimals < exponent; decimals++)
        {
            units *= 10;
        }

        return units;
    }
}
