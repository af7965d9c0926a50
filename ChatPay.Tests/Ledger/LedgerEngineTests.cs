using ChatPay.Core.Ledger;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace ChatPay.Tests.Ledger;

/// <summary>The write path and the real PostgreSQL against the naive model: loading, deciding, writing.</summary>
public sealed class LedgerEngineTests(MoneyFixture money) : IClassFixture<MoneyFixture>
{
    private const int Streams = 8;
    private const int StepsPerStream = 250;
    private const int StepsPerBurst = 40;

    /// <summary>Makes the steps' amounts scarce in wallets of 10,000.</summary>
    private const int Scale = 20;

    /// <summary>A failure prints the seed to replay it.</summary>
    [Fact]
    public void Engine_and_naive_model_agree_on_every_status_and_balance() => Prop
        .ForAll(LedgerStep.Streams(StepsPerStream).ToArbitrary(), AgreesAsync)
        .Check(Config.QuickThrowOnFailure.WithMaxTest(Streams));

    private async Task<bool> AgreesAsync(List<LedgerStep> stream)
    {
        var committer = money.Server.Services.GetRequiredService<GroupCommitter>();
        var (accounts, model) = await AccountsAsync();

        // The system account is shared with earlier streams, whose holds are nothing to this one's model.
        var (_, heldBeforeMinor) = await BalanceAsync(accounts[^1]);

        // Ids of this stream alone: all streams share a database.
        var ids = new Dictionary<int, TransferId>();
        TransferId Name(int number) =>
            ids.TryGetValue(number, out var id) ? id : ids[number] = new TransferId(money.NewId());

        foreach (var burst in stream.Chunk(StepsPerBurst))
        {
            // The queue keeps the order in which one caller puts commands into it, whatever batches they end up in.
            LedgerCommand[] commands =
            [
                .. from step in burst
                   let scaled = step with { AmountMinor = step.AmountMinor * Scale }
                   select scaled.ToCommand(accounts, Name),
            ];
            var decided = await Task.WhenAll(commands.Select(command =>
                committer.SubmitAsync(new PostTransferCommand(command), CancellationToken.None)));
            for (var index = 0; index < commands.Length; index++)
            {
                var (outcome, now) = decided[index].Value;
                var expected = model.Decide(commands[index], now);
                if (expected != outcome.Status)
                {
                    throw new InvalidOperationException(
                        $"{burst[index]}: the model says {expected}, the engine {outcome.Status}.");
                }
            }

            await money.AdvanceAsync(TimeSpan.FromSeconds(25));
        }

        foreach (var account in accounts)
        {
            var (balanceMinor, heldMinor) = model.Balance(account);
            var earlierMinor = account == accounts[^1] ? heldBeforeMinor : 0;
            Assert.Equal((balanceMinor, heldMinor + earlierMinor), await BalanceAsync(account));
        }

        await money.AssertCleanAsync();
        return true;
    }

    /// <summary>Three wallets with euros, one with yen, and the system account they came from.</summary>
    private async Task<(LedgerAccountId[] Accounts, NaiveLedger Model)> AccountsAsync()
    {
        var (eur, jpy) = (AssetCode.Parse("EUR"), AssetCode.Parse("JPY"));
        var people = new[] { await money.PersonAsync(), await money.PersonAsync(), await money.PersonAsync() };
        LedgerAccountId[] accounts =
        [
            .. people.Select(person => LedgerAccountId.Of(person.Account, eur)),
            LedgerAccountId.Of(people[0].Account, jpy), LedgerAccountId.OfSystem("sandbox", eur),
        ];
        var model = new NaiveLedger();
        for (var index = 0; index < accounts.Length; index++)
        {
            var (balanceMinor, _) = await BalanceAsync(accounts[index]);
            model.Open(accounts[index], index == 3 ? jpy : eur, guarded: index < 4, balanceMinor);
        }

        return (accounts, model);
    }

    private async Task<(long BalanceMinor, long HeldMinor)> BalanceAsync(LedgerAccountId account)
    {
        await using var command = money.DataSource.CreateCommand(
            "select balance_minor, held_minor from ledger_account where id = $1");
        command.Parameters.AddWithValue(account.Value);
        await using var reader = await command.ExecuteReaderAsync();
        Assert.True(await reader.ReadAsync());
        return (reader.GetInt64(0), reader.GetInt64(1));
    }
}
