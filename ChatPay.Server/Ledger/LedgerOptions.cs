using System.ComponentModel.DataAnnotations;
using ChatPay.Core.Ledger;

namespace ChatPay.Server.Ledger;

/// <summary>Configuration section <c>Ledger</c>.</summary>
internal sealed class LedgerOptions
{
    public const string Section = "Ledger";

    /// <summary>The assets that wallets hold, 1 to 64. Default: EUR with 2 decimals.</summary>
    [MaxLength(64)]
    public IList<AssetOptions> Assets { get; } = [];

    /// <summary>
    /// Exports being written at once by one node, one of them per account, 1 to 1,000; beyond it callers get overloaded.
    /// Default 16.
    /// </summary>
    [Range(1, 1_000)]
    public int ExportsAtOnce { get; set; } = 16;

    /// <summary>How long one export may take, in seconds, 10 to 3,600; a slower reader is cut off. Default 600.</summary>
    [Range(10, 3_600)]
    public int ExportTimeoutSeconds { get; set; } = 600;

    /// <summary>
    /// Accounts kept in memory as this node left them, 2 to 10,000,000, some 300 bytes each. Default 262,144.
    /// </summary>
    [Range(2, 10_000_000)]
    public int CachedAccounts { get; set; } = 262_144;

    /// <summary>Play money for trying things out.</summary>
    public SandboxOptions Sandbox { get; set; } = new();
}

/// <summary>One entry of <c>Ledger:Assets</c>.</summary>
internal sealed class AssetOptions
{
    /// <summary>3 to 12 characters, A to Z and 0 to 9, a letter first.</summary>
    public string Code { get; set; } = "";

    /// <summary>Decimals of one unit, 0 to 9. Never changes once the asset is in the database.</summary>
    public int Exponent { get; set; }

    /// <summary>Currency or Unit. Default Currency.</summary>
    public AssetKind Kind { get; set; } = AssetKind.Currency;

    /// <summary>
    /// Play money a new account receives, in minor units, 0 to 1,000,000,000,000; null for 1,000 whole units.
    /// </summary>
    public long? SandboxMinor { get; set; }
}

/// <summary>Section <c>Ledger:Sandbox</c>.</summary>
internal sealed class SandboxOptions
{
    /// <summary>Whether new accounts receive play money; null for yes in Development and no elsewhere.</summary>
    public bool? Enabled { get; set; }

    /// <summary>Must be true as well for play money outside Development, lest it be handed out by mistake.</summary>
    public bool AllowOutsideDevelopment { get; set; }
}
