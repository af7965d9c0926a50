using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Accounts;
using ChatPay.Server.Cards;

namespace ChatPay.Server.Ledger;

/// <summary>What an account has had: balances at any instant, and entries page by page.</summary>
internal sealed class StatementService(
    StatementStore store, WalletService wallets, AssetCatalogue assets, AccountDirectory people, CardDirectory cards)
{
    /// <param name="at">RFC 3339; null for now.</param>
    public async Task<Result<WalletBalanceAt>> ReadBalanceAsync(
        AccountId account, string asset, string? at, CancellationToken cancellationToken)
    {
        if (assets.Find(asset) is not { } known)
        {
            return new LedgerOutcome(LedgerStatus.AssetUnknown).ToError();
        }

        if (Instants.Read(at, nameof(at), out var instant) is { } malformed)
        {
            return malformed;
        }

        var wallet = LedgerAccountId.Of(account, known.Code);
        var (points, now) = await store.ReadPointsAsync(wallet, [instant], cancellationToken);
        if (instant is null && points[0].Version == 0)
        {
            // Reading a wallet opens it, and in the sandbox that puts something in.
            var opened = await wallets.ReadAsync(account, cancellationToken);
            if (opened.Error is { } error)
            {
                return error;
            }

            (points, now) = await store.ReadPointsAsync(wallet, [instant], cancellationToken);
        }

        // A database clock that was set back may be behind the last entry, whose time is no future all the same.
        var point = points[0];
        now = point.At > now ? point.At.Value : now;
        if (instant > now)
        {
            return Instants.InTheFuture(nameof(at), now);
        }

        return new WalletBalanceAt(
            known.Code.Value, known.Exponent, point.BalanceMinor, point.HeldMinor,
            point.BalanceMinor - point.HeldMinor, point.Version, instant ?? now);
    }

    /// <param name="before">Entries older than this version; null for the newest.</param>
    /// <param name="limit">1 to <see cref="Limits.StatementPageEntries"/>.</param>
    /// <param name="from">RFC 3339; only entries of this instant and later, null for all.</param>
    /// <param name="to">RFC 3339; only entries before this instant, null for all.</param>
    /// <param name="filter">
    /// Entries that do not fit are passed over, so many at most that a page may be short, or empty, and yet have a cursor.
    /// </param>
    public async Task<Result<StatementPage>> ReadPageAsync(
        AccountId account, string asset, long? before, int limit, string? from, string? to, StatementFilter filter,
        CancellationToken cancellationToken)
    {
        if (assets.Find(asset) is not { } known)
        {
            return new LedgerOutcome(LedgerStatus.AssetUnknown).ToError();
        }

        if (limit is < 1 or > Limits.StatementPageEntries || before is < 1)
        {
            return new Error(
                ErrorCode.InvalidArgument,
                $"A page has 1 to {Limits.StatementPageEntries} entries, before a version of 1 or more.");
        }

        if (Period.Read(from, to, out var period) is { } malformed)
        {
            return malformed;
        }

        var wallet = LedgerAccountId.Of(account, known.Code);
        var (after, end) = (0L, before ?? long.MaxValue);
        if (period != default)
        {
            var (points, _) = await store.ReadPointsAsync(
                wallet, [period.LastBefore, period.LastWithin], cancellationToken);
            after = period.From is null ? 0 : points[0].Version;
            end = Math.Min(end, points[1].Version + 1);
        }

        if (!filter.IsAny)
        {
            return await ReadFilteredAsync(account, wallet, after, end, limit, filter, cancellationToken);
        }

        var rows = await store.ReadPageAsync(wallet, after, end, limit, cancellationToken);
        var entries = await NameAsync(account, rows, cancellationToken);
        return new StatementPage(entries, entries.Count > 0 && entries[^1].Version > after + 1 ? entries[^1].Version : null);
    }

    private async Task<Result<StatementPage>> ReadFilteredAsync(
        AccountId account, LedgerAccountId wallet, long after, long end, int limit, StatementFilter filter,
        CancellationToken cancellationToken)
    {
        if (end == long.MaxValue)
        {
            var (points, _) = await store.ReadPointsAsync(wallet, [null], cancellationToken);
            end = points[0].Version + 1;
        }

        // Versions have no gaps, so what was looked through is known without having read it.
        var lowest = Math.Max(after, end - 1 - Limits.FilteredEntries);
        var rows = await store.ReadFilteredAsync(wallet, lowest, end, limit, filter, cancellationToken);
        var entries = await NameAsync(account, rows, cancellationToken);
        var seen = entries.Count == limit ? entries[^1].Version : lowest + 1;
        return new StatementPage(entries, seen > after + 1 ? seen : null);
    }

    /// <summary>
    /// The rows with people and conversations, which other features know: one question to each, whatever the page.
    /// </summary>
    public async Task<IReadOnlyList<StatementEntry>> NameAsync(
        AccountId owner, IReadOnlyList<StatementRow> rows, CancellationToken cancellationToken)
    {
        var places = await cards.GetAsync(
            [.. rows.Where(row => row.Card is not null).Select(row => new CardId(row.Card!.Value)).Distinct()],
            cancellationToken);
        var drafts = new List<(StatementRow Row, CardPlace? Place, AccountId? Other)>(rows.Count);
        foreach (var row in rows)
        {
            var place = row.Card is { } card ? places.GetValueOrDefault(new CardId(card)) : null;

            // A hold has no other side in the ledger, but its card names who it is for.
            var other = row.OtherOwner is { } id ? new AccountId(id) : place?.OtherThan(owner);
            drafts.Add((row, place, other));
        }

        var names = await people.GetAsync(
            [.. drafts.Where(draft => draft.Other is not null).Select(draft => draft.Other!.Value).Distinct()],
            cancellationToken);
        return
        [
            .. from draft in drafts
               let row = draft.Row
               select new StatementEntry(
                   row.Version, row.Transfer, KindOf(row), row.PostedMinor, row.HeldMinor, row.BalanceAfterMinor,
                   row.HeldAfterMinor, draft.Other is { } other ? names.GetValueOrDefault(other) : null,
                   row.Card is { } card ? new CardId(card) : null, draft.Place?.Conversation, row.At),
        ];
    }

    private static string KindOf(StatementRow row) => row.Kind switch
    {
        TransferKind.Transfer when row.OtherSystem is not null => "funding",
        TransferKind.Transfer or TransferKind.Balancing => "transfer",
        TransferKind.Hold => "hold",
        TransferKind.Capture or TransferKind.CaptureAll => "capture",
        TransferKind.Refund => "refund",
        TransferKind.Release => "release",
        TransferKind.Expire => "expire",
    };
}
