using System.Collections.Concurrent;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Vault;

/// <summary>
/// The way to the realms for one errand: those in the server by the server, the others at their own addresses, each with a
/// token that the server makes for it. Tokens are not kept longer than that: they name the identity key of the moment.
/// </summary>
internal sealed class RealmDoor(ChatPayClient client, VaultView view) : IDisposable
{
    /// <summary>A realm that takes longer has not answered, and the others go on without it.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<Guid, Task<ChatPayClient>> _hosts = new();
    private readonly ConcurrentBag<ChatPayClient> _opened = [];
    private readonly CancellationTokenSource _over = new();

    public VaultView View => view;

    /// <returns>The realm's answer; a refusal is one, and no error.</returns>
    /// <exception cref="ChatPayException">The realm cannot be reached, or does not let this device in.</exception>
    public Task<byte[]> AskAsync(Guid realm, byte[] message, CancellationToken cancellationToken) =>
        AtAsync(realm, (host, token) => host.AskRealmAsync(realm, message, token), cancellationToken);

    public Task<VaultAttempts> AttemptsAsync(Guid realm, CancellationToken cancellationToken) =>
        AtAsync(realm, (host, token) => host.RealmAttemptsAsync(realm, token), cancellationToken);

    public void Dispose()
    {
        _over.Cancel();
        foreach (var host in _opened)
        {
            host.Dispose();
        }

        _over.Dispose();
    }

    private async Task<T> AtAsync<T>(
        Guid realm, Func<ChatPayClient, CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        try
        {
            var elsewhere = view.Hosts?.FirstOrDefault(host => host.Realm == realm);
            return await ask(
                elsewhere is null ? client
                    : await _hosts.GetOrAdd(realm, _ => OpenAsync(elsewhere)).WaitAsync(patience.Token),
                patience.Token);
        }
        catch (OperationCanceledException late) when (!cancellationToken.IsCancellationRequested)
        {
            throw LocalErrors.Offline(late);
        }
    }

    /// <summary>A realm speaks as the server does, at another address and with another token.</summary>
    private async Task<ChatPayClient> OpenAsync(RealmHostView host)
    {
        var opened = new ChatPayClient(host.Address, (await client.RealmTokenAsync(host.Realm, _over.Token)).Token);
        _opened.Add(opened);
        return opened;
    }
}
