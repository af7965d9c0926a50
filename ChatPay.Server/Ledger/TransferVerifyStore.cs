using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using Npgsql;
using static System.FormattableString;

namespace ChatPay.Server.Ledger;

/// <summary>Verifies transfers, their sides, and holds.</summary>
internal sealed class TransferVerifyStore(NpgsqlConnection connection, VerifyFindings findings)
{
    /// <summary>An applied transfer has exactly its sides, a rejected one none, and neither was altered.</summary>
    public async Task<string> CheckTransfersAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select t.id, t.kind, t.debit_id, t.credit_id, t.amount_minor, t.asset, t.hold_id, t.card_id, t.actor_id,
                t.status, t.payload_hash, extract(epoch from h.expires_at - t.created_at)::bigint, e.account_id,
                e.posted_minor, e.held_minor, a.asset, t.asked_minor, t.refund_of, t.group_id, t.group_index, t.group_size
            from transfer t
            left join hold h on h.transfer_id = t.id
            left join entry e on e.transfer_id = t.id
            left join ledger_account a on a.id = e.account_id
            order by t.id
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (transfers, rejected) = (0L, 0L);
        StoredTransfer? current = null;
        while (await reader.ReadAsync(cancellationToken))
        {
            if (current is null || current.Id != reader.GetGuid(0))
            {
                await JudgeAsync(current);
                current = StoredTransfer.Read(reader);
                transfers++;
                rejected += current.Status == LedgerStatus.Applied ? 0 : 1;
            }

            if (!reader.IsDBNull(12))
            {
                current.Sides.Add((reader.GetGuid(12), reader.GetInt64(13), reader.GetInt64(14)));
                if (reader.GetString(15) != current.Asset)
                {
                    await findings.AddAsync(
                        $"transfer {current.Id}: moves {current.Asset} on account {reader.GetGuid(12)}, "
                        + $"which holds {reader.GetString(15)}");
                }
            }
        }

        await JudgeAsync(current);
        return Invariant($"{transfers} transfers, {rejected} of them rejected");
    }

    private async ValueTask JudgeAsync(StoredTransfer? transfer)
    {
        if (transfer is null)
        {
            return;
        }

        if (!transfer.HasItsSides())
        {
            await findings.AddAsync(Invariant($"transfer {transfer.Id}: its entries are not the sides of a ")
                + (transfer.Status == LedgerStatus.Applied ? $"{transfer.Kind}" : "rejection")
                + Invariant($" of {transfer.AmountMinor} ({transfer.Sides.Count} entries)"));
        }

        if (!transfer.IsAsDecided())
        {
            await findings.AddAsync($"transfer {transfer.Id}: differs from what was decided (payload hash)");
        }
    }

    /// <summary>Each applied hold has its row, and what was captured and returned is what is missing from it.</summary>
    public async Task<string> CheckHoldsAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select t.id, t.amount_minor, t.debit_id, h.account_id, h.remaining_minor, h.state,
                coalesce(m.captured, 0)::text, coalesce(m.released, 0)::text, coalesce(m.expired, 0)::text
            from transfer t
            left join hold h on h.transfer_id = t.id
            left join lateral (
                select sum(c.amount_minor) filter (where c.kind in (3, 8)) as captured,
                    sum(c.amount_minor) filter (where c.kind = 4) as released,
                    sum(c.amount_minor) filter (where c.kind = 5) as expired
                from transfer c where c.hold_id = t.id and c.status = 0
            ) m on true
            where t.kind = 2 and t.status = 0
            order by t.id
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var holds = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            holds++;
            var id = reader.GetGuid(0);
            if (reader.IsDBNull(3) || reader.GetGuid(3) != reader.GetGuid(2))
            {
                await findings.AddAsync($"hold {id}: is not on the account that its transfer debits");
                continue;
            }

            var amount = (Int128)reader.GetInt64(1);
            var remaining = (Int128)reader.GetInt64(4);
            var (captured, released, expired) = (Sum(reader, 6), Sum(reader, 7), Sum(reader, 8));
            if (captured > amount)
            {
                await findings.AddAsync(Invariant($"hold {id}: captures of {captured} exceed its {amount}"));
            }

            if (remaining != amount - captured - released - expired)
            {
                await findings.AddAsync(Invariant($"hold {id}: {remaining} remain of {amount} after ")
                    + Invariant($"{captured} captured, {released} released, {expired} expired"));
            }

            var state = remaining > 0 ? HoldState.Open
                : released > 0 ? HoldState.Released
                : expired > 0 ? HoldState.Expired
                : HoldState.Captured;
            if ((HoldState)reader.GetInt16(5) != state)
            {
                await findings.AddAsync(
                    $"hold {id}: its state is {(HoldState)reader.GetInt16(5)}, its transfers say {state}");
            }
        }

        return Invariant($"{holds} holds");
    }

    /// <summary>What an account holds is what its open holds have left.</summary>
    public async Task<string> CheckHeldAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select a.id, a.held_minor, coalesce(h.remaining, 0)::text
            from ledger_account a
            left join lateral (
                select sum(remaining_minor) as remaining from hold where account_id = a.id and state = 1
            ) h on true
            order by a.id
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var accounts = 0L;
        while (await reader.ReadAsync(cancellationToken))
        {
            accounts++;
            if (Sum(reader, 2) != reader.GetInt64(1))
            {
                await findings.AddAsync(Invariant(
                    $"account {reader.GetGuid(0)}: holds {reader.GetInt64(1)}, its open holds have {Sum(reader, 2)}"));
            }
        }

        return Invariant($"{accounts} accounts");
    }

    private static Int128 Sum(NpgsqlDataReader reader, int column) =>
        Int128.Parse(reader.GetString(column), System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A transfer's row and the entries that refer to it.</summary>
    private sealed class StoredTransfer
    {
        public required Guid Id { get; init; }

        public required TransferKind Kind { get; init; }

        public required LedgerStatus Status { get; init; }

        public required long AmountMinor { get; init; }

        public required string Asset { get; init; }

        public List<(Guid Account, long PostedMinor, long HeldMinor)> Sides { get; } = [];

        private Guid Debit { get; init; }

        private Guid? Credit { get; init; }

        private Guid? Hold { get; init; }

        private TransferCause Cause { get; init; }

        private PayloadHash Payload { get; init; }

        private int LifetimeSeconds { get; init; }

        private long? AskedMinor { get; init; }

        private Guid? RefundOf { get; init; }

        private GroupPart? Group { get; init; }

        public static StoredTransfer Read(NpgsqlDataReader row) => new()
        {
            Id = row.GetGuid(0),
            Kind = (TransferKind)row.GetInt16(1),
            Debit = row.GetGuid(2),
            Credit = row.IsDBNull(3) ? null : row.GetGuid(3),
            AmountMinor = row.GetInt64(4),
            Asset = row.GetString(5),
            Hold = row.IsDBNull(6) ? null : row.GetGuid(6),
            Cause = new(
                row.IsDBNull(8) ? null : new AccountId(row.GetGuid(8)),
                row.IsDBNull(7) ? null : new CardId(row.GetGuid(7))),
            Status = (LedgerStatus)row.GetInt32(9),
            Payload = PayloadHash.From(row.GetFieldValue<byte[]>(10)),
            LifetimeSeconds = row.IsDBNull(11) ? 0 : (int)row.GetInt64(11),
            AskedMinor = row.IsDBNull(16) ? null : row.GetInt64(16),
            RefundOf = row.IsDBNull(17) ? null : row.GetGuid(17),
            Group = row.IsDBNull(18)
                ? null
                : new GroupPart(new LedgerGroupId(row.GetGuid(18)), row.GetInt16(19), row.GetInt16(20)),
        };

        public bool HasItsSides()
        {
            (Guid, long, long)[] expected = Status != LedgerStatus.Applied ? [] : Kind switch
            {
                TransferKind.Transfer or TransferKind.Balancing or TransferKind.Refund =>
                    [(Debit, -AmountMinor, 0), (Credit!.Value, AmountMinor, 0)],
                TransferKind.Hold => [(Debit, 0, AmountMinor)],
                TransferKind.Capture or TransferKind.CaptureAll =>
                    [(Debit, -AmountMinor, -AmountMinor), (Credit!.Value, AmountMinor, 0)],
                TransferKind.Release or TransferKind.Expire => [(Debit, 0, -AmountMinor)],
            };
            return expected.Length == Sides.Count && expected.All(Sides.Contains);
        }

        /// <summary>Whether the row still hashes to its payload. A rejected hold's lifetime is not kept.</summary>
        public bool IsAsDecided()
        {
            var (id, debit) = (new TransferId(Id), new LedgerAccountId(Debit));
            if (!AssetCode.TryParse(Asset, out var asset))
            {
                return false;
            }

            var money = Money.Of(AmountMinor, asset);
            var command = Kind switch
            {
                TransferKind.Hold when Status != LedgerStatus.Applied => null,
                TransferKind.Hold when LifetimeSeconds <= 0 => null,
                TransferKind.Transfer => LedgerCommand.Transfer(id, debit, new(Credit!.Value), money, Cause),
                TransferKind.Hold => LedgerCommand.Hold(id, debit, money, LifetimeSeconds, Cause),
                TransferKind.Capture =>
                    LedgerCommand.Capture(id, new(Hold!.Value), debit, new(Credit!.Value), money, Cause),
                TransferKind.Release => LedgerCommand.Release(id, new(Hold!.Value), debit, asset, Cause),
                TransferKind.Expire => LedgerCommand.Expire(id, new(Hold!.Value), debit, asset, Cause),
                TransferKind.CaptureAll =>
                    LedgerCommand.CaptureAll(id, new(Hold!.Value), debit, new(Credit!.Value), asset, Cause),
                TransferKind.Refund =>
                    LedgerCommand.Refund(id, new(RefundOf!.Value), debit, new(Credit!.Value), money, Cause),
                TransferKind.Balancing => LedgerCommand.Balancing(
                    id, debit, new(Credit!.Value), Money.Of(AskedMinor!.Value, asset), Cause),
            };
            return (Group is { } part ? command?.InGroup(part) : command) is not { } whole
                || whole.HashPayload() == Payload;
        }
    }
}
