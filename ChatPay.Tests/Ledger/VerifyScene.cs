using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>
/// A ledger in which everything has happened once, made through the engine's door and left alone. Each test gets a copy of
/// its database to tamper with.
/// </summary>
public sealed class VerifyScene(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly AssetCode s_eur = AssetCode.Parse("EUR");

    private readonly MoneyFixture _money = new(postgres);

    internal LedgerAccountId Alice { get; private set; }

    internal LedgerAccountId Bob { get; private set; }

    /// <summary>Has spent everything and is closed.</summary>
    internal LedgerAccountId Carol { get; private set; }

    /// <summary>Frozen.</summary>
    internal LedgerAccountId Dave { get; private set; }

    internal CardView Accepted { get; private set; } = null!;

    internal CardView Held { get; private set; } = null!;

    internal CardView Paid { get; private set; } = null!;

    internal CardView Open { get; private set; } = null!;

    internal CardView Declined { get; private set; } = null!;

    /// <summary>1000 from Alice to Bob, of which <see cref="Refund"/> gave 600 back.</summary>
    internal Guid Payment { get; private set; }

    internal Guid Refund { get; private set; }

    /// <summary>Of 500 of Alice's, with 200 captured and 300 still open.</summary>
    internal Guid OpenHold { get; private set; }

    /// <summary>Of 50 of Alice's, whose time ran out.</summary>
    internal Guid ExpiredHold { get; private set; }

    /// <summary>Hold, capture and capture of the rest, all applied.</summary>
    internal Guid AppliedGroup { get; private set; }

    internal Guid FailedGroup { get; private set; }

    /// <summary>Asked for 50,000 and moved all that Carol had.</summary>
    internal Guid Sweep { get; private set; }

    public async ValueTask InitializeAsync()
    {
        await _money.InitializeAsync();
        var people = new WalletHolder[4];
        for (var index = 0; index < people.Length; index++)
        {
            people[index] = await _money.PersonAsync();
        }

        Alice = LedgerAccountId.Of(people[0].Account, s_eur);
        Bob = LedgerAccountId.Of(people[1].Account, s_eur);
        Carol = LedgerAccountId.Of(people[2].Account, s_eur);
        Dave = LedgerAccountId.Of(people[3].Account, s_eur);
        await PlayCardsAsync(people[0], people[1]);
        await PlayHoldsAsync();
        await PlayPaymentsAsync();
        await ChangeAsync(AccountChangeKind.Close, Carol);
        await ChangeAsync(AccountChangeKind.Freeze, Dave);
        await _money.DisposeAsync();
    }

    public ValueTask DisposeAsync() => _money.DisposeAsync();

    /// <summary>A copy to tamper with; the connection string of its owner.</summary>
    internal Task<string> CopyAsync() => postgres.CopyDatabaseAsync(_money.ConnectionString);

    /// <summary>Runs <c>ledger verify</c> on a database, as the command does: over services that nobody has started.</summary>
    internal static async Task<(int ExitCode, string Output)> VerifyAsync(
        string connectionString, FileInfo? report = null, TextWriter? output = null, CancellationToken stop = default)
    {
        var builder = ServerHost.CreateBuilder(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Database:ConnectionString"] = connectionString,
        });
        await using var app = builder.Build();
        await using var text = new StringWriter(CultureInfo.InvariantCulture);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, TestContext.Current.CancellationToken);
        var exitCode = await app.Services.VerifyLedgerAsync(output ?? text, both.Token, report);
        return (exitCode, text.ToString());
    }

    /// <summary>Tampers past every trigger and foreign key, as whoever owns the machine can, then verifies.</summary>
    internal async Task<(int ExitCode, string Output)> TamperAsync(string sql)
    {
        var database = await CopyAsync();
        await postgres.AdministerAsync(database, "set session_replication_role = replica; " + sql);
        return await VerifyAsync(database);
    }

    private async Task PlayCardsAsync(WalletHolder alice, WalletHolder bob)
    {
        var conversation = await _money.ConversationAsync(alice, bob);
        Accepted = await _money.PostAsync(CardKind.Transfer, conversation, alice, bob, 1234);
        Held = await _money.PostAsync(CardKind.Transfer, conversation, alice, bob, 100);
        Declined = await _money.PostAsync(CardKind.Transfer, conversation, alice, bob, 200);
        Paid = await _money.PostAsync(CardKind.Request, conversation, alice, bob, 500);
        Open = await _money.PostAsync(CardKind.Request, conversation, alice, bob, 77);
        await _money.ActAsync(bob, Accepted, CardActionKind.Accept);
        await _money.ActAsync(bob, Declined, CardActionKind.Decline);
        await _money.ActAsync(bob, Paid, CardActionKind.Pay);

        // More than there is: a rejected hold.
        await _money.ActAsync(alice, MoneyFixture.Card(CardKind.Transfer, conversation, alice, bob, 1_000_000));
    }

    private async Task PlayHoldsAsync()
    {
        var (open, expired) = (Id(), Id());
        (OpenHold, ExpiredHold) = (open.Value, expired.Value);
        await PostAsync(LedgerCommand.Hold(open, Alice, Money.Of(500, s_eur), 86_400));
        await PostAsync(LedgerCommand.Capture(Id(), open, Alice, Bob, Money.Of(200, s_eur)));
        await PostAsync(LedgerCommand.Hold(expired, Alice, Money.Of(50, s_eur), 60));
        await _money.AdvanceAsync(TimeSpan.FromMinutes(2));
        await PostAsync(LedgerCommand.Expire(Id(), expired, Alice, s_eur));
    }

    private async Task PlayPaymentsAsync()
    {
        var (payment, refund, sweep) = (Id(), Id(), Id());
        (Payment, Refund, Sweep) = (payment.Value, refund.Value, sweep.Value);
        await PostAsync(LedgerCommand.Transfer(payment, Alice, Bob, Money.Of(1_000, s_eur)));
        await PostAsync(LedgerCommand.Refund(refund, payment, Bob, Alice, Money.Of(600, s_eur)));
        var hold = Id();
        AppliedGroup = await PostAsync(
            LedgerCommand.Hold(hold, Alice, Money.Of(1_000, s_eur), 60),
            LedgerCommand.Capture(Id(), hold, Alice, Bob, Money.Of(600, s_eur)),
            LedgerCommand.CaptureAll(Id(), hold, Alice, Carol, s_eur));
        FailedGroup = await PostAsync(
            LedgerCommand.Transfer(Id(), Alice, Bob, Money.Of(1, s_eur)),
            LedgerCommand.Transfer(Id(), Alice, Bob, Money.Of(1_000_000, s_eur)),
            LedgerCommand.Transfer(Id(), Bob, Alice, Money.Of(1, s_eur)));
        await PostAsync(LedgerCommand.Balancing(sweep, Carol, Bob, Money.Of(50_000, s_eur)));
    }

    private TransferId Id() => new(_money.NewId());

    private Task<Result<LedgerDecision>> PostAsync(LedgerCommand command) =>
        SubmitAsync(new PostTransferCommand(command));

    private async Task<Guid> PostAsync(params LedgerCommand[] members)
    {
        var group = new LedgerGroup(new LedgerGroupId(_money.NewId()), members);
        await SubmitAsync(new PostGroupCommand(group));
        return group.Id.Value;
    }

    private async Task ChangeAsync(AccountChangeKind kind, LedgerAccountId account)
    {
        var change = AccountChange.Of(kind, new AccountChangeId(_money.NewId()), account, "The scene says so.");
        Assert.True((await SubmitAsync(new ChangeAccountCommand(change))).Value.Outcome.IsApplied);
    }

    private Task<Result<T>> SubmitAsync<T>(WriteCommand<T> command) =>
        _money.Server.Services.GetRequiredService<GroupCommitter>()
            .SubmitAsync(command, TestContext.Current.CancellationToken);
}
