using ChatPay.Core.Protocol;

namespace ChatPay.Server.Vault;

/// <summary>
/// What happens at a realm, for the account's connected devices. Nobody waits for it. A realm in the server has it told at
/// once; one that is a process of its own knows no devices, and notes it for its server.
/// </summary>
/// <param name="tell">Never waits, never throws.</param>
internal sealed class VaultNews(Action<KeysSignal> tell)
{
    public void Tell(AccountId account, VaultAttempt attempt) => tell(new KeysSignal(account, 0, Attempt: attempt));

    public void Tell(AccountId account, VaultWait wait) => tell(new KeysSignal(account, 0, Wait: wait));
}
