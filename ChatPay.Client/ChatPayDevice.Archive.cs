namespace ChatPay.Client;

/// <content>The account's archive: what was said, sealed by its devices and kept by the server. docs/ARCHIVE.md.</content>
public sealed partial class ChatPayDevice
{
    /// <summary>
    /// Keeps an archive from here on: what this device has in its history, and what any device of the account sends and opens
    /// from then on, so that a new device can read it. Conversations that the server does not keep for good are left out, by a
    /// retention of their own or by the server's, which are all where it has one. Whoever has the PIN can read what is
    /// archived, so it is as safe as the PIN is; what is not archived is not kept anywhere.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.ArchiveNeedsPin"/>: only a PIN brings the archive's key back, so set one first;
    /// <see cref="ClientErrors.PinNeeded"/>: one is set that this device does not know, so enter it;
    /// <c>archive_off</c>: this server keeps none; <c>archive_exists</c>: one is on whose key this device cannot get;
    /// <c>device_not_approved</c>.
    /// </exception>
    /// <example>
    /// <code>
    /// await device.SetPinAsync(pin, cancellationToken);
    /// await device.TurnOnArchiveAsync(cancellationToken);
    /// </code>
    /// </example>
    public Task TurnOnArchiveAsync(CancellationToken cancellationToken) =>
        _core.Archive.Keeper.TurnOnAsync(cancellationToken);

    /// <summary>Turns the archive off for all devices, and has the server delete everything in it.</summary>
    /// <exception cref="ChatPayException"><c>device_not_approved</c>; the server cannot be reached.</exception>
    /// <example>
    /// <code>await device.TurnOffArchiveAsync(cancellationToken);</code>
    /// </example>
    public Task TurnOffArchiveAsync(CancellationToken cancellationToken) =>
        _core.Archive.Keeper.TurnOffAsync(cancellationToken);

    /// <summary>Whether an archive is on, how large it is, and what waits to go there.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    /// <example>
    /// <code>var kept = (await device.ArchiveStateAsync(cancellationToken)).Bytes;</code>
    /// </example>
    public Task<ChatArchive> ArchiveStateAsync(CancellationToken cancellationToken) =>
        _core.Archive.Keeper.StateAsync(cancellationToken);

    /// <summary>
    /// Everything that is in the archive: one device's part after the other, in the order in which it was archived, and each
    /// message once. Every part is checked to be what its device wrote, without a gap; damage comes as
    /// <see cref="ArchiveDamage"/>, ends that part, and is for the program's person to know. Nothing where no archive is on.
    /// </summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.ArchiveUnreadable"/>: this device does not have the key; <c>archive_off</c>;
    /// <c>archive_unknown</c>: it was turned off meanwhile.
    /// </exception>
    /// <example>
    /// <code>
    /// await device.RecoverAsync(pin, cancellationToken);
    /// await foreach (var entry in device.ReadArchiveAsync(cancellationToken))
    /// {
    ///     if (entry is ArchivedText text)
    ///     {
    ///         Console.WriteLine($"{text.At:d} {text.By.DisplayName}: {text.Text}");
    ///     }
    /// }
    /// </code>
    /// </example>
    public IAsyncEnumerable<ArchiveEntry> ReadArchiveAsync(CancellationToken cancellationToken) =>
        _core.Archive.Reader.ReadAsync(cancellationToken);
}
