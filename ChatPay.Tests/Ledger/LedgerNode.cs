using System.Globalization;
using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Ledger;
using ChatPay.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace ChatPay.Tests.Ledger;

/// <summary>The engine's door on one server, and a client in front of it who asks again until the answer is known.</summary>
internal sealed class LedgerNode(TestServer server) : IAsyncDisposable
{
    /// <summary>How often a client asks again with the same ids before a test gives up.</summary>
    private const int AsksMax = 1_000;

    private readonly GroupCommitter _committer = server.Services.GetRequiredService<GroupCommitter>();

    public TestServer Server => server;

    /// <summary>Another server beside the fixture's, on the same database and with a cache of its own.</summary>
    public static async Task<LedgerNode> StartAsync(
        string connectionString, int batchSize = 1_024, int flights = 2, int cachedAccounts = 262_144,
        int lockTimeoutMs = 500, int queueCapacity = 8_192, int maxAttempts = 8)
    {
        var settings = new Dictionary<string, string?>(MoneyFixture.Settings, StringComparer.Ordinal)
        {
            ["Ledger:Assets:3:Code"] = "SHARE",
            ["Ledger:Assets:3:Exponent"] = "0",
            ["Ledger:Assets:3:Kind"] = "Unit",
            ["GroupCommit:BatchSize"] = batchSize.ToString(CultureInfo.InvariantCulture),
            ["GroupCommit:CrowdSize"] = "0",
            ["GroupCommit:Flights"] = flights.ToString(CultureInfo.InvariantCulture),
            ["Ledger:CachedAccounts"] = cachedAccounts.ToString(CultureInfo.InvariantCulture),
            ["GroupCommit:LockTimeoutMs"] = lockTimeoutMs.ToString(CultureInfo.InvariantCulture),
            ["GroupCommit:MaxAttempts"] = maxAttempts.ToString(CultureInfo.InvariantCulture),
            ["GroupCommit:QueueCapacity"] = queueCapacity.ToString(CultureInfo.InvariantCulture),
        };
        return new LedgerNode(await TestServer.StartAsync(connectionString, settings));
    }

    public async Task<LedgerOutcome> PostAsync(LedgerCommand command) =>
        (await AskAsync(() => TryPostAsync(command))).Outcome;

    public async Task<IReadOnlyList<LedgerOutcome>> PostAsync(LedgerGroup group) =>
        (await AskAsync(() => _committer.SubmitAsync(new PostGroupCommand(group), CancellationToken.None))).Outcomes;

    public async Task<LedgerOutcome> PostAsync(AccountChange change) =>
        (await AskAsync(() => _committer.SubmitAsync(new ChangeAccountCommand(change), CancellationToken.None))).Outcome;

    public async Task<IReadOnlyList<LedgerOutcome>> PostAsync(LedgerAct act) => act switch
    {
        LedgerAct.Single single => [await PostAsync(single.Command)],
        LedgerAct.Linked linked => await PostAsync(linked.Group),
        LedgerAct.Change change => [await PostAsync(change.What)],
        _ => throw new InvalidOperationException("No such act."),
    };

    /// <summary>Asks once; the clock is the deciding one.</summary>
    public Task<Result<LedgerDecision>> TryPostAsync(LedgerCommand command, CancellationToken cancellationToken = default) =>
        _committer.SubmitAsync(new PostTransferCommand(command), cancellationToken);

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private static async Task<T> AskAsync<T>(Func<Task<Result<T>>> ask)
    {
        for (var turn = 1; ; turn++)
        {
            var result = await ask();
            if (result.IsOk)
            {
                return result.Value;
            }

            if (result.Error is not { Retryable: true } error || turn == AsksMax)
            {
                throw new InvalidOperationException($"The engine answered {result.Error}.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), CancellationToken.None);
        }
    }
}
