using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// The account's own chain: begun by its first device, gone on with by every device that has the identity key, and watched.
/// An entry that this device did not make raises an alarm.
/// </summary>
/// <remarks>
/// Whoever looks at the chain or adds to it takes turns, each for as long as a call of the session may take: a network that
/// is dead keeps nobody waiting for good. The record of keys is changed behind the core's gate alone, from what is there.
/// </remarks>
internal sealed partial class OwnKeys(DeviceCore core, KeyLogFollower log, KeyAlarms alarms) : IDisposable
{
    /// <summary>Other devices may add to the chain at the same moment; more often than this it cannot be chance.</summary>
    private const int Attempts = 8;

    private const int KeySize = 32;

    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>
    /// For whoever changes more than one of the account's secrets, or one in more than one place: a PIN, an identity key and an
    /// archive key are not set at once. Taken before the turn at the chain, never within it.
    /// </summary>
    public Turns Secrets { get; } = new();

    /// <summary>
    /// Brings the device into its account's chain where it can, and looks whether somebody else has added to it.
    /// </summary>
    /// <returns>Whether the device is in the chain.</returns>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public Task<bool> EnsureAsync(CancellationToken cancellationToken) => InTurnAsync(
        async limited =>
        {
            for (var attempt = 1; ; attempt++)
            {
                if (await FollowAsync(limited) is not { } chain)
                {
                    return false;
                }

                try
                {
                    return await EnterAsync(chain, limited);
                }
                catch (ChatPayException stale) when (stale.Code == ErrorCode.KeyChainStale && attempt < Attempts)
                {
                    // Another device was quicker; what it added is looked at first.
                }
            }
        },
        cancellationToken);

    /// <summary>Adds entries of this device's making, each made for its place.</summary>
    /// <param name="make">Of the chain as it stands; the entries follow one another, and none change nothing.</param>
    /// <exception cref="ChatPayException">
    /// <c>device_not_approved</c>: this device has not the key in force; <c>key_entry_invalid</c>, among others.
    /// </exception>
    public Task ChangeAsync(
        Func<KeyChain, Key, IReadOnlyList<KeyLogEntry>> make, CancellationToken cancellationToken) =>
        ChangeAsync((chain, identityKey, _) => Task.FromResult(make(chain, identityKey)), cancellationToken);

    /// <summary>As the other one, where making the entries takes a look at something.</summary>
    public Task ChangeAsync(
        Func<KeyChain, Key, CancellationToken, Task<IReadOnlyList<KeyLogEntry>>> make,
        CancellationToken cancellationToken) => InTurnAsync(
        async limited =>
        {
            for (var attempt = 1; ; attempt++)
            {
                var chain = await RequireChainAsync(limited);
                using var identityKey = await RequireIdentityAsync(chain, limited);
                try
                {
                    if (await make(chain, identityKey, limited) is { Count: > 0 } entries)
                    {
                        await PostAsync(entries, limited);
                    }

                    return true;
                }
                catch (ChatPayException stale) when (stale.Code == ErrorCode.KeyChainStale && attempt < Attempts)
                {
                    // Another device was quicker.
                }
            }
        },
        cancellationToken);

    /// <summary>What this device has of the account's keys, after a look at the chain.</summary>
    /// <exception cref="ChatPayException"><c>device_not_approved</c>: it has not the key in force.</exception>
    public async Task<OwnKeysRecord> RequireAsync(CancellationToken cancellationToken)
    {
        if (!await EnsureAsync(cancellationToken))
        {
            throw NotApproved();
        }

        var own = await ReadAsync(cancellationToken);
        return IsInForce(own) ? own : throw NotApproved();
    }

    public async Task<OwnKeysRecord> ReadAsync(CancellationToken cancellationToken) =>
        await core.ReadAsync<OwnKeysRecord>(StoreKeys.OwnKeys, cancellationToken) ?? new OwnKeysRecord(null);

    /// <summary>Changes what this device holds of the account's keys, from what it is at that moment.</summary>
    public async Task<OwnKeysRecord> UpdateAsync(
        Func<OwnKeysRecord, OwnKeysRecord> change, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            var own = await ReadAsync(cancellationToken);
            var changed = change(own);
            if (!ReferenceEquals(own, changed))
            {
                await core.WriteAsync([new(StoreKeys.OwnKeys, DeviceCore.Encode(changed))], cancellationToken);
            }

            return changed;
        }
    }

    /// <summary>Whether a record's identity key is the one in force, by the chain as this device knows it.</summary>
    public bool IsInForce(OwnKeysRecord own)
    {
        if (own.IdentitySeed is not { } seed || core.Keys.People.ChainOf(core.Device.Account.Id) is not { } chain)
        {
            return false;
        }

        using var key = Import(seed);
        return IsInForce(chain, key);
    }

    public static ChatPayException NotApproved() => LocalErrors.Refused(
        ErrorCode.DeviceNotApproved,
        "This device has not the account's key: enter the PIN, or approve it on another device of the account.");

    public void Dispose() => _gate.Dispose();

    private static bool IsInForce(KeyChain chain, Key key) =>
        chain.IdentityKey.SequenceEqual(key.PublicKey.Export(KeyBlobFormat.RawPublicKey));

    private async Task<T> InTurnAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            using var timer = new CancellationTokenSource(core.Options.Session.CallTimeout, core.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
            try
            {
                return await work(either.Token);
            }
            catch (OperationCanceledException late) when (
                timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw LocalErrors.Offline(late);
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The chain as it stands, after an alarm about what others have added to it.</summary>
    private async Task<KeyChain?> FollowAsync(CancellationToken cancellationToken)
    {
        var account = core.Device.Account.Id;
        var known = await core.Keys.People.FindAsync(account, cancellationToken);
        if (await log.FollowAsync(account, known.Entries, cancellationToken) is not { } followed)
        {
            return null;
        }

        // A device that sees the chain for the first time has nothing to compare it with.
        var own = await ReadAsync(cancellationToken);
        var foreign = followed.Entries.Skip(known.Entries.Count).Where(entry => !IsExpected(own, entry)).ToList();
        if (known.Entries.Count > 0 && foreign.Count > 0)
        {
            await alarms.RaiseAsync(
                KeyAlarmKind.OwnKeysChanged, account, [.. foreign.Select(Convert.ToBase64String)], cancellationToken);
        }

        if (own.Approvals is { Count: > 0 } approvals && approvals.Any(one => HasCome(followed.Chain, one)))
        {
            await UpdateAsync(
                now => now with { Approvals = [.. Lasting(now).Where(one => !HasCome(followed.Chain, one))] },
                cancellationToken);
        }

        if (foreign.Any(IsRemoval))
        {
            // What this device had begun before that is not to come back, and what the PIN opened opens nothing any more.
            var isGone = followed.Chain.VaultDigest.IsEmpty;
            await UpdateAsync(
                now => isGone ? now.WithoutBegun().WithoutRoot() : now.WithoutBegun(), cancellationToken);
        }

        if (own.PinVoid && foreign.Any(IsPin))
        {
            // Another device has set one since, or removed it.
            await UpdateAsync(static now => now with { PinVoid = false }, cancellationToken);
        }

        await core.Keys.People.PutAsync(followed.Chain, followed.Entries, cancellationToken);
        if (foreign.Any(IsPin))
        {
            // A look that came before this one was at another PIN, or at none.
            core.Background(core.Keys.Vault.LookAsync);
        }

        return followed.Chain;
    }

    private async Task<KeyChain> RequireChainAsync(CancellationToken cancellationToken) =>
        await FollowAsync(cancellationToken)
        ?? throw LocalErrors.NotReady("The server shows keys of this account that cannot be true.");

    private async Task<bool> EnterAsync(KeyChain chain, CancellationToken cancellationToken)
    {
        var own = await TakeNextAsync(await ReadAsync(cancellationToken), chain, cancellationToken);
        if (own.IdentitySeed is null && chain.Length > 0)
        {
            await AskForApprovalAsync(cancellationToken);
            return false;
        }

        if (own.IdentitySeed is null)
        {
            // Kept before the server hears of its public half: whoever dies in between goes on with it.
            own = await UpdateAsync(
                static now => now with { IdentitySeed = RandomNumberGenerator.GetBytes(KeySize) }, cancellationToken);
        }

        using var identityKey = Import(own.IdentitySeed!);
        var publicKey = identityKey.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        var isIn = chain.HasDevice(core.Device.Device, core.Groups.Member.PublicSignatureKey);
        var vouching = isIn ? chain.IdentityKeys : chain.IdentityKeys.TakeLast(1);
        if (chain.Length > 0 && !vouching.Any(key => publicKey.AsSpan().SequenceEqual(key)))
        {
            // The account has another identity, of which this device knows nothing.
            await UpdateAsync(static _ => new OwnKeysRecord(null), cancellationToken);
            return false;
        }

        if (!isIn)
        {
            var place = chain.Next;
            var entries = new List<KeyLogEntry>();
            if (chain.Length == 0)
            {
                var first = KeyLogEntry.Identity(place, identityKey, identityKey);
                entries.Add(first);
                place = Next(place, first);
            }

            entries.Add(DeviceAdded(place, identityKey));
            await PostAsync(entries, cancellationToken);
        }
        else if (!IsInForce(chain, identityKey))
        {
            // Another device has replaced the key: this one goes on with the old one until it has the new one.
            await AskForApprovalAsync(cancellationToken);
        }

        await CertifyAsync(identityKey, cancellationToken);
        return true;
    }

    /// <summary>What is posted is noted before, so that nobody takes it for somebody else's.</summary>
    /// <returns>The chain with it.</returns>
    private async Task<KeyChain> PostAsync(IReadOnlyList<KeyLogEntry> entries, CancellationToken cancellationToken)
    {
        byte[][] encodings = [.. entries.Select(entry => entry.Encoding.ToArray())];
        await UpdateAsync(
            own => own with { Posted = [.. encodings.Select(SHA256.HashData)] }, cancellationToken);
        await Transport.RetryAsync(core, token => core.Client.AppendKeysAsync(encodings, token), cancellationToken);
        return await RequireChainAsync(cancellationToken);
    }

    private async Task CertifyAsync(Key identityKey, CancellationToken cancellationToken)
    {
        bool isNews;
        using (await core.EnterAsync(cancellationToken))
        {
            isNews = core.Groups.Certify(identityKey);
            if (isNews)
            {
                // What others add it by when nothing else is left has not this certificate yet, if it is there at all.
                var batch = new Batch(core);
                batch.Put(core.Device with { LastResortUntil = DateTimeOffset.UnixEpoch });
                await batch.WriteAsync(cancellationToken);
            }
        }

        if (isNews)
        {
            core.Keys.Approved();
        }
    }

    private async Task<Key> RequireIdentityAsync(KeyChain chain, CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        if (own.IdentitySeed is not { } seed)
        {
            throw NotApproved();
        }

        var key = Import(seed);
        if (IsInForce(chain, key))
        {
            return key;
        }

        key.Dispose();
        throw NotApproved();
    }

    private KeyLogEntry DeviceAdded(KeyLogPlace place, Key identityKey) =>
        KeyLogEntry.DeviceAdded(place, core.Device.Device, core.Groups.Member.SignatureKey, identityKey);

    private bool IsExpected(OwnKeysRecord own, byte[] bytes) =>
        own.Posted?.Any(hash => hash.AsSpan().SequenceEqual(SHA256.HashData(bytes))) == true
        || (KeyLogEntry.TryRead(bytes, out var entry, out _) && entry.Type == KeyLogEntryType.DeviceAdded
            && Lasting(own).Any(one => one.Device == entry.Device));

    /// <summary>It is in the chain, or was: it comes no second time.</summary>
    private static bool HasCome(KeyChain chain, GivenApproval approval) =>
        chain.Devices.ContainsKey(approval.Device) || chain.IsRevoked(approval.Device);

    private static bool IsPin(byte[] bytes) =>
        KeyLogEntry.TryRead(bytes, out var entry, out _) && entry.Type == KeyLogEntryType.VaultConfigured;

    private static bool IsRemoval(byte[] bytes) =>
        KeyLogEntry.TryRead(bytes, out var entry, out _) && entry.Type == KeyLogEntryType.VaultConfigured
        && !entry.VaultDigest.ContainsAnyExcept((byte)0);

    private static KeyLogPlace Next(KeyLogPlace place, KeyLogEntry entry) =>
        new(place.Account, place.Sequence + 1, entry.Hash());

    private static Key Import(byte[] seed) =>
        Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
}
