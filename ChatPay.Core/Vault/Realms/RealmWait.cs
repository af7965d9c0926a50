namespace ChatPay.Core.Vault;

/// <summary>The wait for an overwrite or a deletion without the identity key.</summary>
/// <param name="SecondsLeft">Zero once it has passed.</param>
public readonly record struct RealmWait(WaitId Id, uint SecondsLeft)
{
    public bool IsOver => SecondsLeft == 0;
}
