using ChatPay.Core.Cards;
using ChatPay.Core.Protocol;
using ChatPay.Tests.Ledger;
using ChatPay.Tests.Support;
using Dapper;
using Npgsql;
using Xunit;

namespace ChatPay.Tests.Cards;

/// <summary>No money leaves an account but by the word of one of its devices, and by none but its exact word.</summary>
public sealed class AuthorisationTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(10);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_takes_money_needs_a_signature_and_what_does_not_needs_none()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var transfer = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        await AssertRefusedAsync(alice, transfer, ErrorCode.AuthorisationMissing);
        var request = await money.PostAsync(CardKind.Request, conversation, alice, bob, 100);
        var pay = new CardActRequest(request.Id, 1, CardActionKind.Pay, money.NewId());
        await AssertRefusedAsync(bob, pay, ErrorCode.AuthorisationMissing);

        // The key was not used up.
        Assert.Equal(CardState.Held, (await money.ActAsync(alice, transfer)).Value.Card.State);
        Assert.Equal(CardState.Paid, (await SendAsync(bob, bob.Signer.Sign(pay, request))).Value.Card.State);
        await money.AssertCleanAsync();
    }

    [Theory]
    [InlineData("payee")]
    [InlineData("amount")]
    [InlineData("card")]
    [InlineData("conversation")]
    [InlineData("kind")]
    [InlineData("asset")]
    [InlineData("details")]
    [InlineData("version")]
    [InlineData("action")]
    [InlineData("key")]
    [InlineData("device")]
    [InlineData("payer")]
    [InlineData("signature")]
    [InlineData("size")]
    [InlineData("end")]
    public async Task A_signature_over_anything_else_moves_nothing(string changed)
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var carol = await money.PersonAsync();
        var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        var terms = CardSigner.TermsOf(post.Card, post.Post!);
        var signer = alice.Signer;
        CardActRequest Signed(CardTerms signed) => signer.Sign(post, signed, post.Post!.DetailCommit, s_lifetime);
        var made = changed switch
        {
            "payee" => Signed(terms with { Payee = carol.Account }),
            "amount" => Signed(terms with { Money = Core.Ledger.Money.Of(99, terms.Money.Asset) }),
            "card" => Signed(terms with { Card = new(money.NewId()) }),
            "conversation" => Signed(terms with { Conversation = new(money.NewId()) }),
            "kind" => Signed(terms with { Kind = CardKind.Request }),
            "asset" => Signed(terms with { Money = Core.Ledger.Money.Of(100, Core.Ledger.AssetCode.Parse("JPY")) }),
            "details" => signer.Sign(post, terms, new byte[32], s_lifetime),
            "version" => signer.Sign(post with { Version = 1 }, terms, post.Post!.DetailCommit, s_lifetime) with { Version = 0 },
            "action" => post with
            {
                Authorisation = signer.Sign(
                    post with { Action = CardActionKind.Pay }, terms, post.Post!.DetailCommit, s_lifetime).Authorisation,
            },
            "key" => Signed(terms) with { IdempotencyKey = money.NewId() },
            "device" => (signer with { Device = bob.Device }).Sign(post),
            "payer" => (signer with { Account = bob.Account }).Sign(post),
            "signature" => (signer with { Key = carol.Signer.Key }).Sign(post),
            "size" => post with { Authorisation = Signed(terms).Authorisation! with { Signature = new byte[63] } },
            "end" => post with { Authorisation = Later(Signed(terms).Authorisation!) },
            _ => throw new ArgumentOutOfRangeException(nameof(changed)),
        };
        await AssertRefusedAsync(alice, made, ErrorCode.AuthorisationInvalid);
        Assert.Equal(CardState.Held, (await money.ActAsync(alice, post)).Value.Card.State);

        static CardAuthorisation Later(CardAuthorisation signed) => signed with { ExpiresAt = signed.ExpiresAt + 1 };
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(Limits.AuthorisationMaxSeconds + 60)]
    public async Task One_that_is_over_or_lasts_too_long_moves_nothing_and_says_what_time_it_is(int seconds)
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        var terms = CardSigner.TermsOf(post.Card, post.Post!);
        var refused = await AssertRefusedAsync(
            alice, alice.Signer.Sign(post, terms, post.Post!.DetailCommit, TimeSpan.FromSeconds(seconds)),
            ErrorCode.AuthorisationExpired);
        var now = Assert.IsType<long>(refused.Details!["now"]);
        Assert.InRange(now, DateTimeOffset.UnixEpoch.ToUnixTimeSeconds() + 1, long.MaxValue);
    }

    [Fact]
    public async Task A_retry_may_be_signed_anew_and_gets_the_one_answer()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        var terms = CardSigner.TermsOf(post.Card, post.Post!);
        var first = await money.ActAsync(alice, post);
        var anew = await SendAsync(
            alice, alice.Signer.Sign(post, terms, post.Post!.DetailCommit, TimeSpan.FromMinutes(20)));
        var late = await SendAsync(
            alice, alice.Signer.Sign(post, terms, post.Post!.DetailCommit, TimeSpan.FromMinutes(-20)));
        Assert.Equal(first.Value.Seq, anew.Value.Seq);
        Assert.Equal(first.Value.Seq, late.Value.Seq);
        Assert.Equal((10_000, 100), await money.BalanceAsync(alice));
    }

    [Fact]
    public async Task A_device_that_is_revoked_or_in_no_chain_cannot_pay_and_can_still_be_paid()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var post = MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100);
        await SetStandingAsync("approved_at = null", alice);
        await AssertRefusedAsync(alice, money.Sign(alice, post), ErrorCode.AuthorisationDevice);
        await SetStandingAsync("approved_at = now(), revoked_at = now()", alice);
        await AssertRefusedAsync(alice, money.Sign(alice, post), ErrorCode.AuthorisationDevice);
        await SetStandingAsync("revoked_at = null", alice);
        var posted = await money.ActAsync(alice, post);
        await SetStandingAsync("approved_at = null", bob);
        Assert.Equal(
            CardState.Accepted, (await money.ActAsync(bob, posted.Value.Card, CardActionKind.Accept)).Value.Card.State);
    }

    /// <summary>
    /// It signed, its signature was looked at, and the payment waits for what another transaction does to the device.
    /// </summary>
    [Fact]
    public async Task A_device_that_is_revoked_while_its_payment_waits_does_not_pay()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        await using var connection = await money.DataSource.OpenConnectionAsync(Cancellation);
        await using var transaction = await connection.BeginTransactionAsync(Cancellation);
        await connection.ExecuteAsync(
            "update device set revoked_at = now() where id = @id", new { id = alice.Device.Value }, transaction);
        var paying = SendAsync(alice, money.Sign(alice, MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 100)));
        await Eventually.TrueAsync(
            async () => await connection.ExecuteScalarAsync<bool>(
                "select exists (select from pg_locks where not granted and locktype = 'transactionid' "
                + "and transactionid = pg_current_xact_id()::xid)", transaction: transaction),
            "the payment waits for the device");
        await transaction.CommitAsync(Cancellation);
        Assert.Equal(ErrorCode.AuthorisationDevice, (await paying).Error?.Code);
        Assert.Equal((10_000, 0), await money.BalanceAsync(alice));
    }

    [Fact]
    public async Task Of_two_devices_that_pay_one_request_at_once_one_does()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        var request = await money.PostAsync(CardKind.Request, conversation, alice, bob, 100);
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => money.ActAsync(bob, request, CardActionKind.Pay)));
        Assert.Equal(1, results.Count(result => result.IsOk));
        Assert.All(
            results.Where(result => !result.IsOk), result => Assert.Equal(ErrorCode.CardTerminal, result.Error!.Code));
        Assert.Equal((9_900, 0), await money.BalanceAsync(bob));
    }

    [Fact]
    public async Task The_database_itself_refuses_a_debit_of_a_card_that_nobody_signed_for()
    {
        var (alice, bob, conversation) = await money.PairAsync();
        await money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        await using var connection = await money.DataSource.OpenConnectionAsync(Cancellation);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync(
            """
            insert into transfer (id, kind, debit_id, amount_minor, asset, card_id, actor_id, status, payload_hash, created_at,
                debit_version)
            select gen_random_uuid(), kind, debit_id, amount_minor, asset, card_id, actor_id, status, payload_hash, created_at,
                debit_version
            from transfer where card_id is not null and kind = 2 limit 1
            """));
        Assert.Contains("has no authorisation", refused.MessageText, StringComparison.Ordinal);
        var changed = await Assert.ThrowsAsync<PostgresException>(() => connection.ExecuteAsync(
            "update card_authorisation set signature = signature"));
        Assert.Contains("only ever added", changed.MessageText, StringComparison.Ordinal);
    }

    private async Task<Error> AssertRefusedAsync(WalletHolder actor, CardActRequest request, ErrorCode code)
    {
        var before = await money.StateAsync();
        var refused = await SendAsync(actor, request);
        Assert.Equal(code, refused.Error?.Code);
        Assert.Equal(before, await money.StateAsync());
        return refused.Error!;
    }

    /// <summary>As it is, without the fixture's signing.</summary>
    private Task<Result<CardActReply>> SendAsync(WalletHolder actor, CardActRequest request) =>
        money.Cards.ActAsync(actor.Caller, request, Cancellation);

    private async Task SetStandingAsync(string assignment, WalletHolder holder)
    {
        await using var connection = await money.DataSource.OpenConnectionAsync(Cancellation);
        await connection.ExecuteAsync(
            $"update device set {assignment} where id = @id", new { id = holder.Device.Value });
    }
}
