using System.Globalization;
using ChatPay.Core.Archive;
using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using ChatPay.Server.Realtime;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Archive;

/// <summary>Keeps archives for those who turn one on, and tells an account's devices of on and off.</summary>
internal sealed class ArchiveService(ArchiveStore store, Fanout fanout, IOptions<ArchiveOptions> options)
{
    private static readonly Error s_off = new(
        ErrorCode.ArchiveOff, "This server keeps no archives. One that it kept before can still be deleted.");

    private long MaximumBytes => options.Value.MaximumBytes;

    /// <returns><c>archive_off</c>.</returns>
    public async Task<Result<ArchiveView>> ViewAsync(AccountId account, CancellationToken cancellationToken) =>
        options.Value.Enabled ? await store.ViewAsync(account, MaximumBytes, cancellationToken) : s_off;

    /// <returns>
    /// <c>archive_off</c>, <c>device_not_approved</c>; <c>archive_exists</c> with <c>details.archive</c> where another one is
    /// on.
    /// </returns>
    public async Task<Result<ArchiveView>> TurnOnAsync(
        Caller caller, ArchiveId archive, CancellationToken cancellationToken)
    {
        if (!options.Value.Enabled)
        {
            return s_off;
        }

        var turned = await store.TurnOnAsync(caller, archive, cancellationToken);
        if (turned.Error is { } refused)
        {
            return refused;
        }

        if (turned.Value)
        {
            fanout.KeysChanged(new KeysSignal(caller.Account, 0));
        }

        var view = await store.ViewAsync(caller.Account, MaximumBytes, cancellationToken);
        return view.Archive is null || view.Archive == archive
            ? view
            : new Error(
                ErrorCode.ArchiveExists, "Another archive of this account is on.",
                new Dictionary<string, object>(StringComparer.Ordinal) { ["archive"] = view.Archive.Value });
    }

    /// <summary>Deletes the archive and everything in it; where there is none by this id, nothing.</summary>
    /// <returns><c>device_not_approved</c>.</returns>
    public async Task<Result<Unit>> TurnOffAsync(Caller caller, ArchiveId archive, CancellationToken cancellationToken)
    {
        // Whoever turns it off is not to be kept from it by an operator who has turned archives off.
        var turned = await store.TurnOffAsync(caller, archive, cancellationToken);
        if (turned is { IsOk: true, Value: true })
        {
            ArchiveMetrics.Deleted();
            fanout.KeysChanged(new KeysSignal(caller.Account, 0));
        }

        return turned.Map(static _ => default(Unit));
    }

    /// <returns>
    /// <c>archive_off</c>, <c>invalid_argument</c>, <c>device_not_approved</c>, <c>archive_unknown</c>;
    /// <c>archive_chunk_conflict</c> with <c>details.next</c>, <c>archive_full</c> with <c>details.maximumBytes</c>.
    /// </returns>
    public async Task<Result<Unit>> StoreAsync(
        Caller caller, ArchiveId archive, long number, byte[] sealedChunk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(sealedChunk);
        if (!options.Value.Enabled)
        {
            return s_off;
        }

        // An archive's bytes bound its rows too, for no chunk is smaller than the smallest that a client seals.
        if (!ArchiveCipher.IsSealedSize(sealedChunk.Length) || number < 0)
        {
            return new Error(ErrorCode.InvalidArgument, string.Create(
                CultureInfo.InvariantCulture,
                $"Chunks are numbered from 0 on and have {ArchiveCipher.OverheadBytes} bytes more than 1, 2, 4, 8, 16, 32 or "
                + $"64 KiB."));
        }

        var stored = await store.StoreAsync(caller, archive, number, sealedChunk, MaximumBytes, cancellationToken);
        if (stored is { IsOk: true, Value: true })
        {
            ArchiveMetrics.Took(sealedChunk.Length);
        }

        return stored.Map(static _ => default(Unit));
    }

    /// <returns><c>archive_off</c>, <c>invalid_argument</c>, <c>archive_unknown</c>.</returns>
    public async Task<Result<ArchivePage>> PageAsync(
        AccountId account, ArchiveId archive, DeviceId device, long from, CancellationToken cancellationToken)
    {
        if (!options.Value.Enabled)
        {
            return s_off;
        }

        if (from < 0)
        {
            return new Error(ErrorCode.InvalidArgument, "Chunks are numbered from 0 on.");
        }

        return await store.PageAsync(account, archive, device, from, cancellationToken) is { } page
            ? page : ArchiveStore.Unknown;
    }
}
