using ChatPay.Server.Vault;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Transparency;

/// <summary>Keeps the ledger log, off the path of payments: it follows what was committed.</summary>
internal sealed class LedgerLogKeeper(
    LedgerLogStore store, LedgerLogIntakeStore intake, IOptions<KeyLogOptions> keyLog, IOptions<LedgerLogOptions> options,
    VaultPlan vault, TimeProvider time, ILogger<LedgerLogKeeper> logger)
    : LogKeeper(store, keyLog.Value.Name, TimeSpan.FromMilliseconds(options.Value.RoundMs), vault, time, logger)
{
    protected override void Opened(LogKeyFile keyFile)
    {
        ArgumentNullException.ThrowIfNull(keyFile);
        intake.Salt(keyFile.SaltKey);
    }
}
