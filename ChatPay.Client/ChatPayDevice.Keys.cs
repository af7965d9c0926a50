using System.Security.Cryptography;
using ChatPay.Client.Internal;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>Identity keys: this device's standing in its account, and who other people are.</content>
public sealed partial class ChatPayDevice
{
    /// <summary>So often the server is asked for keys in a row; after that the next connection asks again.</summary>
    private const int LooksAtKeys = 8;

    private static readonly TimeSpan s_stockPause = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Whether the account's identity key vouches for this device, so that others let it in and it can be added to
    /// conversations. An account's first device is approved at once, as soon as the server is reached; a later one by
    /// another device or by the PIN.
    /// </summary>
    public bool IsApproved => _core.Groups.IsCertified;

    /// <summary>
    /// What another device of the account approves this one by: text, or what a QR code shows. Null once it is approved; not
    /// null again where another device has replaced the identity key and this one cannot get at the new one by itself.
    /// </summary>
    /// <exception cref="ChatPayException">Nobody is signed in; the server cannot be reached.</exception>
    /// <example>
    /// <code>Console.WriteLine(await device.ApprovalCodeAsync(cancellationToken));</code>
    /// </example>
    public async Task<string?> ApprovalCodeAsync(CancellationToken cancellationToken)
    {
        await _core.Keys.IsApprovedAsync(cancellationToken);
        return (await _core.Keys.Own.CodeAsync(cancellationToken))?.ToString();
    }

    /// <summary>Approves another device of this account: it gets the account's keys, sealed for it alone.</summary>
    /// <param name="code">What <see cref="ApprovalCodeAsync"/> gave there, brought here by the account's person.</param>
    /// <returns>The device, as the server names it; it takes the keys when it is online.</returns>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.CodeInvalid"/>: no code, of another account, or the server lists no such device with this
    /// key; <c>device_not_approved</c>: this device is not itself; the server cannot be reached.
    /// </exception>
    /// <example>
    /// <code>var phone = await device.ApproveAsync(scanned, cancellationToken);</code>
    /// </example>
    public async Task<DeviceView> ApproveAsync(string code, CancellationToken cancellationToken)
    {
        if (!ApprovalCode.TryParse(code, out var parsed))
        {
            throw LocalErrors.CodeInvalid("This is no code of a device.");
        }

        if (parsed.Account != _core.Device.Account.Id)
        {
            throw LocalErrors.CodeInvalid("This code is of a device of another account.");
        }

        var devices = await Client.DevicesAsync(cancellationToken);
        var device = devices.FirstOrDefault(one => one.Id == parsed.Device);
        if (device is null || device.Current || !device.SignatureKey.AsSpan().SequenceEqual(parsed.SignatureKey))
        {
            throw LocalErrors.CodeInvalid("The server lists no such device with this key: it may have been removed.");
        }

        var approval = await _core.Keys.Own.ApprovalAsync(parsed, cancellationToken);
        await _core.RequireSession().SendToDevicesAsync(
            new([new(device.Id, approval)], new(_core.NewId())), cancellationToken);
        return device;
    }

    /// <summary>
    /// Begins the account's identity anew on this device, where no other device and no PIN can help: all other devices are
    /// revoked, and everybody in common conversations is warned and has to accept the new key.
    /// </summary>
    /// <exception cref="ChatPayException">Nobody is signed in; the server cannot be reached.</exception>
    /// <example>
    /// <code>await device.ResetIdentityAsync(cancellationToken);</code>
    /// </example>
    public Task ResetIdentityAsync(CancellationToken cancellationToken) =>
        _core.Keys.Own.ResetAsync(cancellationToken);

    /// <summary>
    /// Replaces the account's identity key by a new one, which the old one signs: where somebody else may have got hold of it.
    /// All devices stay. This one shows the new key in every conversation at once; the others take it up where they have the
    /// PIN's root secret, and else show a code to be approved again. Contacts have to accept the new key before anything is
    /// sent or paid to this account again, and safety numbers are others from then on. The PIN brings the new key back.
    /// </summary>
    /// <remarks>
    /// Where it fails on the way the key may have been replaced, and the device goes on with the one that the log has.
    /// Calling it again makes sure that there is a new one, at worst a second time.
    /// </remarks>
    /// <exception cref="ChatPayException">
    /// <c>device_not_approved</c>: this device has not the key in force; <see cref="ClientErrors.NotReady"/>: the PIN was set
    /// on another device since this one was approved, so set one here first; the server cannot be reached.
    /// </exception>
    /// <example>
    /// <code>await device.RotateIdentityAsync(cancellationToken);</code>
    /// </example>
    public Task RotateIdentityAsync(CancellationToken cancellationToken) =>
        _core.Keys.Own.RotateAsync(cancellationToken);

    /// <summary>
    /// Sets the account's PIN, or changes it: with it a new device gets the account's keys back by itself. It is stretched on
    /// this device, which takes about a second and 64 MiB.
    /// </summary>
    /// <param name="pin">4 to 12 digits, or a passphrase of 10 to 128 characters; it is not kept.</param>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.PinRefused"/>, with a reason in its details; <see cref="ClientErrors.VaultUnavailable"/>;
    /// <see cref="ClientErrors.VaultRealmLied"/>;
    /// <see cref="ClientErrors.PinNeeded"/>: an archive is on whose key only the PIN brings back that is set now, so enter that
    /// one here first, or, where it cannot be entered, set one on a device that reads the archive, or turn the archive off; not
    /// where that PIN is known to be lost or void; <see cref="ClientErrors.PinRemoved"/>: another device has removed it
    /// meanwhile; <c>device_not_approved</c>; <see cref="ClientErrors.VaultRealmsOther"/>: the server names other realms than
    /// those that have the present PIN, so show them to the person first.
    /// </exception>
    /// <example>
    /// <code>await device.SetPinAsync("480279", cancellationToken);</code>
    /// </example>
    public Task SetPinAsync(string pin, CancellationToken cancellationToken) =>
        _core.Keys.Pin.SetAsync(pin, null, cancellationToken);

    /// <summary>
    /// As the other one, at realms that the person has seen, which may be other than those of the present PIN: then that one is
    /// left behind where it was.
    /// </summary>
    /// <param name="pin">As for the other one.</param>
    /// <param name="shown">What <see cref="PinRealmsAsync"/> gave; the PIN goes nowhere else.</param>
    /// <exception cref="ChatPayException">
    /// As for the other one; <see cref="ClientErrors.VaultRealmsOther"/>: by now the server names others than those that were
    /// shown.
    /// </exception>
    /// <example>
    /// <code>
    /// var realms = await device.PinRealmsAsync(cancellationToken);
    /// if (!realms.AreOther || Confirm(realms)) { await device.SetPinAsync("480279", realms, cancellationToken); }
    /// </code>
    /// </example>
    public Task SetPinAsync(string pin, PinRealms shown, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(shown);
        return _core.Keys.Pin.SetAsync(pin, shown, cancellationToken);
    }

    /// <summary>
    /// Where a PIN goes that is set now: the realms that the server names, and whether they are other than those of the present
    /// PIN, as far as this device knows those.
    /// </summary>
    /// <exception cref="ChatPayException">The server cannot be reached; <see cref="ClientErrors.StoreFailed"/>.</exception>
    /// <example>
    /// <code>if ((await device.PinRealmsAsync(cancellationToken)).AreOther) { Console.WriteLine("Ask the operator."); }</code>
    /// </example>
    public Task<PinRealms> PinRealmsAsync(CancellationToken cancellationToken) => _core.Keys.Vault.NamedAsync(cancellationToken);

    /// <summary>
    /// Whether the account's PIN brings nothing back: this device was cut off while it set one, after the vault had it and
    /// before the account's keys were stored with it, and has not the key of the archive that is on, so it did not store them
    /// later. Set one anew, best on a device that reads the archive. What this device knows, without asking the server; not true
    /// any more once a PIN has been set on any device.
    /// </summary>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.StoreFailed"/>.</exception>
    /// <example>
    /// <code>if (await device.PinIsVoidAsync(cancellationToken)) { Console.WriteLine("Set your PIN again."); }</code>
    /// </example>
    public async Task<bool> PinIsVoidAsync(CancellationToken cancellationToken) =>
        (await _core.Keys.Own.ReadAsync(cancellationToken)).PinVoid;

    /// <summary>
    /// Whether the account's PIN brings nothing back because the vault has it no more, and why: wrong guesses of somebody have
    /// used it up, a backup was restored, or it was deleted. Ask the person to set it again; but where it is
    /// <see cref="PinLoss.RealmsOther"/>, to ask the operator first. As this device found at its last connection or hint, without
    /// asking anybody; <see cref="PinLoss.None"/> once a PIN has been set on any device.
    /// </summary>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.StoreFailed"/>.</exception>
    /// <example>
    /// <code>
    /// if (await device.PinLossAsync(cancellationToken) != PinLoss.None) { Console.WriteLine("Set your PIN again."); }
    /// </code>
    /// </example>
    public Task<PinLoss> PinLossAsync(CancellationToken cancellationToken) => _core.Keys.Vault.LossAsync(cancellationToken);

    /// <summary>
    /// Approves this new device by the account's PIN. Where a realm gave an answer that cannot be true and the others did without
    /// it, <see cref="KeyAlarmKind.RealmLied"/> names it.
    /// </summary>
    /// <param name="pin">As it was set; it is not kept.</param>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.WrongPin"/>: a guess was spent, and <c>guessesLeft</c> is in its details;
    /// <see cref="ClientErrors.VaultExhausted"/>, <see cref="ClientErrors.VaultLocked"/>,
    /// <see cref="ClientErrors.VaultNotRegistered"/>: no PIN brings anything back until one is set anew;
    /// <see cref="ClientErrors.VaultUsedUp"/>: the last guess may be open still;
    /// <see cref="ClientErrors.VaultRealmsOther"/>: not the realms where the PIN was set; nothing of the PIN was sent to them;
    /// <see cref="ClientErrors.VaultRealmLied"/>, with the <c>realms</c> that did in its details;
    /// <see cref="ClientErrors.VaultUnavailable"/>: nothing can be recovered now.
    /// </exception>
    /// <example>
    /// <code>await device.RecoverAsync("480279", cancellationToken);</code>
    /// </example>
    public async Task RecoverAsync(string pin, CancellationToken cancellationToken)
    {
        await _core.Keys.Pin.RecoverAsync(pin, cancellationToken);
        _core.Archive.LookAgain();
    }

    /// <summary>Removes the account's PIN: from then on only another device approves a new one.</summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.VaultUnavailable"/>; <c>device_not_approved</c>;
    /// <see cref="ClientErrors.VaultRealmsOther"/>: where the PIN is cannot be reached, and the realms that the server names
    /// never had it.
    /// </exception>
    /// <example>
    /// <code>await device.RemovePinAsync(cancellationToken);</code>
    /// </example>
    public Task RemovePinAsync(CancellationToken cancellationToken) => _core.Keys.Pin.RemoveAsync(cancellationToken);

    /// <summary>Cancels what somebody has begun who wants to overwrite or delete the PIN without the identity key.</summary>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.VaultUnavailable"/>; <c>device_not_approved</c>.
    /// </exception>
    /// <example>
    /// <code>await device.CancelPinWaitAsync(cancellationToken);</code>
    /// </example>
    public Task CancelPinWaitAsync(CancellationToken cancellationToken) =>
        _core.Keys.Pin.CancelWaitAsync(cancellationToken);

    /// <summary>Everything that is known of somebody's identity key, after a look at the key log.</summary>
    /// <param name="account">Somebody in a common conversation.</param>
    /// <exception cref="ChatPayException"><c>account_unknown</c>; the server cannot be reached.</exception>
    /// <example>
    /// <code>Console.WriteLine((await device.PersonKeysAsync(account, cancellationToken)).SafetyNumber);</code>
    /// </example>
    public async Task<PersonKeys> PersonKeysAsync(AccountId account, CancellationToken cancellationToken)
    {
        await _core.Keys.People.CheckAsync(account, cancellationToken);
        return await DescribeAsync(account, cancellationToken);
    }

    /// <summary>
    /// Accepts the identity key that somebody shows now, without having compared safety numbers: messages and money go to
    /// them again. A key that the key log has not for them is not accepted in this way, but the one that it has. Where a device
    /// that it has not is in a conversation in their name, nothing goes there until they have removed it.
    /// </summary>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.NotReady"/>: they have shown none.</exception>
    /// <example>
    /// <code>await device.AcceptIdentityAsync(account, cancellationToken);</code>
    /// </example>
    public Task AcceptIdentityAsync(AccountId account, CancellationToken cancellationToken) =>
        _core.Keys.People.AcceptAsync(account, null, isVerified: false, cancellationToken);

    /// <summary>
    /// Compares what was scanned from, or read out at, the other person's screen, and marks them as verified where it is
    /// the same.
    /// </summary>
    /// <param name="shown">
    /// Their <see cref="PersonKeys.SafetyCode"/> or <see cref="PersonKeys.SafetyNumber"/>; spaces do not matter.
    /// </param>
    /// <returns>Whether it is the same; where not, nothing is changed.</returns>
    /// <exception cref="ChatPayException">
    /// <see cref="ClientErrors.CodeInvalid"/>: it is neither; <see cref="ClientErrors.NotReady"/>: they have shown no key yet,
    /// or another device has replaced this account's, and this one has not the new one yet.
    /// </exception>
    /// <example>
    /// <code>if (!await device.VerifyIdentityAsync(account, scanned, cancellationToken)) { Warn(); }</code>
    /// </example>
    public async Task<bool> VerifyIdentityAsync(AccountId account, string shown, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(shown);
        var own = await OwnIdentityAsync(cancellationToken) ?? throw (
            IsApproved ? LocalErrors.NotReady("Another device has replaced the identity key, and this one has not the new "
                + "one yet: what it would compare is over.") : OwnKeys.NotApproved());
        var person = await _core.Keys.People.FindAsync(account, cancellationToken);
        if (person.SeenKey is not { } seen)
        {
            throw LocalErrors.NotReady("This person has shown no identity key yet.");
        }

        var digits = string.Concat(shown.Where(static character => !char.IsWhiteSpace(character)));
        var other = new Identified(account, seen);
        var matches = digits.Length == SafetyNumber.Digits && digits.All(char.IsAsciiDigit)
            ? digits == SafetyNumber.Of(own, other)
            : SafetyNumber.Matches(shown, own, other)
                ?? throw LocalErrors.CodeInvalid("This is neither a safety number nor its code.");
        if (matches)
        {
            await _core.Keys.People.AcceptAsync(account, seen, isVerified: true, cancellationToken);
        }

        return matches;
    }

    /// <summary>What was found wrong with the key log and with keys, the oldest first, until it is dismissed.</summary>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.StoreFailed"/>.</exception>
    /// <example>
    /// <code>
    /// foreach (var alarm in await device.KeyAlarmsAsync(cancellationToken))
    /// {
    ///     Console.WriteLine($"{alarm.At}: {alarm.Kind}");
    /// }
    /// </code>
    /// </example>
    public Task<IReadOnlyList<KeyAlarm>> KeyAlarmsAsync(CancellationToken cancellationToken) =>
        _core.Keys.Alarms.ListAsync(cancellationToken);

    /// <summary>Forgets an alarm that somebody has looked into.</summary>
    /// <param name="number">The alarm's.</param>
    /// <exception cref="ChatPayException"><see cref="ClientErrors.StoreFailed"/>.</exception>
    /// <example>
    /// <code>await device.DismissKeyAlarmAsync(alarm.Number, cancellationToken);</code>
    /// </example>
    public Task DismissKeyAlarmAsync(long number, CancellationToken cancellationToken) =>
        _core.Keys.Alarms.DismissAsync(number, cancellationToken);

    private async Task<PersonKeys> DescribeAsync(AccountId account, CancellationToken cancellationToken)
    {
        var person = await _core.Keys.People.FindAsync(account, cancellationToken);
        var own = await OwnIdentityAsync(cancellationToken);
        var other = person.SeenKey is { } seen ? new Identified(account, seen) : null;
        var isLogged = person.SeenKey is { } shown && _core.Keys.People.ChainOf(account) is { } chain
            && chain.IdentityKey.SequenceEqual(shown);
        var isKnown = own is not null && other is not null;
        return new PersonKeys(
            account, person.SeenKey, !PeopleKeys.IsChanged(person), person.Verified && !PeopleKeys.IsChanged(person),
            isLogged, isKnown ? SafetyNumber.Of(own!, other!) : null, isKnown ? SafetyNumber.CodeOf(own!, other!) : null);
    }

    /// <summary>Null without the key in force: safety numbers by another one would be wrong on both sides.</summary>
    private async Task<Identified?> OwnIdentityAsync(CancellationToken cancellationToken)
    {
        var own = await _core.Keys.Own.ReadAsync(cancellationToken);
        if (own.IdentitySeed is not { } seed || !_core.Keys.Own.IsInForce(own))
        {
            return null;
        }

        using var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        CryptographicOperations.ZeroMemory(seed);
        return new Identified(_core.Device.Account.Id, key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>Looks at the own chain and at those of people who are due.</summary>
    private async Task WatchKeysAsync(CancellationToken cancellationToken)
    {
        var own = _core.Keys.Own;
        await Transport.RetryAsync(_core, own.EnsureAsync, cancellationToken, attempts: LooksAtKeys);
        _core.Keys.People.CheckDue();
        try
        {
            await Transport.RetryAsync(
                _core,
                async token =>
                {
                    await own.SettleAsync(token);
                    return new Unit();
                },
                cancellationToken, attempts: LooksAtKeys);
        }
        catch (ChatPayException later) when (!later.EndsDevice && !_core.Stopping.IsCancellationRequested)
        {
            // With the next look; the archive does not wait for it.
        }

        await _core.Archive.Keeper.FollowAsync(cancellationToken);
    }

    /// <summary>
    /// Key packages, now that they are taken. An attempt from before may be about to be refused still, so it is made way for.
    /// </summary>
    private async Task StockUpAsync(CancellationToken cancellationToken)
    {
        do
        {
            await Task.Delay(_core.Spread(s_stockPause), _core.Time, cancellationToken);
            _stock.Forgive();
        }
        while (!await _stock.FillAsync((await Client.CountKeyPackagesAsync(cancellationToken)).OneTime, cancellationToken));
    }

    /// <summary>
    /// This device can be added from now on, goes where it could not go before, and shows its certificate where it is.
    /// </summary>
    private void Approved()
    {
        _stock.Forgive();
        _core.Background(StockUpAsync);
        _core.Background(_core.Keys.Vault.LookAsync);
        _care.LookAgain();
        _core.Archive.LookAgain();
        foreach (var state in _core.Conversations.Where(static one => one.Facts is null && one.Record.Active))
        {
            _core.Session?.Read(state.Id);
        }
    }
}
