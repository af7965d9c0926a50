using ChatPay.Core.Ledger;
using ChatPay.Server.Ledger;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>What is altered behind the server's back in accounts, entries and transfers is found and named.</summary>
public sealed class LedgerVerifyTests(VerifyScene scene) : IClassFixture<VerifyScene>
{
    private Guid Alice => scene.Alice.Value;

    private Guid Bob => scene.Bob.Value;

    [Fact]
    public async Task An_untouched_ledger_is_clean_and_says_what_was_checked()
    {
        var (exitCode, output) = await VerifyScene.VerifyAsync(await scene.CopyAsync());
        Assert.Equal(
            """
            Verifying the ledger in one snapshot.
            checked accounts against their entries and transfers: 15 accounts, 48 entries
            checked sums of all assets: 3 assets
            checked transfers against what was decided: 32 transfers, 4 of them rejected
            checked holds against their captures and returns: 6 holds
            checked refunds against what they refund: 1 refunds of 1 transfers
            checked linked groups: 2 groups
            checked cards against their money: 5 cards
            checked cards' debits against what was signed: 4 debits
            checked transfers against the ledger log: not looked at, its key file is not here
            The ledger is clean.

            """,
            output, ignoreLineEndingDifferences: true);
        Assert.Equal(0, exitCode);
    }

    [Fact]
    public Task A_balance_edited_by_hand_is_found() => AssertFoundAsync(
        $"update ledger_account set balance_minor = balance_minor + 1 where id = '{Alice}'",
        $"account {Alice}: entries end at version",
        "asset EUR: balances sum to 1, entries to 0");

    [Fact]
    public Task Two_balances_edited_so_that_the_sum_stays_are_found() => AssertFoundAsync(
        $"""
        update ledger_account set balance_minor = balance_minor + 1 where id = '{Alice}';
        update ledger_account set balance_minor = balance_minor - 1 where id = '{Bob}'
        """,
        $"account {Alice}: entries end at version", $"account {Bob}: entries end at version");

    [Fact]
    public Task A_held_amount_edited_by_hand_is_found() => AssertFoundAsync(
        $"update ledger_account set held_minor = held_minor - 1 where id = '{Alice}'",
        $"account {Alice}: entries end at version",
        $"account {Alice}: holds 399, its open holds have 400");

    [Fact]
    public Task A_version_edited_by_hand_is_found() => AssertFoundAsync(
        $"update ledger_account set version = version + 1 where id = '{Alice}'",
        $"account {Alice}: entries end at version");

    [Fact]
    public Task The_time_of_the_last_entry_edited_by_hand_is_found() => AssertFoundAsync(
        $"update ledger_account set last_entry_at = last_entry_at + interval '1 second' where id = '{Alice}'",
        $"account {Alice}: its last entry is of ");

    [Fact]
    public Task A_removed_account_is_found() => AssertFoundAsync(
        $"delete from ledger_account where id = '{Alice}'",
        $"account {Alice}: does not exist, but entries, transfers, holds or changes name it");

    [Fact]
    public Task An_account_given_a_floor_it_was_under_is_found() => AssertFoundAsync(
        """
        alter table ledger_account drop constraint ledger_account_check1;
        update ledger_account set guarded = true where system_name = 'sandbox'
        """,
        " are below the floor");

    [Fact]
    public Task An_account_moved_to_another_asset_is_found() => AssertFoundAsync(
        $"update ledger_account set asset = 'ZZZ' where id = '{Alice}'",
        $"account {Alice} version 1 (transfer ", "moves EUR on an account that holds ZZZ", "asset ZZZ: balances sum to");

    [Fact]
    public Task An_account_given_to_somebody_else_is_found() => AssertFoundAsync(
        $"""
        update ledger_account set owner_id = '{Guid.Empty}' where id = '{Alice}';
        update ledger_account set system_name = 'mint' where system_name = 'sandbox' and asset = 'EUR'
        """,
        $"account {Alice}: its owner is {Guid.Empty} and its asset EUR, its id is of others",
        ": its owner is the system's mint and its asset EUR, its id is of others");

    [Fact]
    public Task An_account_relieved_of_its_floor_is_found() => AssertFoundAsync(
        $"update ledger_account set guarded = false where id = '{Alice}'",
        $"account {Alice}: may owe, but may not by its owner");

    [Fact]
    public Task A_frozen_account_opened_by_hand_is_found() => AssertFoundAsync(
        $"update ledger_account set state = 1 where id = '{scene.Dave}'",
        $"account {scene.Dave}: it is Open, its changes say Frozen");

    [Fact]
    public Task A_closed_account_with_money_is_found() => AssertFoundAsync(
        $"""
        alter table ledger_account drop constraint closed_is_empty;
        update ledger_account set balance_minor = 5 where id = '{scene.Carol}'
        """,
        $"account {scene.Carol}: is closed and has balance 5 and held 0");

    [Fact]
    public Task An_altered_change_of_an_account_is_found() => AssertFoundAsync(
        $"update ledger_account_change set reason = 'Because.' where account_id = '{scene.Dave}'",
        $" of account {scene.Dave}: differs from what was decided (payload hash)");

    [Fact]
    public Task A_removed_change_of_an_account_is_found() => AssertFoundAsync(
        $"delete from ledger_account_change where account_id = '{scene.Carol}'",
        $"account {scene.Carol}: it is Closed, its changes say Open");

    [Fact]
    public Task An_inserted_change_of_an_account_is_found() => AssertFoundAsync(
        $"""
        insert into ledger_account_change (id, account_id, kind, status, reason, payload_hash, created_at)
        select gen_random_uuid(), account_id, 2, 0, reason, payload_hash, created_at from ledger_account_change
        where account_id = '{scene.Carol}'
        """,
        $" of account {scene.Carol}: was applied to an account that was closed already");

    [Theory]
    [InlineData(0)]
    [InlineData(4018)]
    public Task A_change_of_an_account_that_is_not_there_is_found(int status) => AssertFoundAsync(
        $"""
        insert into ledger_account_change (id, account_id, kind, status, reason, payload_hash, created_at)
        select gen_random_uuid(), '{Guid.Empty}', kind, unnest(array[4007, {status}]), reason, payload_hash, created_at
        from ledger_account_change limit 2
        """,
        $" of account {Guid.Empty}: ended as ", ", but there is no such account");

    [Fact]
    public Task An_altered_entry_is_found() => AssertFoundAsync(
        $"update entry set posted_minor = 9000 where account_id = '{Alice}' and version = 1",
        $"account {Alice} version 1 (transfer ",
        "a Transfer of 10000 credits 10000 and held 0, the entry says 9000 and 0",
        "asset EUR: balances sum to 0, entries to -1000");

    [Fact]
    public Task An_entry_altered_together_with_all_that_follows_is_found() => AssertFoundAsync(
        $"""
        update entry set posted_minor = posted_minor + 5 where account_id = '{Alice}' and version = 1;
        update entry set balance_after_minor = balance_after_minor + 5 where account_id = '{Alice}';
        update ledger_account set balance_minor = balance_minor + 5 where id = '{Alice}'
        """,
        $"account {Alice} version 1 (transfer ",
        "a Transfer of 10000 credits 10000 and held 0, the entry says 10005 and 0",
        "asset EUR: balances sum to 5, entries to 5");

    [Fact]
    public Task An_altered_balance_in_an_entry_is_found() => AssertFoundAsync(
        $"update entry set balance_after_minor = balance_after_minor + 1 where account_id = '{Alice}' and version = 2",
        $"account {Alice} version 2 (transfer ", ": entries give balance ");

    [Theory]
    [InlineData("1")]
    [InlineData("3")]
    [InlineData("(select version from ledger_account where id = account_id)")]
    public Task A_removed_entry_is_found(string version) => AssertFoundAsync(
        $"delete from entry where account_id = '{Alice}' and version = {version}",
        $"account {Alice}", " is missing");

    [Fact]
    public Task A_transfer_posted_twice_to_one_account_is_found() => AssertFoundAsync(
        $"""
        insert into entry select account_id, version + 1, transfer_id, posted_minor, held_minor,
            balance_after_minor + posted_minor, held_after_minor + held_minor, created_at
        from entry where account_id = '{Bob}' order by version desc limit 1;
        update ledger_account a set version = e.version, balance_minor = e.balance_after_minor
        from entry e where a.id = '{Bob}' and e.account_id = a.id and e.version = a.version + 1
        """,
        $"account {Bob} version ",
        $"(transfer {scene.Sweep}): no applied transfer of that id has its entry here (10400, 0)",
        "asset EUR: balances sum to 10400, entries to 10400");

    [Fact]
    public Task A_transfer_posted_to_a_third_account_is_found() => AssertFoundAsync(
        $"""
        insert into entry select '{scene.Dave}', 2, id, amount_minor, 0, 10000 + amount_minor, 0, created_at
        from transfer where id = '{scene.Sweep}';
        update ledger_account set version = 2, balance_minor = balance_minor + 10400,
            last_entry_at = (select created_at from transfer where id = '{scene.Sweep}') where id = '{scene.Dave}'
        """,
        $"account {scene.Dave} version 2 (transfer {scene.Sweep}): no applied transfer of that id has its entry here");

    [Fact]
    public Task An_inserted_entry_of_no_transfer_is_found() => AssertFoundAsync(
        $"""
        insert into entry select account_id, version + 1, '{Guid.Empty}', 7, 0, balance_after_minor + 7,
            held_after_minor, created_at
        from entry where account_id = '{Bob}' order by version desc limit 1
        """,
        $"(transfer {Guid.Empty}): no applied transfer of that id has its entry here (7, 0)",
        $"account {Bob}: entries end at version");

    [Fact]
    public Task An_entry_moved_to_another_account_is_found() => AssertFoundAsync(
        $"""
        update entry set account_id = '{scene.Dave}', version = 2
        where account_id = '{Bob}' and transfer_id = '{scene.Payment}'
        """,
        $"account {scene.Dave} version 2 (transfer {scene.Payment}): no applied transfer of that id has its entry here",
        $"(transfer {scene.Payment}): the entry of its credit of 1000 and held 0 is missing");

    [Fact]
    public Task Two_entries_that_changed_places_are_found() => AssertFoundAsync(
        $"""
        update entry set version = -version where account_id = '{Alice}' and version in (2, 3);
        update entry set version = 5 + version where account_id = '{Alice}' and version < 0
        """.Replace("update entry set version = -version", "alter table entry drop constraint entry_version_check; "
            + "update entry set version = -version", StringComparison.Ordinal),
        $"account {Alice} version 2 (transfer ", $"account {Alice} version 3 (transfer ",
        " says that the entry here is its debit");

    [Fact]
    public Task An_entry_given_to_another_transfer_is_found() => AssertFoundAsync(
        $"""
        update entry set transfer_id = '{scene.Sweep}' where account_id = '{Bob}' and transfer_id = '{scene.Payment}'
        """,
        $"(transfer {scene.Sweep}): transfer {scene.Payment} says that the entry here is its credit");

    [Fact]
    public Task An_entry_whose_time_moved_is_found() => AssertFoundAsync(
        $"""
        update entry set created_at = created_at + interval '1 hour'
        where account_id = '{Alice}' and transfer_id = '{scene.Payment}'
        """,
        $"(transfer {scene.Payment}): is of ", ", its transfer of ", ", the one before of ");

    [Fact]
    public Task A_transfer_moved_in_time_with_its_entries_is_found() => AssertFoundAsync(
        $"""
        update entry set created_at = created_at - interval '1 day' where transfer_id = '{scene.Payment}';
        update transfer set created_at = created_at - interval '1 day' where id = '{scene.Payment}'
        """,
        $"(transfer {scene.Payment}): is of ", ", the one before of ");

    [Fact]
    public Task A_removed_transfer_is_found() => AssertFoundAsync(
        $"delete from transfer where id = '{scene.Sweep}'",
        $"account {Bob} version ", $"(transfer {scene.Sweep}): no applied transfer of that id has its entry here",
        $"account {scene.Carol} version ");

    [Fact]
    public Task An_inserted_transfer_is_found() => AssertFoundAsync(
        $"""
        insert into transfer (id, kind, debit_id, credit_id, amount_minor, asset, status, payload_hash, created_at,
            debit_version, credit_version)
        select gen_random_uuid(), kind, debit_id, credit_id, amount_minor, asset, status, payload_hash, created_at,
            debit_version + 100, credit_version + 100
        from transfer where id = '{scene.Payment}'
        """,
        ": the entry of its debit of -1000 and held 0 is missing", ": the entry of its credit of 1000 and held 0 is missing");

    [Fact]
    public Task A_second_transfer_that_claims_the_same_entries_is_found() => AssertFoundAsync(
        $"""
        insert into transfer (id, kind, debit_id, credit_id, amount_minor, asset, status, payload_hash, created_at,
            debit_version, credit_version)
        select '{Guid.Empty}', kind, debit_id, credit_id, amount_minor, asset, status, payload_hash, created_at,
            debit_version, credit_version
        from transfer where id = '{scene.Payment}'
        """,
        $"(transfer {scene.Payment}): transfer {Guid.Empty} says that the entry here is its debit",
        $"(transfer {scene.Payment}): transfer {Guid.Empty} says that the entry here is its credit");

    [Fact]
    public Task An_altered_amount_is_found() => AssertFoundAsync(
        $"update transfer set amount_minor = 999 where id = '{scene.Payment}'",
        $"transfer {scene.Payment}: differs from what was decided (payload hash)",
        "a Transfer of 999 debits -999 and held 0, the entry says -1000 and 0");

    [Fact]
    public Task An_altered_transfer_is_found() => AssertFoundAsync(
        $"update transfer set actor_id = null where card_id = '{scene.Paid.Id}'",
        "differs from what was decided (payload hash)");

    [Fact]
    public Task An_altered_payload_hash_is_found() => AssertFoundAsync(
        $"update transfer set payload_hash = sha256('') where id = '{scene.Refund}'",
        $"transfer {scene.Refund}: differs from what was decided (payload hash)");

    [Fact]
    public Task A_payload_hash_of_another_length_is_found() => AssertFoundAsync(
        $"""
        alter table transfer drop constraint transfer_payload_hash_check;
        alter table ledger_account_change drop constraint ledger_account_change_payload_hash_check;
        update transfer set payload_hash = 'abc' where id = '{scene.Refund}';
        update ledger_account_change set payload_hash = '' where account_id = '{scene.Dave}'
        """,
        $"transfer {scene.Refund}: differs from what was decided (payload hash)",
        $" of account {scene.Dave}: differs from what was decided (payload hash)");

    [Fact]
    public async Task A_value_that_no_row_lacks_and_one_does_is_told_and_not_called_clean()
    {
        var (exitCode, output) = await scene.TamperAsync(
            $"""
            alter table entry alter created_at drop not null;
            update entry set created_at = null where account_id = '{Alice}' and version = 2
            """);
        Assert.Equal(LedgerVerifyCommand.NotVerified, exitCode);
        Assert.Contains("could not be verified: A row of the ledger lacks a value", output, StringComparison.Ordinal);
    }

    [Fact]
    public Task An_altered_question_of_a_balancing_transfer_is_found() => AssertFoundAsync(
        $"update transfer set asked_minor = 60000 where id = '{scene.Sweep}'",
        $"transfer {scene.Sweep}: differs from what was decided (payload hash)");

    [Fact]
    public Task A_transfer_that_names_another_version_is_found() => AssertFoundAsync(
        $"update transfer set debit_version = debit_version + 1 where id = '{scene.Payment}'",
        $"(transfer {scene.Payment}): no applied transfer of that id has its entry here",
        $"transfer {scene.Payment} says that the entry here is its debit");

    [Fact]
    public Task A_rejection_turned_into_an_application_is_found() => AssertFoundAsync(
        """
        update transfer set status = 0, debit_version = 1000 where status = 4006 and kind = 2
        """,
        ": the entry of its debit of 0 and held 1000000 is missing",
        ": its transfer is applied, its row is missing");

    [Fact]
    public Task An_application_turned_into_a_rejection_is_found() => AssertFoundAsync(
        $"""
        update transfer set status = 4006, debit_version = null, credit_version = null where id = '{scene.Sweep}'
        """,
        $"(transfer {scene.Sweep}): no applied transfer of that id has its entry here");

    /// <summary>Its amount is in no entry, and of a return not in its hash.</summary>
    [Fact]
    public Task An_amount_given_to_a_rejected_return_is_found()
    {
        var release = LedgerCommand.Release(
            new(Guid.Empty), new(scene.ExpiredHold), scene.Alice, AssetCode.Parse("EUR"));
        return AssertFoundAsync(
            $"""
            insert into transfer (id, kind, debit_id, hold_id, amount_minor, asset, status, payload_hash, created_at)
            values ('{release.Id}', {(int)release.Kind}, '{Alice}', '{scene.ExpiredHold}', 50, 'EUR', 4008,
                '\x{Convert.ToHexString(release.HashPayload().ToArray())}', now())
            """,
            $"transfer {Guid.Empty}: moved nothing and was asked for 0, but says 50");
    }

    [Theory]
    [InlineData(4099, "4099")]
    [InlineData(4018, "AccountNotEmpty")]
    public Task A_status_that_no_transfer_ends_with_is_found(int status, string told) => AssertFoundAsync(
        $"update transfer set status = {status} where status = 4006 and kind = 2",
        $": a transfer cannot end as {told}");

    [Fact]
    public Task A_kind_that_there_is_not_is_found() => AssertFoundAsync(
        $"""
        alter table transfer drop constraint kind_is_known, drop constraint credit_by_kind;
        update transfer set kind = 99 where id = '{scene.Payment}'
        """,
        $"transfer {scene.Payment}: there is no kind 99");

    [Fact]
    public Task A_transfer_without_its_parts_is_found() => AssertFoundAsync(
        $"""
        alter table transfer drop constraint refund_by_kind;
        update transfer set refund_of = null where id = '{scene.Refund}'
        """,
        $"transfer {scene.Refund}: has not the parts of a Refund");

    [Fact]
    public async Task After_a_thousand_findings_the_rest_is_counted()
    {
        var (exitCode, output) = await scene.TamperAsync(
            $"""
            insert into entry
            select '{scene.Dave}', n + 2, '{Guid.Empty}', 1, 0, 10000 + n, 0, now() from generate_series(1, 3000) n
            """);
        Assert.Equal(1, exitCode);
        Assert.Equal(1_001, output.Split('\n').Count(line => line.StartsWith("finding: ", StringComparison.Ordinal)));
        Assert.Contains("finding: and 2", output, StringComparison.Ordinal);
    }

    internal static void AssertFound((int ExitCode, string Output) verified, params string[] findings)
    {
        foreach (var finding in findings)
        {
            Assert.Contains(finding, verified.Output, StringComparison.Ordinal);
        }

        Assert.Equal(1, verified.ExitCode);
    }

    private async Task AssertFoundAsync(string tampering, params string[] findings) =>
        AssertFound(await scene.TamperAsync(tampering), findings);
}
