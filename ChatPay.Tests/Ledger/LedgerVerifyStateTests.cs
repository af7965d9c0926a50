using System.Globalization;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>What is altered behind the server's back in holds, refunds, groups and cards is found and named.</summary>
public sealed class LedgerVerifyStateTests(VerifyScene scene) : IClassFixture<VerifyScene>
{
    [Fact]
    public Task An_altered_hold_is_found() => AssertFoundAsync(
        $"update hold set remaining_minor = 99 where transfer_id = (select hold_id from card where id = '{scene.Held.Id}')",
        ": 99 remain of 100 after 0 captured, 0 released, 0 expired",
        $"account {scene.Alice}: holds 400, its open holds have 399",
        $"card {scene.Held.Id}: its hold has 99 of 100");

    [Fact]
    public Task A_hold_in_another_state_is_found() => AssertFoundAsync(
        $"update hold set state = 2 where transfer_id = (select hold_id from card where id = '{scene.Declined.Id}')",
        ": its state is Captured, its transfers say Released",
        $"card {scene.Declined.Id}: it is Declined and its hold is Captured");

    [Fact]
    public Task A_hold_moved_to_another_account_is_found() => AssertFoundAsync(
        $"update hold set account_id = '{scene.Bob}' where transfer_id = '{scene.OpenHold}'",
        $"hold {scene.OpenHold}: is on account {scene.Bob}, its transfer is on {scene.Alice}",
        $"account {scene.Bob}: holds 0, its open holds have 300");

    [Fact]
    public Task A_hold_given_another_end_is_found() => AssertFoundAsync(
        $"update hold set expires_at = expires_at + interval '1 hour' where transfer_id = '{scene.OpenHold}'",
        $"transfer {scene.OpenHold}: differs from what was decided (payload hash, or the hold's end)");

    [Theory]
    [InlineData("infinity")]
    [InlineData("-infinity")]
    public Task A_hold_without_an_end_or_a_beginning_is_found(string time) => AssertFoundAsync(
        $"""
        update hold set expires_at = '{time}' where transfer_id = '{scene.OpenHold}';
        update transfer set created_at = '{time}' where id = '{scene.ExpiredHold}'
        """,
        $"transfer {scene.OpenHold}: differs from what was decided (payload hash, or the hold's end)",
        $"transfer {scene.ExpiredHold}: differs from what was decided (payload hash, or the hold's end)");

    [Fact]
    public Task A_capture_after_the_holds_end_is_found() => AssertFoundAsync(
        $"update hold set expires_at = created_at from transfer t where transfer_id = '{scene.OpenHold}' and t.id = transfer_id",
        $"hold {scene.OpenHold}: transfer ", " is a Capture of ", ", the hold lasted from ");

    [Fact]
    public Task A_removed_hold_is_found() => AssertFoundAsync(
        $"delete from hold where transfer_id = '{scene.OpenHold}'",
        $"hold {scene.OpenHold}: its transfer is applied, its row is missing",
        $"account {scene.Alice}: holds 400, its open holds have 100");

    [Fact]
    public Task An_inserted_hold_is_found() => AssertFoundAsync(
        $"insert into hold values ('{Guid.Empty}', '{scene.Bob}', 5, 1, now())",
        $"hold {Guid.Empty}: no applied transfer opened it",
        $"account {scene.Bob}: holds 0, its open holds have 5");

    [Fact]
    public Task A_removed_capture_is_found() => AssertFoundAsync(
        $"delete from transfer where hold_id = '{scene.OpenHold}'",
        $"hold {scene.OpenHold}: 300 remain of 500 after 0 captured, 0 released, 0 expired");

    [Fact]
    public Task A_capture_of_another_hold_is_found() => AssertFoundAsync(
        $"update transfer set hold_id = '{scene.ExpiredHold}' where hold_id = '{scene.OpenHold}'",
        $"hold {scene.ExpiredHold}: captures of 200 exceed its 50",
        "differs from what was decided (payload hash)");

    [Fact]
    public Task An_expiry_before_its_time_is_found() => AssertFoundAsync(
        $"update hold set expires_at = expires_at + interval '1 day' where transfer_id = '{scene.ExpiredHold}'",
        $"hold {scene.ExpiredHold}: transfer ", " is a Expire of ");

    [Fact]
    public Task An_altered_refund_state_is_found() => AssertFoundAsync(
        $"update refunded set refunded_minor = 500 where transfer_id = '{scene.Payment}'",
        $"transfer {scene.Payment}: 500 are kept as refunded, its refunds sum to 600");

    [Fact]
    public Task A_removed_refund_state_is_found() => AssertFoundAsync(
        $"delete from refunded where transfer_id = '{scene.Payment}'",
        $"transfer {scene.Payment}: refunds sum to 600, none is kept as refunded");

    [Fact]
    public Task An_inserted_refund_state_is_found() => AssertFoundAsync(
        $"insert into refunded select transfer_id, account_id, 5, 5 from hold where transfer_id = '{scene.OpenHold}'",
        $"transfer {scene.OpenHold}: is refunded, but is no applied transfer that can be",
        $"transfer {scene.OpenHold}: 5 are kept as refunded, its refunds sum to 0");

    [Fact]
    public Task A_refund_state_of_another_amount_is_found() => AssertFoundAsync(
        $"update refunded set captured_minor = 2000 where transfer_id = '{scene.Payment}'",
        $"transfer {scene.Payment}: is kept as 2000 to account {scene.Bob}, it moved 1000 to {scene.Bob}");

    [Fact]
    public Task Refunds_of_more_than_was_paid_are_found() => AssertFoundAsync(
        $"update transfer set amount_minor = 1600 where id = '{scene.Refund}'",
        $"transfer {scene.Payment}: refunds of 1600 exceed its 1000");

    [Fact]
    public Task A_refund_of_another_payment_is_found() => AssertFoundAsync(
        $"""
        update transfer set refund_of = (select id from transfer where card_id = '{scene.Paid.Id}')
        where id = '{scene.Refund}'
        """,
        $"transfer {scene.Refund}: does not go back the way of what it refunds, transfer ",
        $"transfer {scene.Payment}: 600 are kept as refunded, its refunds sum to 0");

    [Fact]
    public Task A_member_removed_from_a_group_is_found() => AssertFoundAsync(
        $"delete from transfer where group_id = '{scene.FailedGroup}' and group_index = 2",
        $"group {scene.FailedGroup}: 2 members of 3 are there");

    [Fact]
    public Task A_member_in_another_place_is_found() => AssertFoundAsync(
        $"update transfer set group_size = 2 where group_id = '{scene.AppliedGroup}' and group_index = 1",
        $"group {scene.AppliedGroup}: 3 members of 3 are there, or not in their places",
        "differs from what was decided (payload hash)");

    [Fact]
    public Task A_group_applied_in_part_is_found() => AssertFoundAsync(
        $"""
        update transfer set status = 4013, debit_version = null, credit_version = null
        where group_id = '{scene.AppliedGroup}' and group_index = 2
        """,
        $"group {scene.AppliedGroup}: 2 of 3 members are applied and 0 failed by themselves");

    [Fact]
    public Task A_group_in_which_nobody_failed_is_found() => AssertFoundAsync(
        $"update transfer set status = 4013 where group_id = '{scene.FailedGroup}'",
        $"group {scene.FailedGroup}: 0 of 3 members are applied and 0 failed by themselves");

    [Fact]
    public Task A_member_taken_out_of_its_group_is_found() => AssertFoundAsync(
        $"""
        update transfer set group_id = null, group_index = null, group_size = null
        where group_id = '{scene.FailedGroup}' and group_index = 0
        """,
        ": is linked_failed and in no group", $"group {scene.FailedGroup}: 2 members of 3 are there");

    [Fact]
    public async Task Card_states_that_their_money_does_not_bear_out_are_found()
    {
        var verified = await scene.TamperAsync($"""
            update card set state = 3, settlement_id = null where id = '{scene.Accepted.Id}';
            update card set state = 2, closed_at = now(), settlement_id = hold_id where id = '{scene.Held.Id}';
            update card set state = 6, closed_at = null, settlement_id = null where id = '{scene.Paid.Id}';
            update card set state = 7, closed_at = now(), settlement_id = '{scene.Payment}' where id = '{scene.Open.Id}';
            update card set state = 4 where id = '{scene.Declined.Id}';
            """);

        // Declined and cancelled cards look alike to the money; the log tells them apart.
        LedgerVerifyTests.AssertFound(
            verified,
            $"card {scene.Accepted.Id}: it is Declined and has 1 applied credits",
            $"card {scene.Held.Id}: it is Accepted and has 0 applied credits",
            $"card {scene.Paid.Id}: it is Open and has 1 applied credits",
            $"card {scene.Open.Id}: it is Paid and has 0 applied credits",
            "Findings: 4.");
    }

    [Fact]
    public Task A_card_whose_terms_were_altered_is_found() => AssertFoundAsync(
        $"update card set amount_minor = 1 where id = '{scene.Accepted.Id}'",
        $"card {scene.Accepted.Id}: its credit is not of its amount from its payer to its payee");

    [Fact]
    public Task A_removed_card_is_found() => AssertFoundAsync(
        $"delete from card where id = '{scene.Paid.Id}'",
        $": belongs to card {scene.Paid.Id}, which does not exist");

    [Theory]
    [InlineData("delete from card_authorisation where {0}", "no device of the payer's signed for it")]
    [InlineData("update card_authorisation set signature = set_byte(signature, 5, 255 - get_byte(signature, 5)) where {0}",
        "the signature is not the device's")]
    [InlineData("update card_authorisation set statement = set_byte(statement, 16, 2) where {0}",
        "what was signed is not of its card")]
    [InlineData("update card_authorisation set statement = set_byte(statement, 50, 0) where {0}",
        "what was signed is another payer's, amount or action")]
    [InlineData("update card_authorisation set (statement, signature, device_id) = (select statement, signature, device_id "
        + "from card_authorisation where not ({0}) limit 1) where {0}", "what was signed is not of its card")]
    [InlineData("update card_authorisation set device_id = (select id from device where id <> device_id limit 1) where {0}",
        "the device is not the one that the statement names, or not its payer's")]
    [InlineData("update device set signature_key = set_byte(signature_key, 0, 255 - get_byte(signature_key, 0))",
        "the signature is not the device's")]
    [InlineData("delete from key_entry where sequence = 1", "the device is not in the payer's chain of the key log")]
    public Task A_debit_that_was_not_let_happen_like_this_is_found(string sql, string finding) => AssertFoundAsync(
        string.Format(
            CultureInfo.InvariantCulture, sql,
            $"transfer_id = (select id from transfer where card_id = '{scene.Paid.Id}' and status = 0)"),
        finding);

    [Fact]
    public Task An_authorisation_of_nothing_is_found() => AssertFoundAsync(
        $"""
        insert into card_authorisation (transfer_id, card_id, device_id, statement, signature)
        select gen_random_uuid(), card_id, device_id, statement, signature from card_authorisation limit 1
        """,
        "no card's debit happened by it");

    private async Task AssertFoundAsync(string tampering, params string[] findings) =>
        LedgerVerifyTests.AssertFound(await scene.TamperAsync(tampering), findings);
}
