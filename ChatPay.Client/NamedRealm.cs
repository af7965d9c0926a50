namespace ChatPay.Client;

/// <summary>A realm of the PIN vault, as a <see cref="ChatPayException"/> names it in its details.</summary>
/// <param name="Realm">Its id.</param>
/// <param name="Operator">Who runs it, for people; null where the server runs all realms itself.</param>
/// <param name="Address">Where it is; null where it is in the server.</param>
public sealed record NamedRealm(Guid Realm, string? Operator, Uri? Address)
{
    /// <summary>For a sentence.</summary>
    public override string ToString() => Operator is null ? $"{Realm}" : $"{Realm} of {Operator} ({Address})";
}
