using ChatPay.Server.Vault;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Transparency;

/// <summary>Keeps the key log.</summary>
internal sealed class KeyLogKeeper(
    KeyLogStore store, IOptions<KeyLogOptions> options, VaultPlan vault, TimeProvider time, ILogger<KeyLogKeeper> logger)
    : LogKeeper(store, options.Value.Name, TimeSpan.FromSeconds(options.Value.RoundSeconds), vault, time, logger);
