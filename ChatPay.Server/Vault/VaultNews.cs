using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;

namespace ChatPay.Server.Vault;

/// <summary>
/// Tells an account's connected devices what happens at a realm in the server. Nobody waits for it. A realm that is a
/// process of its own knows no devices and tells nobody: they ask it.
/// </summary>
/// <param name="fanout">Null where there is nobody to tell.</param>
internal sealed class VaultNews(Fanout? fanout)
{
    public void Tell(AccountId account, VaultAttempt attempt) => Tell(new KeysSignal(account, 0, Attempt: attempt));

    public void Tell(AccountId account, VaultWait wait) => Tell(new KeysSignal(account, 0, Wait: wait));

    private void Tell(KeysSignal signal) => fanout?.KeysChanged(signal);
}
