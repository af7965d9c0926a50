namespace ChatPay.Core.Protocol;

/// <summary><c>GET /v1/archive</c>: what the server keeps of the account's archive.</summary>
/// <param name="Archive">Null where none is kept.</param>
/// <param name="Bytes">Of all sealed chunks.</param>
/// <param name="MaximumBytes">How many there may be.</param>
/// <param name="Streams">One of each device that has written, revoked since or not.</param>
public sealed record ArchiveView(
    ArchiveId? Archive, long Bytes, long MaximumBytes, IReadOnlyList<ArchiveStreamView> Streams);

/// <summary>What a device has written.</summary>
/// <param name="Chunks">They are numbered from 0 on, without gaps.</param>
public sealed record ArchiveStreamView(DeviceId Device, long Chunks);

/// <summary><c>PUT /v1/archive</c>: keeps an archive from here on.</summary>
public sealed record TurnOnArchiveRequest(ArchiveId Archive);

/// <summary><c>PUT /v1/archive/{archive}/chunks/{number}</c>: what comes next in the calling device's stream.</summary>
/// <param name="Sealed">
/// 29 bytes more than 1, 2, 4, … 64 KiB: at most <see cref="Limits.ArchiveChunkBytes"/>.
/// </param>
public sealed record StoreArchiveChunkRequest(byte[] Sealed);

/// <summary><c>GET /v1/archive/{archive}/devices/{device}</c>: a page of a stream.</summary>
/// <param name="Chunks">Sealed, at most <see cref="Limits.ArchiveChunksPerPage"/>.</param>
/// <param name="Next">Number of the first one after them; null at the end.</param>
public sealed record ArchivePage(IReadOnlyList<byte[]> Chunks, long? Next);
