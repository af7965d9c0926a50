using System.Text;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.Server.Hosting;
using ChatPay.Server.Vault;

namespace ChatPay.Server.Transparency;

/// <summary>
/// Takes entries into a log and signs what it comes to. Whoever waits for an entry shares the next round with all others
/// who do, so the log's signatures and commits are fewer than its entries under load.
/// </summary>
/// <param name="name">Of the server in its logs' origins; empty for one made of the log's key.</param>
/// <param name="pause">How often it is looked whether anything waits.</param>
internal abstract partial class LogKeeper(
    LogStore store, string name, TimeSpan pause, VaultPlan vault, TimeProvider time, ILogger logger)
    : BackgroundService
{
    private const int NameKeyHexChars = 8;

    private readonly SemaphoreSlim _gate = new(1);
    private LogKeyFile? _keyFile;
    private LogMark? _mark;
    private (int Number, MerkleFrontier Tree)? _tree;
    private CancellationToken _stopping;
    private long _asked;
    private long _served;

    /// <summary>What signs the log.</summary>
    /// <exception cref="InvalidOperationException">It has not started.</exception>
    public LogKeyFile KeyFile =>
        _keyFile ?? throw new InvalidOperationException($"The {store.Log.What} has not started.");

    /// <summary>How often it has been looked since the start whether anything waits, and taken in.</summary>
    public long Looks { get; private set; }

    /// <summary>The log that is signed now.</summary>
    public KeyLogView ViewOf(LogRow row)
    {
        ArgumentNullException.ThrowIfNull(row);
        var signer = SignerOf(row.Number);
        return new KeyLogView(signer.Verifier.Name, signer.Verifier.ToString());
    }

    /// <summary>Returns once every entry that was committed before the call is in the log.</summary>
    public async Task IncludeAsync(CancellationToken cancellationToken)
    {
        var mine = Interlocked.Increment(ref _asked);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_served >= mine)
            {
                return;
            }

            var all = Interlocked.Read(ref _asked);
            await RunAsync(CancellationToken.None);
            _served = all;
        }
        finally
        {
            _gate.Release();
        }
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        var row = await store.FindAsync(cancellationToken);
        var folder = Path.GetFullPath(vault.KeyFolder);
        _keyFile = LogKeyFile.Open(store.Log, folder, mayCreate: row is null)
            ?? throw new StartupException(
                $"The {store.Log.What}'s key file is missing from {folder}, and the database holds what was signed with it: "
                + "copy it from another node or from where its copy is kept, or name its folder in Vault:KeyFolder.");

        // Read before the database is: a node that signs meanwhile only makes the database younger.
        _mark = _keyFile.ReadMark();
        if (row is null)
        {
            var root = MerkleHash.Empty();
            await store.ClaimAsync(
                _keyFile.PublicKey, root, Sign(new LogMark(1, 0, root)), cancellationToken);
            row = await store.FindAsync(cancellationToken);
        }

        if (!row!.VerifierKey.AsSpan().SequenceEqual(_keyFile.PublicKey))
        {
            throw new StartupException(
                $"The {store.Log.What}'s key file in {folder} belongs to another database than this one: put back the one that "
                + "belongs to it, or name its folder in Vault:KeyFolder.");
        }

        Opened(_keyFile);
        await RoundAsync(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        _keyFile?.Dispose();
        _gate.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        _stopping = stoppingToken;
        using var timer = new PeriodicTimer(pause, time);
        do
        {
            try
            {
                if (await store.Intake.MayWaitAsync(stoppingToken))
                {
                    await IncludeAsync(stoppingToken);
                }

                Looks++;
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                Log.RoundFailed(logger, store.Log.What, failure);
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    /// <summary>The log's key is there; it is called before the first round.</summary>
    protected virtual void Opened(LogKeyFile keyFile)
    {
    }

    /// <summary>Rounds until nothing waits.</summary>
    private async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await RoundAsync(cancellationToken))
            {
                // A log that has millions of entries to take in does not hold up a node that stops.
                _stopping.ThrowIfCancellationRequested();
            }
        }
        catch
        {
            // What this node believes of the tree may not be what was committed.
            _tree = null;
            throw;
        }
    }

    /// <returns>Whether there is more to take at once.</returns>
    private async Task<bool> RoundAsync(CancellationToken cancellationToken)
    {
        await using var round = await store.BeginAsync(cancellationToken);
        var isRenewed = _mark is not null && !await GoesOnFromAsync(round, _mark, cancellationToken);
        var number = isRenewed ? Math.Max(round.Row.Number, _mark!.Number) + 1 : round.Row.Number;
        if (isRenewed)
        {
            await round.RenewAsync(cancellationToken);
        }

        var leaves = await round.FindAsync(number, cancellationToken);
        if (leaves.Count == 0 && !isRenewed)
        {
            _mark = round.Row.Mark;
            return store.Intake.Taken();
        }

        var tree = isRenewed ? new MerkleFrontier() : await TreeAsync(round, cancellationToken);
        var first = tree.Size;
        var hashes = new Dictionary<TileId, List<byte>>();
        foreach (var leaf in leaves)
        {
            tree.Append(MerkleHash.Leaf(leaf), (level, index, hash) => Collect(hashes, level, index, hash));
        }

        if (leaves.Count > 0)
        {
            await round.TakeAsync(first, hashes, cancellationToken);
        }

        var mark = new LogMark(number, tree.Size, tree.Root());
        await round.CommitAsync(mark, Sign(mark), cancellationToken);
        if (isRenewed)
        {
            Log.Renewed(logger, store.Log.What, SignerOf(number).Verifier.Name);
        }

        _mark = mark;
        _tree = (number, tree);
        KeyFile.WriteMark(mark);
        store.Log.Metrics.Took(leaves.Count);
        return store.Intake.Taken();
    }

    /// <summary>Whether the database still tells what was signed, and perhaps more.</summary>
    private static async Task<bool> GoesOnFromAsync(LogRound round, LogMark mark, CancellationToken cancellationToken)
    {
        var row = round.Row;
        if (row.IsBehind(mark))
        {
            return false;
        }

        if (row.Number > mark.Number || row.Size == mark.Size || mark.Size == 0)
        {
            return true;
        }

        var proof = await round.Tiles.ReadAsync(
            row.Size, read => ConsistencyProof.Generate(mark.Size, row.Size, read), cancellationToken);
        return proof is not null
            && ConsistencyProof.Verify(mark.Size, row.Size, mark.Root, row.Root, proof) == LogRejection.None;
    }

    private async Task<MerkleFrontier> TreeAsync(LogRound round, CancellationToken cancellationToken)
    {
        var row = round.Row;
        if (_tree is { } known && known.Number == row.Number && known.Tree.Size == row.Size)
        {
            return known.Tree;
        }

        var tree = await round.Tiles.ReadAsync(row.Size, read => Load(row.Size, read), cancellationToken);
        return tree is not null && tree.Root().AsSpan().SequenceEqual(row.Root)
            ? tree : throw new InvalidOperationException(
                $"The {store.Log.What}'s tiles do not lead to the root that was signed.");
    }

    /// <summary>The tree, or null while hashes of it have yet to be loaded.</summary>
    private static MerkleFrontier? Load(long size, ReadHash read)
    {
        var isWhole = true;
        var tree = MerkleFrontier.Load(size, (level, index, hash) =>
        {
            isWhole &= read(level, index, hash);
            return true;
        });
        return isWhole ? tree : null;
    }

    private static void Collect(Dictionary<TileId, List<byte>> hashes, int level, long index, ReadOnlySpan<byte> hash)
    {
        if (level % TilePath.Height != 0)
        {
            return;
        }

        var id = new TileId(level / TilePath.Height, index / TilePath.FullWidth);
        if (!hashes.TryGetValue(id, out var grown))
        {
            hashes.Add(id, grown = []);
        }

        grown.AddRange(hash);
    }

    private string Sign(LogMark mark)
    {
        var signer = SignerOf(mark.Number);
        return new Checkpoint(signer.Verifier.Name, mark.Size, mark.Root).Sign(signer).ToString();
    }

    /// <summary>Who signs the log of this number.</summary>
    public NoteSigner SignerOf(int number)
    {
        var server = name.Length > 0
            ? name : "chatpay-" + Convert.ToHexStringLower(KeyFile.PublicKey)[..NameKeyHexChars];
        var origin = new StringBuilder(server).Append('/').Append(store.Log.Origin);
        return new NoteSigner((number == 1 ? origin : origin.Append('/').Append(number)).ToString(), KeyFile.Key);
    }

    private static partial class Log
    {
        [LoggerMessage(7000, LogLevel.Warning, "The {What} could not take in its entries; it is tried again")]
        public static partial void RoundFailed(ILogger logger, string what, Exception failure);

        [LoggerMessage(7001, LogLevel.Warning,
            "The database is behind what the {What} had signed, as one restored from a backup is: another log begins, {Origin}, "
            + "and clients tell their people so")]
        public static partial void Renewed(ILogger logger, string what, string origin);
    }
}
