namespace ChatPay.Core.Vault;

/// <summary>
/// A realm, for as long as it keeps its key; chosen by whoever sets it up. 16 bytes in network order on the wire.
/// </summary>
public readonly record struct RealmId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>
/// One registration of a PIN at all realms, chosen at random by the device that registers. The empty one stands for
/// none.
/// </summary>
public readonly record struct RegistrationVersion(Guid Value)
{
    /// <summary>No registration.</summary>
    public static RegistrationVersion None => default;

    public override string ToString() => Value.ToString();
}

/// <summary>
/// One guess that a realm has counted, by which its success is refunded and no other; chosen by the realm at random.
/// </summary>
public readonly record struct AttemptId(Guid Value)
{
    public override string ToString() => Value.ToString();
}

/// <summary>
/// One wait for an overwrite or a deletion without the identity key, by which it is cancelled and no other; chosen by the
/// realm at random.
/// </summary>
public readonly record struct WaitId(Guid Value)
{
    public override string ToString() => Value.ToString();
}
