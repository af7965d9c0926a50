using System.Globalization;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>The account's archive as the server keeps it: sealed. docs/ARCHIVE.md.</content>
public sealed partial class ChatPayClient
{
    /// <summary>Which archive the account keeps, and how large it is.</summary>
    /// <exception cref="ChatPayException"><c>archive_off</c>: this server keeps none; it cannot be reached.</exception>
    /// <example>
    /// <code>var bytes = (await client.ArchiveAsync(cancellationToken)).Bytes;</code>
    /// </example>
    public Task<ArchiveView> ArchiveAsync(CancellationToken cancellationToken) =>
        SendAsync<ArchiveView>(HttpMethod.Get, "v1/archive", null, cancellationToken);

    /// <exception cref="ChatPayException">
    /// <c>archive_exists</c>, <c>archive_off</c>, <c>device_not_approved</c>.
    /// </exception>
    internal Task<ArchiveView> TurnOnArchiveAsync(ArchiveId archive, CancellationToken cancellationToken) =>
        SendAsync<ArchiveView>(HttpMethod.Put, "v1/archive", new TurnOnArchiveRequest(archive), cancellationToken);

    /// <exception cref="ChatPayException"><c>device_not_approved</c>.</exception>
    internal Task TurnOffArchiveAsync(ArchiveId archive, CancellationToken cancellationToken) =>
        SendAsync(HttpMethod.Delete, $"v1/archive/{archive}", null, cancellationToken);

    /// <exception cref="ChatPayException">
    /// <c>archive_chunk_conflict</c>, <c>archive_unknown</c>, <c>archive_full</c>, <c>archive_off</c>,
    /// <c>device_not_approved</c>.
    /// </exception>
    internal Task StoreArchiveChunkAsync(
        ArchiveId archive, long number, byte[] sealedChunk, CancellationToken cancellationToken) =>
        SendAsync(
            HttpMethod.Put, string.Create(CultureInfo.InvariantCulture, $"v1/archive/{archive}/chunks/{number}"),
            new StoreArchiveChunkRequest(sealedChunk), cancellationToken);

    /// <exception cref="ChatPayException"><c>archive_unknown</c>, <c>archive_off</c>.</exception>
    internal Task<ArchivePage> ArchivePageAsync(
        ArchiveId archive, DeviceId device, long from, CancellationToken cancellationToken) =>
        SendAsync<ArchivePage>(
            HttpMethod.Get,
            string.Create(CultureInfo.InvariantCulture, $"v1/archive/{archive}/devices/{device}?from={from}"), null,
            cancellationToken);
}
