namespace ChatPay.Client.Internal;

/// <summary>
/// The program's store as the device uses it: its failures are the one error, and a write that has begun is not
/// cancelled, for memory may be ahead of what it would leave.
/// </summary>
internal sealed class DeviceStore(IDeviceStore inner) : IDeviceStore
{
    public async ValueTask<byte[]?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            return await inner.ReadAsync(key, cancellationToken);
        }
        catch (Exception failed) when (IsFailure(failed))
        {
            throw LocalErrors.StoreFailed(failed);
        }
    }

    public async ValueTask<IReadOnlyList<StoreEntry>> ListAsync(StoreQuery query, CancellationToken cancellationToken)
    {
        try
        {
            return await inner.ListAsync(query, cancellationToken);
        }
        catch (Exception failed) when (IsFailure(failed))
        {
            throw LocalErrors.StoreFailed(failed);
        }
    }

    public async ValueTask WriteAsync(IReadOnlyList<StoreChange> changes, CancellationToken cancellationToken)
    {
        try
        {
            await inner.WriteAsync(changes, CancellationToken.None);
        }
        catch (Exception failed) when (IsFailure(failed))
        {
            throw LocalErrors.StoreFailed(failed);
        }
    }

    /// <summary>Whatever a store of somebody else's throws, but for misuse and giving up.</summary>
    private static bool IsFailure(Exception exception) =>
        exception is not (ChatPayException or ArgumentException or OperationCanceledException);

    /// <summary>It is its owner's.</summary>
    public ValueTask DisposeAsync() => default;
}
