using System.Security.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Accounts;
using ChatPay.Server.Hosting;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Transparency;

/// <summary>Adds to the chains of accounts, and carries out what the entries say of devices.</summary>
internal sealed partial class KeyChainService(
    KeyChainStore chains, KeyLogKeeper keeper, KeyLogReader reader, AccountService accounts, Fanout fanout,
    ILogger<KeyChainService> logger)
{
    /// <returns>
    /// The entries as they are in the log; <c>key_entry_invalid</c>, <c>key_chain_stale</c>, <c>wrong_device</c>,
    /// <c>device_not_approved</c>, <c>too_many_requests</c>.
    /// </returns>
    public async Task<Result<KeyChainReply>> AppendAsync(
        Caller caller, AppendKeysRequest request, CancellationToken cancellationToken)
    {
        var changed = await chains.ChangeAsync(
            caller, KeyChainRules.Named(request.Entries),
            (stored, devices) => KeyChainRules.Decide(
                Restore(caller.Account, stored), stored, caller, devices, request.Entries),
            () => RandomNumberGenerator.GetBytes(KeyLogEntry.SaltSize),
            cancellationToken);
        if (changed.Error is { } refused)
        {
            return refused;
        }

        // The entries count from here on, whether the caller still waits or not, and what they put out was revoked with them.
        // Its connections are closed now, and features drop it; what an earlier version left signed in is revoked here as well.
        foreach (var device in changed.Value.Revoked)
        {
            await accounts.RevokeAsync(caller, device, CancellationToken.None);
        }

        if (changed.Value.Entries.Count > 0)
        {
            Log.Grew(logger, caller.Account, changed.Value.Entries.Count, changed.Value.Chain.Length);
        }

        await keeper.IncludeAsync(cancellationToken);
        if (changed.Value.Entries.Count > 0)
        {
            fanout.KeysChanged(new KeysSignal(caller.Account, changed.Value.Chain.Length));
        }

        return await reader.ChainAsync(caller, caller.Account, FirstOf(request), size: 0, cancellationToken);
    }

    private static KeyChain Restore(AccountId account, IReadOnlyList<byte[]> stored) =>
        KeyChain.Check(account, [.. stored.Select(entry => new ReadOnlyMemory<byte>(entry))], out var chain, out var at)
            == LogRejection.None
            ? chain! : throw new InvalidOperationException($"The stored chain of account {account} is broken at {at}.");

    private static long FirstOf(AppendKeysRequest request) =>
        KeyLogEntry.TryRead(request.Entries[0], out var entry, out _) ? entry.Sequence : 0;

    private static partial class Log
    {
        [LoggerMessage(7010, LogLevel.Information, "Account {Account} added {Count} entries to its keys; they are {Length} now")]
        public static partial void Grew(ILogger logger, AccountId account, int count, long length);
    }
}
