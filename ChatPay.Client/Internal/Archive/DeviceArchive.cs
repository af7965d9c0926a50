namespace ChatPay.Client.Internal.Archive;

/// <summary>Everything that a device does for its account's archive.</summary>
internal sealed class DeviceArchive
{
    private readonly DeviceCore _core;

    public DeviceArchive(DeviceCore core)
    {
        _core = core;
        Queue = new ArchiveQueue(core);
        Uploader = new ArchiveUploader(core, Queue, LookAgain);
        Keeper = new ArchiveKeeper(core, Queue, Uploader);
        Reader = new ArchiveReader(core, Keeper);
    }

    public ArchiveQueue Queue { get; }

    public ArchiveUploader Uploader { get; }

    public ArchiveKeeper Keeper { get; }

    public ArchiveReader Reader { get; }

    public Task LoadAsync(CancellationToken cancellationToken) => Queue.LoadAsync(cancellationToken);

    /// <summary>Looks in the background whether the archive is on.</summary>
    public void LookAgain() => _core.Background(Keeper.FollowAsync);
}
