using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal.Keys;

/// <summary>The account's own keys, as this device holds them.</summary>
/// <param name="IdentitySeed">
/// Ed25519, 32 bytes; null for a device that nobody has approved yet. Where another device has replaced the identity key, the
/// one before until the new one has come.
/// </param>
/// <param name="RootSecret">
/// 32 bytes; null where there is no PIN, or this device was never told. The account's only where it opens the wrapped keys.
/// </param>
/// <param name="ArchiveKey">32 bytes; null where no archive is kept.</param>
/// <param name="ApprovalKey">
/// X25519, 32 bytes: what this device's code is made of, until it has the identity key in force.
/// </param>
/// <param name="Posted">SHA-256 of the entries that this device posted last.</param>
/// <param name="Approvals">Devices that this one has approved: for a while it is no surprise that they add themselves.</param>
/// <param name="NextSeed">
/// Ed25519, 32 bytes: the identity key that is about to replace the present one, until the chain has it.
/// </param>
/// <param name="WrapDue">Whether these keys are to be wrapped by the root secret, and stored on the server, still.</param>
/// <param name="Pending">As <paramref name="Registrations"/>: the one of them, where an earlier version wrote this.</param>
/// <param name="Registrations">
/// Registrations of PINs that the realms may have and the chain does not name yet, the oldest first; null for none. Those of
/// before the PIN was removed are there until they can arrive no more.
/// </param>
/// <param name="PinVoid">
/// The realms have a registration whose root secret opens nothing, and this device cannot wrap the keys by it without leaving
/// the archive's behind.
/// </param>
internal sealed record OwnKeysRecord(
    byte[]? IdentitySeed, byte[]? RootSecret = null, byte[]? ArchiveKey = null, byte[]? ApprovalKey = null,
    IReadOnlyList<byte[]>? Posted = null, IReadOnlyList<GivenApproval>? Approvals = null, byte[]? NextSeed = null,
    bool WrapDue = false, PendingRegistration? Pending = null,
    IReadOnlyList<PendingRegistration>? Registrations = null, bool PinVoid = false)
{
    /// <summary>Each is on its way for minutes at most, so that so many are a person who tries and tries.</summary>
    public const int RegistrationsKept = 8;

    /// <summary>All of <see cref="Registrations"/>, whoever wrote this; the oldest first.</summary>
    public IReadOnlyList<PendingRegistration> Begun() =>
        Pending is null ? Registrations ?? [] : [Pending, .. Registrations ?? []];

    public OwnKeysRecord With(PendingRegistration begun) =>
        this with { Pending = null, Registrations = [.. Begun(), begun] };

    public OwnKeysRecord Without(Guid version)
    {
        PendingRegistration[] left = [.. Begun().Where(one => one.Version != version)];
        return left.Length == Begun().Count ? this
            : this with { Pending = null, Registrations = left.Length > 0 ? left : null };
    }

    /// <summary>Whether it is remembered, and the PIN was not removed since it was begun.</summary>
    public bool IsWanted(Guid version) => Begun().Any(one => one.Version == version && !one.Removed);

    public bool IsRemoved(Guid version) => Begun().Any(one => one.Version == version && one.Removed);

    /// <summary>The PIN was removed, and what is on its way to the realms still is to go as well where it arrives.</summary>
    public OwnKeysRecord WithoutBegun() => Begun().All(static one => one.Removed) ? this
        : this with
        {
            Pending = null,
            Registrations = [.. Begun().Select(static one => one with { RootSecret = null, Removed = true })],
        };

    /// <summary>The same of one alone, in the place of which another PIN was set since.</summary>
    public OwnKeysRecord WithRemoved(Guid version) => this with
    {
        Registrations = Registrations is null ? null :
        [
            .. Registrations.Select(
                one => one.Version == version ? one with { RootSecret = null, Removed = true } : one),
        ],
    };

    /// <summary>The root secret is not the account's; what a registration brings back shows by itself.</summary>
    public OwnKeysRecord WithoutRoot() => this with
    {
        RootSecret = null,
        WrapDue = false,
        Pending = Pending is null ? null : Pending with { RootSecret = Pending.RootSecret ?? RootSecret },
    };
}

/// <summary>A device that was approved here.</summary>
/// <param name="At">When.</param>
internal sealed record GivenApproval(DeviceId Device, DateTimeOffset At);

/// <summary>A registration of the PIN, kept before a realm hears of it.</summary>
/// <param name="Version">Its version, as the realms tell it.</param>
/// <param name="Digest">32 bytes, for the chain.</param>
/// <param name="Replaces">
/// The versions that it takes the place of, the empty one for none: only a realm that still has one of them can take it. Null
/// where an earlier version wrote this.
/// </param>
/// <param name="At">When it was begun.</param>
/// <param name="RootSecret">
/// 32 bytes, what it brings back; null where an earlier version wrote this: the device's.
/// </param>
/// <param name="Removed">Whether the PIN was removed since: it is to stand at no realm.</param>
/// <param name="Place">Where it goes; null where an earlier version wrote this.</param>
/// <param name="Before">
/// What the chain named when it was begun, empty for no PIN; null where an earlier version wrote this.
/// </param>
internal sealed record PendingRegistration(
    Guid Version, byte[] Digest, IReadOnlyList<Guid>? Replaces = null, DateTimeOffset At = default,
    byte[]? RootSecret = null, bool Removed = false, PinPlaceRecord? Place = null, byte[]? Before = null)
{
    /// <summary>The realms that it went to; null where they are not known.</summary>
    public PinPlace? Realms() => Place is null ? null : new PinPlace(Place);
}

/// <summary>The newest checkpoint of the key log that was checked.</summary>
/// <param name="Origin">Of the log that this device first saw.</param>
/// <param name="Root">32 bytes; empty before the first checkpoint.</param>
/// <param name="Note">The signed note, kept as evidence.</param>
/// <param name="Replaced">
/// It took another log's place, as after a restored backup: chains may have lost entries that this device knows.
/// </param>
internal sealed record KeyLogRecord(
    string Origin, string VerifierKey, long Size, byte[] Root, string Note, bool Replaced = false);

/// <summary>
/// What people have seen of the key log, where the server has not shown yet that it goes with this device's view.
/// </summary>
/// <param name="VerifierKey">Of the log that has signed it.</param>
/// <param name="Notes">One of each person, the oldest first.</param>
internal sealed record UnprovenNotesRecord(string VerifierKey, IReadOnlyList<UnprovenNote> Notes);

/// <summary>A checkpoint that somebody was shown.</summary>
/// <param name="From">Who says so.</param>
/// <param name="Note">The newest one of theirs that the server was asked about in vain.</param>
/// <param name="Since">When it was first asked about one of theirs in vain, with no answer ever since.</param>
/// <param name="Tries">How often since then.</param>
internal sealed record UnprovenNote(AccountId From, string Note, DateTimeOffset Since, int Tries);

/// <summary>Somebody's chain as far as it was checked, and what this device's person makes of it.</summary>
/// <param name="Entries">From the first one on, all checked.</param>
/// <param name="SeenKey">The identity key that a device of theirs showed last, 32 bytes; null before the first one.</param>
/// <param name="AcceptedKey">The identity key that messages and money may go to; the first one seen is accepted.</param>
/// <param name="Verified">Whether safety numbers were compared.</param>
/// <param name="CheckedAt">When the log was asked last.</param>
/// <param name="Unlogged">
/// Devices that were shown as theirs and that their chain has not, under whichever key: nothing goes to them until that person
/// is accepted anew, or the chain has those devices. Before a chain is known, those that it is asked for.
/// </param>
/// <param name="Withheld">
/// Where a key was seen and the server does not show the chain that has it: since when, and how often it was asked.
/// </param>
internal sealed record PersonKeysRecord(
    AccountId Account, IReadOnlyList<byte[]> Entries, byte[]? SeenKey, byte[]? AcceptedKey, bool Verified,
    DateTimeOffset CheckedAt, IReadOnlyList<OwnLeaf>? Unlogged = null, WithheldChain? Withheld = null);

/// <summary>A chain that the server was asked for in vain.</summary>
/// <param name="Since">When it first was, with no answer ever since.</param>
/// <param name="Tries">How often since then.</param>
internal sealed record WithheldChain(DateTimeOffset Since, int Tries);

/// <summary>What the realms have told of guesses and waits, so that each raises one alarm.</summary>
/// <param name="Guesses">As <paramref name="Failed"/>, where an earlier version wrote this.</param>
/// <param name="Waits">As <paramref name="Begun"/>, where an earlier version wrote this.</param>
/// <param name="Failed">Wrong guesses; null before the first look.</param>
/// <param name="Opened">Right ones; null before the first look at them.</param>
/// <param name="Begun">Waits, the newest last.</param>
/// <param name="Loss">The last time that the PIN was found to bring nothing back; null where it never was.</param>
/// <param name="Other">When the server named other realms than the PIN's; null where it never has.</param>
internal sealed record VaultSeenRecord(
    IReadOnlyList<SeenGuess>? Guesses = null, IReadOnlyList<SeenWait>? Waits = null,
    IReadOnlyList<SeenAct>? Failed = null, IReadOnlyList<SeenAct>? Opened = null, IReadOnlyList<SeenAct>? Begun = null,
    SeenLoss? Loss = null, SeenOther? Other = null)
{
    /// <summary>Wrong guesses, whoever wrote this.</summary>
    public IReadOnlyList<SeenAct>? FailedActs() => Failed ?? Guesses?.Select(static one => new SeenAct(
        one.Device, one.At, [new SeenPart(one.Realm, SeenActs.NameOf(one.At, one.Device))])).ToList();

    /// <summary>Waits, whoever wrote this; those of an earlier version say at no realm what their ids are.</summary>
    public IReadOnlyList<SeenAct> BegunActs() =>
        Begun ?? [.. (Waits ?? []).Select(static one => new SeenAct(one.Device, one.Until, []))];
}

/// <summary>A failed guess at a realm.</summary>
internal sealed record SeenGuess(Guid Realm, DateTimeOffset At, DeviceId Device);

/// <summary>A wait that a device has begun, at however many realms.</summary>
internal sealed record SeenWait(DeviceId Device, DateTimeOffset Until);

/// <summary>That a PIN brings nothing back any more.</summary>
/// <param name="Digest">32 bytes: the PIN's in the account's chain.</param>
/// <param name="Why">Why; none where it has been well again since.</param>
/// <param name="Since">When it was seen first, by this device's clock.</param>
/// <param name="IsTold">Whether its alarm was raised: one for each PIN.</param>
internal sealed record SeenLoss(byte[] Digest, PinLoss Why, DateTimeOffset Since, bool IsTold);

/// <summary>That the server names other realms than those where the PIN was set.</summary>
/// <param name="Digest">32 bytes: the PIN's in the account's chain.</param>
/// <param name="Named">32 bytes: which it named last, by <see cref="PinPlace.Digest"/>; null where the PIN's again.</param>
/// <param name="Told">The same of what alarms were raised for, the newest last: one for each PIN and set.</param>
internal sealed record SeenOther(byte[] Digest, byte[]? Named, IReadOnlyList<byte[]> Told);

/// <summary>The realms that have a PIN, as they were where this device had to do with them first.</summary>
/// <param name="Digest">32 bytes: the PIN's in the account's chain, which binds them and does not show them.</param>
/// <param name="Place">Which they are, and where.</param>
internal sealed record PinRealmsRecord(byte[] Digest, PinPlaceRecord Place);
