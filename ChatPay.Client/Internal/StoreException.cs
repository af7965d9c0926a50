namespace ChatPay.Client.Internal;

/// <summary>A store's file cannot be used, for a reason that has a name among <see cref="ClientErrors"/>.</summary>
internal sealed class StoreException(string name, string message, Exception? cause = null) : IOException(message, cause)
{
    public string Name { get; } = name;
}
