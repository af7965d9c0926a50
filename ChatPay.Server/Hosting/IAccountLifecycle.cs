using ChatPay.Core.Protocol;

namespace ChatPay.Server.Hosting;

/// <summary>
/// What other features do when accounts and devices come and go: the ledger opens and funds wallets, conversations turn a
/// revoked device's leaves into pending removals, realtime closes its connections. Called after the accounts feature
/// has committed. Every call may come again, on any node, until it has succeeded once everywhere, so each
/// implementation is idempotent and works from the database, not from what it remembers.
/// </summary>
/// <remarks>
/// Implementations that do nothing on an event keep the default. A failure is logged and retried: the accounts
/// feature keeps a durable mark per account and device until every implementation has succeeded. Closing live
/// connections is the exception: it is a hint for this node, and other nodes notice within two seconds that the session
/// no longer validates.
/// </remarks>
internal interface IAccountLifecycle
{
    /// <summary>The account exists; nothing else of it does yet.</summary>
    Task AccountOpenedAsync(AccountId account, CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>The device is revoked for good: <c>device.revoked_at</c> is set and its sessions are over.</summary>
    Task DeviceRevokedAsync(AccountId account, DeviceId device, CancellationToken cancellationToken) =>
        Task.CompletedTask;

    /// <summary>Sessions of the device ended; the device stays. Live connections check theirs and close.</summary>
    Task SessionsEndedAsync(DeviceId device, CancellationToken cancellationToken) => Task.CompletedTask;
}
