namespace ChatPay.Client;

/// <summary>
/// What has become of the two halves of revoking a device, <see cref="ChatPayDevice.RevokeAsync"/>: neither takes the other's
/// place.
/// </summary>
/// <param name="Chain">Whether the account's keys have it no more, so that nobody takes it for one of the account's.</param>
/// <param name="Session">Whether the server has ended its sessions, so that it gets nothing more.</param>
public sealed record DeviceRevocation(RevocationHalf Chain, RevocationHalf Session);

/// <summary>One half of revoking a device.</summary>
public enum RevocationHalf
{
    /// <summary>It is done; at the server also where it was before.</summary>
    Done = 1,

    /// <summary>There was nothing to be done: the device was not there, or is not any more, as far as that half goes.</summary>
    NotThere = 2,

    /// <summary>
    /// This device may not: it is not approved itself, or has not the identity key in force. Another one has to do it. Only in
    /// the details of <see cref="ClientErrors.RevokedInPart"/>.
    /// </summary>
    NotApproved = 3,

    /// <summary>It was tried in vain. Only in the details of <see cref="ClientErrors.RevokedInPart"/>.</summary>
    Failed = 4,
}
