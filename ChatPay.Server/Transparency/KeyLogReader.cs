using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Transparency;

/// <summary>What the log proves: entries of chains, and that it only grew.</summary>
internal sealed class KeyLogReader(KeyLogStore log, KeyChainStore chains)
{
    /// <summary>A log that is begun anew while it is read is read once more.</summary>
    private const int Attempts = 2;

    /// <summary>The log as it was last signed.</summary>
    public async Task<KeyLogRow> HeadAsync(CancellationToken cancellationToken) =>
        await log.FindAsync(cancellationToken) ?? throw new InvalidOperationException("The key log has not begun.");

    /// <summary>A page of somebody's chain.</summary>
    /// <param name="from">Number of the first entry.</param>
    /// <param name="size">Of a checkpoint that the caller has; 0 for none.</param>
    public async Task<Result<KeyChainReply>> ChainAsync(
        Caller caller, AccountId account, long from, long size, CancellationToken cancellationToken)
    {
        if (from < 0 || size < 0)
        {
            return new Error(ErrorCode.InvalidArgument, "from and size are not negative.");
        }

        if (!await chains.MaySeeAsync(caller.Account, account, cancellationToken))
        {
            return new Error(
                ErrorCode.AccountUnknown, "Keys are shown to people who share a conversation with their owner.");
        }

        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            var head = await HeadAsync(cancellationToken);
            if (size > head.Size)
            {
                return SizeUnknown(head.Size);
            }

            if (await ChainAsync(head, account, from, size, cancellationToken) is { } reply)
            {
                return reply;
            }
        }

        throw new InvalidOperationException("The key log's tiles have holes.");
    }

    /// <summary>That the log only grew.</summary>
    /// <param name="to">Null for the newest size.</param>
    public async Task<Result<ConsistencyReply>> ConsistencyAsync(long from, long? to, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= Attempts; attempt++)
        {
            var head = await HeadAsync(cancellationToken);
            var end = to ?? head.Size;
            if (from < 1 || from > end)
            {
                return new Error(ErrorCode.InvalidArgument, "from is 1 or more, and not above to.");
            }

            if (end > head.Size)
            {
                return SizeUnknown(head.Size);
            }

            var proof = await new TileSource(log.TilesAsync).ReadAsync(
                head.Size, read => ConsistencyProof.Generate(from, end, read), cancellationToken);
            if (proof is not null)
            {
                return new ConsistencyReply(from, end, proof, to is null ? head.Note : null);
            }
        }

        throw new InvalidOperationException("The key log's tiles have holes.");
    }

    /// <returns>Null where tiles are missing.</returns>
    private async Task<KeyChainReply?> ChainAsync(
        KeyLogRow head, AccountId account, long from, long size, CancellationToken cancellationToken)
    {
        var (rows, length) = await chains.LoggedAsync(
            account, from, head.Size, Limits.KeyEntriesPerPage, cancellationToken);
        var tiles = new TileSource(log.TilesAsync);
        var entries = new List<LoggedKeyEntry>(rows.Count);
        foreach (var row in rows)
        {
            var proof = await tiles.ReadAsync(
                head.Size, read => InclusionProof.Generate(row.Index, head.Size, read), cancellationToken);
            if (proof is null)
            {
                return null;
            }

            entries.Add(new LoggedKeyEntry(row.Entry, row.Salt, row.Index, proof));
        }

        var consistency = size == 0 ? [] : await tiles.ReadAsync(
            head.Size, read => ConsistencyProof.Generate(size, head.Size, read), cancellationToken);
        return consistency is null ? null : new KeyChainReply(account, from, entries, length, head.Note, consistency);
    }

    private static Error SizeUnknown(long size) => new(
        ErrorCode.LogSizeUnknown, "The key log has fewer entries than that.",
        new Dictionary<string, object>(StringComparer.Ordinal) { ["size"] = size });
}
