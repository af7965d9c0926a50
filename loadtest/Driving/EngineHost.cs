using ChatPay.Core.Ledger;
using ChatPay.Core.Protocol;
using ChatPay.LoadTest.Database;
using ChatPay.Server.Database;
using ChatPay.Server.Database.GroupCommit;
using ChatPay.Server.Hosting;
using ChatPay.Server.Ledger;
using ChatPay.Server.Transparency;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;

namespace ChatPay.LoadTest.Driving;

/// <summary>
/// The whole server in this process, started as it starts itself: what is measured is its own write path with all of its
/// features in the batch. Callers hand it commands where its hub would.
/// </summary>
internal sealed class EngineHost : IAsyncDisposable
{
    /// <summary>The most that the server lets a new wallet have: ten thousand million euros.</summary>
    private const string WalletMinor = "1000000000000";

    private const int OpenersAtOnce = 2_048;

    private readonly WebApplication _app;
    private readonly GroupCommitter _committer;

    private EngineHost(WebApplication app)
    {
        _app = app;
        _committer = app.Services.GetRequiredService<GroupCommitter>();
    }

    public static AssetCode Asset { get; } = AssetCode.Parse("EUR");

    /// <summary>The server's own connections, with the role and the settings that it works with.</summary>
    public NpgsqlDataSource DataSource => _app.Services.GetRequiredService<NpgsqlDataSource>();

    /// <summary>How the write path is set, for the report.</summary>
    public GroupCommitOptions WritePath => _app.Services.GetRequiredService<IOptions<GroupCommitOptions>>().Value;

    public static async Task<EngineHost> StartAsync(DatabaseUnderTest database, CancellationToken cancellationToken)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["urls"] = "http://127.0.0.1:0",
            ["Logging:LogLevel:Default"] = "Warning",
            ["Logging:LogLevel:ChatPay.Server.Hosting.WebClient"] = "Error",
            ["Ledger:Assets:0:Code"] = Asset.Value,
            ["Ledger:Assets:0:Exponent"] = "2",
            ["Ledger:Assets:0:SandboxMinor"] = WalletMinor,
            ["Ledger:Sandbox:Enabled"] = "true",
            ["Ledger:Sandbox:AllowOutsideDevelopment"] = "true",
        };
        foreach (var (key, value) in database.ServerSettings)
        {
            settings[key] = value;
        }

        var app = ServerHost.Build(ServerHost.CreateBuilder(settings, "Production"));
        try
        {
            await app.Services.MigrateAsync(cancellationToken);
            await app.StartAsync(cancellationToken);
            return new EngineHost(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public Task<Result<LedgerDecision>> SettleAsync(LedgerCommand command) =>
        _committer.SubmitAsync(new PostTransferCommand(command), CancellationToken.None);

    /// <summary>New people with a funded wallet each, opened as the server opens them.</summary>
    /// <param name="owner">Connections that may add people without asking.</param>
    public async Task<LedgerAccountId[]> OpenWalletsAsync(
        NpgsqlDataSource owner, int wallets, ulong seed, CancellationToken cancellationToken)
    {
        var random = new SplitMix64(seed);
        var people = new AccountId[wallets];
        for (var index = 0; index < wallets; index++)
        {
            people[index] = new AccountId(random.NextUuid());
        }

        await PeopleStore.AddAsync(owner, people, cancellationToken);
        var assets = _app.Services.GetRequiredService<AssetCatalogue>();
        foreach (var crowd in people.Chunk(OpenersAtOnce))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var opened = await Task.WhenAll(crowd.Select(person =>
                _committer.SubmitAsync(new OpenWalletsCommand(person, assets), cancellationToken)));
            if (opened.FirstOrDefault(result => !result.IsOk).Error is { } error)
            {
                throw new InvalidOperationException($"A wallet could not be opened: {error.Code}: {error.Message}");
            }
        }

        return Array.ConvertAll(people, person => LedgerAccountId.Of(person, Asset));
    }

    /// <summary>Has the ledger log take in what it has not yet, and tells how many transfers it has then.</summary>
    public async Task<long> SealAsync(CancellationToken cancellationToken)
    {
        await _app.Services.GetRequiredService<LedgerLogKeeper>().IncludeAsync(cancellationToken);
        return await SealedAsync(cancellationToken);
    }

    /// <summary>How many transfers the ledger log has.</summary>
    public async Task<long> SealedAsync(CancellationToken cancellationToken) =>
        (await _app.Services.GetRequiredService<LedgerLogReader>().HeadAsync(cancellationToken)).Size;

    /// <summary>Runs the server's own <c>ledger verify</c>.</summary>
    public async Task<bool> VerifyAsync(TextWriter output, CancellationToken cancellationToken) =>
        await _app.Services.VerifyLedgerAsync(output, cancellationToken) == 0;

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }
}
