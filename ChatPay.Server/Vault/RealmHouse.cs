using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using ChatPay.Server.Database;
using ChatPay.Server.Hosting;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Vault;

/// <summary>
/// The realms that run in this process: those inside the server, or the one that has a process to itself. They are ready
/// before it takes connections: each has its key file, and its database belongs to it and is not behind what the file
/// remembers.
/// </summary>
internal sealed partial class RealmHouse(
    IServiceProvider services, IOptions<VaultOptions> options, VaultPlan plan, VaultNews news, TimeProvider time,
    ILogger<RealmHouse> logger) : BackgroundService
{
    private static readonly TimeSpan s_sweep = TimeSpan.FromHours(1);

    /// <summary>Looked back beyond the round before, and at the first one: clocks and databases take their time.</summary>
    private static readonly TimeSpan s_lapseMargin = TimeSpan.FromMinutes(1);

    private readonly List<Realm> _realms = [];

    public IReadOnlyList<Realm> Realms => _realms;

    public VaultView View => plan.Hosts.Count > 0
        ? new(plan.Operators, plan.Threshold, [.. plan.Hosts.Select(host => host.Realm)], plan.Hosts)
        : new(plan.Operators, plan.Threshold, [.. _realms.Select(realm => realm.Id.Value)]);

    public Realm? Find(RealmId id) => _realms.Find(realm => realm.Id == id);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var schema in plan.Schemas)
        {
            var store = new RealmStore(services.OpenForServing(schema, options.Value.MaxPoolSize), time);
            _realms.Add(await OpenAsync(store, schema.Name!.Replace('_', '-'), cancellationToken));
        }

        foreach (var realm in _realms)
        {
            await BeatAsync(realm, cancellationToken);
        }

        services.GetService<RealmTokens>()?.Open();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(options.Value.BeatSeconds), time);
        var swept = time.GetTimestamp();
        var lapsed = _realms.ToDictionary(static realm => realm.Id, _ => time.GetTimestamp());
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            var isSweep = time.GetElapsedTime(swept) > s_sweep;
            swept = isSweep ? time.GetTimestamp() : swept;
            foreach (var realm in _realms)
            {
                try
                {
                    await BeatAsync(realm, stoppingToken);
                    var looked = time.GetTimestamp();
                    await LapseAsync(realm, time.GetElapsedTime(lapsed[realm.Id], looked) + s_lapseMargin, stoppingToken);
                    lapsed[realm.Id] = looked;
                    await realm.Store.News.SweepAsync(stoppingToken);
                    var destroyed = await realm.Store.DestroyAsync(account: null, stoppingToken);
                    if (destroyed > 0)
                    {
                        Log.Destroyed(logger, destroyed, realm.Id.Value);
                    }

                    if (isSweep)
                    {
                        await realm.Store.SweepAsync(TimeSpan.FromDays(options.Value.AttemptDays), stoppingToken);
                    }
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    Log.RoundFailed(logger, realm.Id.Value, failure);
                }
            }
        }
    }

    public override void Dispose()
    {
        foreach (var realm in _realms)
        {
            realm.Store.Dispose();
            realm.KeyFile.Key.Dispose();
        }

        base.Dispose();
    }

    /// <summary>A realm is its key file and its database; either alone is another one, or none.</summary>
    private async Task<Realm> OpenAsync(RealmStore store, string name, CancellationToken cancellationToken)
    {
        var owner = await store.FindRealmAsync(cancellationToken);
        var folder = Path.GetFullPath(plan.KeyFolder);
        var keyFile = RealmKeyFile.Open(folder, name, mayCreate: owner is null)
            ?? throw new StartupException(
                $"The key file {name}.key is missing from {folder}, and the database holds what only it opens: copy it from "
                + "another node or from where its copy is kept, or name its folder in Vault:KeyFolder.");
        var used = keyFile.ReadBeat();
        if (owner is null)
        {
            if (used is null)
            {
                await store.ClaimAsync(keyFile.Id, RandomId.Create(), RandomId.Create(), cancellationToken);
            }

            // Another node that starts at this moment may have been quicker.
            owner = await store.FindRealmAsync(cancellationToken);
        }

        return owner is { } found && found.Realm == keyFile.Id && (used is null || used.Value.Database == found.Database)
            ? new Realm(
                store, keyFile, found.Database, TimeSpan.FromHours(options.Value.WaitHours), news, time)
            : throw new StartupException(
                $"The key file {name}.key in {folder} belongs to another database than this one: put back the one that belongs "
                + "to it, or name its folder in Vault:KeyFolder. Two databases need two folders.");
    }

    private async Task BeatAsync(Realm realm, CancellationToken cancellationToken)
    {
        if (await realm.BeatAsync(cancellationToken))
        {
            Log.Restored(logger, realm.Id.Value);
        }
    }

    /// <summary>A guess that nobody came back for has failed, and the account's devices hear that it has.</summary>
    private async Task LapseAsync(Realm realm, TimeSpan since, CancellationToken cancellationToken)
    {
        foreach (var (account, attempt) in await realm.Store.LapseAsync(since, cancellationToken))
        {
            news.Tell(
                account, new VaultAttempt(attempt.At, attempt.Device, VaultAttemptOutcome.Failed, realm.Id.Value));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(6000, LogLevel.Warning,
            "The database of realm {Realm} was restored from a backup: PINs that were registered before are locked until a "
            + "signed-in device registers anew")]
        public static partial void Restored(ILogger logger, Guid realm);

        [LoggerMessage(6001, LogLevel.Information, "{Count} records of realm {Realm} had no guesses left and are destroyed")]
        public static partial void Destroyed(ILogger logger, int count, Guid realm);

        [LoggerMessage(6002, LogLevel.Warning, "Realm {Realm} could not look after its database")]
        public static partial void RoundFailed(ILogger logger, Guid realm, Exception failure);
    }
}
