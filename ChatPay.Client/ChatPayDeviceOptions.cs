using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Client;

/// <summary>
/// What a <see cref="ChatPayDevice"/> is opened with. Every value has a bound that is checked at the start.
/// </summary>
public sealed record ChatPayDeviceOptions
{
    /// <summary>The server's root, such as <c>https://chat.example/</c>.</summary>
    public required Uri Address { get; init; }

    /// <summary>Where the device keeps its state. Its owner disposes it, after the device.</summary>
    public required IDeviceStore Store { get; init; }

    /// <summary>Shown in the account's list of devices. 1 to 64 characters; default <c>ChatPay SDK</c>.</summary>
    public string DeviceName { get; init; } = "ChatPay SDK";

    /// <summary>
    /// One-time key packages to keep on the server, so that others can add this device while it is away. 0 to
    /// 100; default 50.
    /// </summary>
    public int KeyPackageStock { get; init; } = 50;

    /// <summary>
    /// Items of each conversation that are kept for <see cref="ChatConversation.HistoryAsync"/>, the latest ones. 0 to
    /// 1,000,000; default 1,000.
    /// </summary>
    public int HistoryPerConversation { get; init; } = 1000;

    /// <summary>
    /// Items that wait for <see cref="ChatPayDevice.ReceiveAsync"/>. Beyond it the device reads no more of the log, and
    /// so does not follow its conversations, until some have been taken, or while a call, such as
    /// <see cref="ChatPayDevice.OnlineAsync"/>, waits for what the log has yet to tell; 0 keeps none for a program that
    /// does not ask for them. Up to 1,000,000; default 100,000.
    /// </summary>
    public int MaxWaitingItems { get; init; } = 100_000;

    /// <summary>How the connection is kept.</summary>
    public ChatSessionOptions Session { get; init; } = new();

    /// <summary>The waits of a well-behaved client; tests shorten them.</summary>
    public ChatPayDeviceTiming Timing { get; init; } = new();

    /// <summary>
    /// Messages that wait to be archived: a server that takes nothing shall not fill the store. What is beyond it is looked up
    /// in the history later. Tests lower it.
    /// </summary>
    internal int MaxWaitingForArchive { get; init; } = 10_000;

    /// <summary>
    /// A request that nobody waits for any more may still reach a realm of the PIN vault; after so long it does not. Tests lower
    /// it.
    /// </summary>
    internal TimeSpan RegistrationOnTheWay { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>So often it is looked for meanwhile. Tests lower it.</summary>
    internal TimeSpan RegistrationLook { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A new device that has opened the PIN vault comes into the account's chain within that; one that does not is a stranger's.
    /// Tests lower it.
    /// </summary>
    internal TimeSpan EntersWithin { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>What a guess of a PIN costs that is registered from now on. Tests lower it.</summary>
    internal PinHashParameters PinHash { get; init; } = PinHashParameters.Default;

    /// <exception cref="ArgumentException">A value is out of its bounds.</exception>
    internal ChatPayDeviceOptions Checked()
    {
        Require(Address is not null, nameof(Address));
        Require(Store is not null, nameof(Store));
        Require(DeviceName is { Length: >= 1 and <= Limits.DeviceNameMaxChars }, nameof(DeviceName));
        Require(KeyPackageStock is >= 0 and <= Limits.KeyPackagesPerUpload, nameof(KeyPackageStock));
        Require(HistoryPerConversation is >= 0 and <= 1_000_000, nameof(HistoryPerConversation));
        Require(MaxWaitingItems is >= 0 and <= 1_000_000, nameof(MaxWaitingItems));
        Require(
            Timing.Presence >= TimeSpan.FromMilliseconds(1) && Timing.Presence <= TimeSpan.FromDays(1),
            nameof(Timing));
        Require(
            Timing.Archive >= TimeSpan.FromMilliseconds(1) && Timing.Archive <= TimeSpan.FromDays(1), nameof(Timing));
        Session.Checked();
        return this;

        static void Require(bool holds, string name)
        {
            if (!holds)
            {
                throw new ArgumentException($"{nameof(ChatPayDeviceOptions)}.{name} is out of its bounds.", name);
            }
        }
    }
}

/// <summary>How long a device waits before it does what somebody else may be about to do.</summary>
public sealed record ChatPayDeviceTiming
{
    /// <summary>
    /// The longest wait before the leaves of revoked devices and departed people are removed. Default 4 s.
    /// </summary>
    public TimeSpan Removals { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>
    /// The longest wait before a group's name is said again for a new device of this account, and half of the shortest
    /// for one of somebody else's. Default 1.5 s.
    /// </summary>
    public TimeSpan Names { get; init; } = TimeSpan.FromSeconds(1.5);

    /// <summary>For how long delivered and read marks are collected before they are sent. Default 250 ms.</summary>
    public TimeSpan Marks { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// The longest wait before whoever is watched is asked for again, for a push may have been lost; half of it is the
    /// shortest. 1 ms to 1 day; default 10 min.
    /// </summary>
    public TimeSpan Presence { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// The longest wait of a message before it goes into the archive, where one is on, for others to go with it. 1 ms to
    /// 1 day; default 20 s.
    /// </summary>
    public TimeSpan Archive { get; init; } = TimeSpan.FromSeconds(20);
}
