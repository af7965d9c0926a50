namespace ChatPay.Client.Internal.Keys;

/// <content>The archive's key, which comes and goes apart from the others.</content>
internal sealed partial class OwnKeys
{
    /// <summary>Keeps the archive's key beside the account's others; null forgets it.</summary>
    public async Task SetArchiveKeyAsync(byte[]? archiveKey, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var own = await ReadAsync(cancellationToken);
            if (!(own.ArchiveKey ?? []).AsSpan().SequenceEqual(archiveKey))
            {
                await WriteAsync(own with { ArchiveKey = archiveKey }, cancellationToken);
            }
        }
        finally
        {
            _gate.Release();
        }
    }
}
