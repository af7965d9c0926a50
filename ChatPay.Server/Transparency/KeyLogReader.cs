using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Transparency;

/// <summary>What the key log proves: entries of chains, and that it only grew.</summary>
internal sealed class KeyLogReader(KeyLogStore log, KeyChainStore chains) : LogReader(log)
{
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

        return await AtHeadAsync<Result<KeyChainReply>>(
            async head => size > head.Size ? SizeUnknown(head.Size)
                : await ChainAsync(head, account, from, size, cancellationToken) is { } reply ? reply
                : (Result<KeyChainReply>?)null,
            cancellationToken);
    }

    /// <returns>Null where tiles are missing.</returns>
    private async Task<KeyChainReply?> ChainAsync(
        LogRow head, AccountId account, long from, long size, CancellationToken cancellationToken)
    {
        var (rows, length) = await chains.LoggedAsync(
            account, from, head.Size, Limits.KeyEntriesPerPage, cancellationToken);
        var tiles = NewTiles();
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
}
