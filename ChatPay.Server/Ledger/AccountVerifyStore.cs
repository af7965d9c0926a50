using Npgsql;
using static System.FormattableString;

namespace ChatPay.Server.Ledger;

/// <summary>Verifies accounts and sums against the entries.</summary>
internal sealed class AccountVerifyStore(NpgsqlConnection connection, VerifyFindings findings)
{
    /// <summary>Makes the server stream along indexes too, instead of sorting or hashing whole tables.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        await using var settings = new NpgsqlCommand(
            "set transaction read only; set local enable_hashjoin = off; set local statement_timeout = 0", connection);
        await settings.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Each account's entries in order: gapless versions, chained after values, floors, the row.</summary>
    public async Task<string> CheckAccountsAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select a.id, a.guarded, a.balance_minor, a.held_minor, a.version, e.version, e.transfer_id, e.posted_minor,
                e.held_minor, e.balance_after_minor, e.held_after_minor
            from ledger_account a left join entry e on e.account_id = a.id
            order by a.id, e.version
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var (accounts, entries) = (0L, 0L);
        AccountWalk? walk = null;
        while (await reader.ReadAsync(cancellationToken))
        {
            var id = reader.GetGuid(0);
            if (walk is null || walk.Id != id)
            {
                await FinishAsync(walk);
                walk = new AccountWalk(
                    id, reader.GetBoolean(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));
                accounts++;
            }

            if (!reader.IsDBNull(5))
            {
                entries++;
                foreach (var finding in walk.Step(
                    reader.GetInt64(5), reader.GetGuid(6), reader.GetInt64(7), reader.GetInt64(8), reader.GetInt64(9),
                    reader.GetInt64(10)))
                {
                    await findings.AddAsync(finding);
                }
            }
        }

        await FinishAsync(walk);
        return Invariant($"{accounts} accounts, {entries} entries");
    }

    private async ValueTask FinishAsync(AccountWalk? walk)
    {
        foreach (var finding in walk?.Finish() ?? [])
        {
            await findings.AddAsync(finding);
        }
    }

    /// <summary>Per asset, balances and entries both sum to zero: money is moved, never made.</summary>
    public async Task<string> CheckSumsAsync(CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            select s.code, coalesce(a.total, 0)::text, coalesce(e.total, 0)::text
            from asset s
            left join (
                select asset, sum(balance_minor) as total from ledger_account group by asset
            ) a on a.asset = s.code
            left join (
                select l.asset, sum(n.posted_minor) as total
                from entry n join ledger_account l on l.id = n.account_id group by l.asset
            ) e on e.asset = s.code
            order by s.code
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var assets = 0;
        while (await reader.ReadAsync(cancellationToken))
        {
            assets++;
            if (reader.GetString(1) != "0" || reader.GetString(2) != "0")
            {
                await findings.AddAsync(
                    $"asset {reader.GetString(0)}: balances sum to {reader.GetString(1)}, "
                    + $"entries to {reader.GetString(2)}");
            }
        }

        return Invariant($"{assets} assets");
    }

    /// <summary>One account while its entries go by.</summary>
    private sealed class AccountWalk(Guid id, bool guarded, long balanceMinor, long heldMinor, long version)
    {
        private Int128 _balance;
        private Int128 _held;
        private long _version;

        public Guid Id => id;

        public IEnumerable<string> Step(
            long entryVersion, Guid transfer, long postedMinor, long heldDeltaMinor, long balanceAfterMinor,
            long heldAfterMinor)
        {
            if (entryVersion != _version + 1)
            {
                yield return Invariant(
                    $"account {id}: version {_version} is followed by version {entryVersion} (transfer {transfer})");
            }

            _version = entryVersion;
            _balance += postedMinor;
            _held += heldDeltaMinor;
            if (_balance != balanceAfterMinor || _held != heldAfterMinor)
            {
                yield return Invariant($"account {id} version {entryVersion} (transfer {transfer}): ")
                    + Invariant($"entries give balance {_balance} and held {_held}, ")
                    + Invariant($"the entry says {balanceAfterMinor} and {heldAfterMinor}");
            }

            if (_held < 0 || (guarded && _held > _balance))
            {
                yield return Invariant($"account {id} version {entryVersion} (transfer {transfer}): ")
                    + Invariant($"balance {_balance} and held {_held} are below the floor");
            }

            // Go on from what the entry says, so that one altered entry is one finding and not thousands.
            (_balance, _held) = (balanceAfterMinor, heldAfterMinor);
        }

        public IEnumerable<string> Finish()
        {
            if (_version != version || _balance != balanceMinor || _held != heldMinor)
            {
                yield return Invariant($"account {id}: entries end at version {_version} ")
                    + Invariant($"with balance {_balance} and held {_held}, ")
                    + Invariant($"the account says version {version}, {balanceMinor} and {heldMinor}");
            }
        }
    }
}
