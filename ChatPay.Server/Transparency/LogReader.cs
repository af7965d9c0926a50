using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Server.Transparency;

/// <summary>What a log proves to whoever asks: that it only grew, and that an entry is in it.</summary>
internal abstract class LogReader(LogStore log)
{
    /// <summary>A log that is begun anew while it is read is read once more.</summary>
    private const int Attempts = 2;

    /// <summary>The log as it was last signed.</summary>
    public async Task<LogRow> HeadAsync(CancellationToken cancellationToken) =>
        await log.FindAsync(cancellationToken) ?? throw new InvalidOperationException($"The {log.Log.What} has not begun.");

    /// <summary>That the log only grew.</summary>
    /// <param name="to">Null for the newest size.</param>
    public Task<Result<ConsistencyReply>> ConsistencyAsync(long from, long? to, CancellationToken cancellationToken) =>
        AtHeadAsync<Result<ConsistencyReply>>(
            async head =>
            {
                var end = to ?? head.Size;
                if (from < 1 || from > end)
                {
                    return new Error(ErrorCode.InvalidArgument, "from is 1 or more, and not above to.");
                }

                if (end > head.Size)
                {
                    return SizeUnknown(head.Size);
                }

                var proof = await NewTiles().ReadAsync(
                    head.Size, read => ConsistencyProof.Generate(from, end, read), cancellationToken);
                return proof is null
                    ? (Result<ConsistencyReply>?)null
                    : new ConsistencyReply(from, end, proof, to is null ? head.Note : null);
            },
            cancellationToken);

    /// <summary>Reads something at the size that was last signed.</summary>
    /// <param name="read">Gives null where tiles are missing.</param>
    protected async Task<T> AtHeadAsync<T>(Func<LogRow, Task<T?>> read, CancellationToken cancellationToken)
        where T : struct
    {
        ArgumentNullException.ThrowIfNull(read);
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            if (await read(await HeadAsync(cancellationToken)) is { } value)
            {
                return value;
            }
        }

        throw new InvalidOperationException($"The {log.Log.What}'s tiles have holes.");
    }

    protected TileSource NewTiles() => new(log.TilesAsync);

    protected Error SizeUnknown(long size) => new(
        ErrorCode.LogSizeUnknown, $"The {log.Log.What} has fewer entries than that.",
        new Dictionary<string, object>(StringComparer.Ordinal) { ["size"] = size });
}
