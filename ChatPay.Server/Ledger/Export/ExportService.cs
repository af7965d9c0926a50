using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;

namespace ChatPay.Server.Ledger;

/// <summary>
/// Whole statements as files. The bounds are read first, in one statement; what lies between two versions of an account never
/// changes, so its entries are then read piece by piece, each by itself, and are of one snapshot all the same. Neither a
/// transaction nor a connection waits for whoever reads the file.
/// </summary>
internal sealed class ExportService(
    StatementStore store, StatementService statements, AssetCatalogue assets, AccountDirectory people)
{
    private const int PieceEntries = 500;

    /// <summary>Everything that can be refused is refused here, before there is a file.</summary>
    /// <param name="entriesMax">More than this in one file are refused.</param>
    public async Task<Result<Export>> PrepareAsync(
        AccountId account, string asset, string? format, string? from, string? to, long entriesMax,
        CancellationToken cancellationToken)
    {
        if (assets.Find(asset) is not { } known)
        {
            return new LedgerOutcome(LedgerStatus.AssetUnknown).ToError();
        }

        if (StatementFormat.Find(format) is not { } form)
        {
            return new Error(ErrorCode.InvalidArgument, $"The format is one of {StatementFormat.Names}.");
        }

        if (Period.Read(from, to, out var period) is { } malformed)
        {
            return malformed;
        }

        var head = await ReadHeadAsync(account, known, period, cancellationToken);
        if (period.From > head.CreatedAt)
        {
            return Instants.InTheFuture(nameof(from), head.CreatedAt);
        }

        if (period.To > head.CreatedAt)
        {
            return Instants.InTheFuture(nameof(to), head.CreatedAt);
        }

        if (head.Entries > entriesMax)
        {
            return new Error(
                ErrorCode.InvalidArgument,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"This period has {head.Entries:n0} entries, and an export at most {entriesMax:n0}. Take a shorter one."));
        }

        return form.Refuse(head) is { } refused ? refused : new Export(head, form, WriteAsync);
    }

    private async Task<StatementHead> ReadHeadAsync(
        AccountId account, Asset asset, Period period, CancellationToken cancellationToken)
    {
        var wallet = LedgerAccountId.Of(account, asset.Code);
        var owner = await people.FindAsync(account, cancellationToken)
            ?? throw new InvalidOperationException("There is no such account.");
        var (points, now) = await store.ReadPointsAsync(
            wallet, [period.LastBefore, period.LastWithin], cancellationToken);
        var (opening, closing) = (points[0], points[1]);

        // A database clock that was set back may be behind the last entry.
        now = closing.At >= now ? closing.At.Value + Instants.Resolution : now;
        var totals = await store.ReadTotalsAsync(wallet, opening.Version, closing.Version, cancellationToken);
        return new StatementHead(
            owner, wallet, asset, period.From, period.To ?? now, opening, closing, totals, now);
    }

    private async Task WriteAsync(Export export, Stream destination, CancellationToken cancellationToken)
    {
        var head = export.Head;
        using var writer = export.Format.Create();
        writer.Begin(head);
        var reached = head.Opening;
        while (reached.Version < head.Closing.Version)
        {
            var rows = await store.ReadPageAsync(
                head.Account, reached.Version,
                Math.Min(reached.Version + PieceEntries, head.Closing.Version) + 1, PieceEntries, cancellationToken);
            foreach (var entry in (await statements.NameAsync(head.Owner.Id, rows, cancellationToken)).Reverse())
            {
                reached = Step(reached, entry);
                writer.Write(entry);
            }

            if (rows.Count == 0)
            {
                throw new InvalidOperationException($"Account {head.Account} has a gap after {reached.Version}.");
            }

            await writer.DrainAsync(destination, cancellationToken);
        }

        writer.End();
        await writer.DrainAsync(destination, cancellationToken);
    }

    /// <summary>A file whose entries do not lead from the opening to the closing balance is given up, not handed out.</summary>
    private static BalancePoint Step(BalancePoint before, StatementEntry entry)
    {
        var after = new BalancePoint(
            before.Version + 1, before.BalanceMinor + entry.PostedMinor, before.HeldMinor + entry.HeldMinor);
        return after == new BalancePoint(entry.Version, entry.BalanceAfterMinor, entry.HeldAfterMinor)
            ? after
            : throw new InvalidOperationException(
                $"Entry {entry.Version} does not follow from the one before it. Run: ledger verify");
    }
}

/// <summary>A statement that can be written.</summary>
internal sealed record Export(
    StatementHead Head, StatementFormat Format, Func<Export, Stream, CancellationToken, Task> Write)
{
    /// <summary>Such as chatpay-EUR-20261101-20261201.csv; ASCII without anything to escape.</summary>
    public string FileName => string.Create(
        CultureInfo.InvariantCulture,
        $"chatpay-{Head.Asset.Code}-{Head.Start.UtcDateTime:yyyyMMdd}-{Head.To.UtcDateTime:yyyyMMdd}.{Format.Extension}");

    public Task WriteAsync(Stream destination, CancellationToken cancellationToken) =>
        Write(this, destination, cancellationToken);
}
