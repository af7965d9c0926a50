using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Identity;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.Client.Internal.Keys;

/// <summary>
/// The account's own chain: begun by its first device, gone on with by every device that has the identity key, and watched.
/// An entry that this device did not make raises an alarm.
/// </summary>
internal sealed partial class OwnKeys(DeviceCore core, KeyLogFollower log, KeyAlarms alarms) : IDisposable
{
    /// <summary>Other devices may add to the chain at the same moment; more often than this it cannot be chance.</summary>
    private const int Attempts = 8;

    private const int KeySize = 32;

    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>What this device makes for others to approve it with; null once it is approved.</summary>
    public async Task<ApprovalCode?> CodeAsync(CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        if (own.ApprovalKey is not { } privateKey || own.IdentitySeed is not null)
        {
            return null;
        }

        return new ApprovalCode(
            core.Device.Account.Id, core.Device.Device, core.Groups.Member.PublicSignatureKey,
            SealedApproval.PublicKeyOf(privateKey));
    }

    /// <summary>
    /// Brings the device into its account's chain where it can, and looks whether somebody else has added to it.
    /// </summary>
    /// <returns>Whether the device is in the chain.</returns>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    public async Task<bool> EnsureAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                if (await FollowAsync(cancellationToken) is not { } chain)
                {
                    return false;
                }

                try
                {
                    return await EnterAsync(chain, cancellationToken);
                }
                catch (ChatPayException stale) when (stale.Code == ErrorCode.KeyChainStale && attempt < Attempts)
                {
                    // Another device was quicker; what it added is looked at first.
                }
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Adds entries of this device's making, each made for its place.</summary>
    /// <param name="make">Of the chain as it stands; the entries follow one another, and none change nothing.</param>
    /// <exception cref="ChatPayException">
    /// <c>device_not_approved</c>: this device has no identity key; <c>key_entry_invalid</c>, among others.
    /// </exception>
    public async Task ChangeAsync(
        Func<KeyChain, Key, IReadOnlyList<KeyLogEntry>> make, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                var chain = await FollowAsync(cancellationToken)
                    ?? throw LocalErrors.NotReady("The server shows keys of this account that cannot be true.");
                using var identityKey = await RequireIdentityAsync(chain, cancellationToken);
                try
                {
                    if (make(chain, identityKey) is { Count: > 0 } entries)
                    {
                        await PostAsync(entries, cancellationToken);
                    }

                    return;
                }
                catch (ChatPayException stale) when (stale.Code == ErrorCode.KeyChainStale && attempt < Attempts)
                {
                    // Another device was quicker.
                }
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Begins the account's identity anew, without the old key: all other devices are revoked, and everybody has to accept the
    /// new one.
    /// </summary>
    public async Task ResetAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var chain = await FollowAsync(cancellationToken)
                ?? throw LocalErrors.NotReady("The server shows keys of this account that cannot be true.");
            if (chain.Devices.ContainsKey(core.Device.Device) || chain.IsRevoked(core.Device.Device))
            {
                // Its key is the chain's already, and no key comes into a chain twice.
                throw LocalErrors.NotReady("Only a device that is not approved begins the identity anew.");
            }

            var seed = RandomNumberGenerator.GetBytes(KeySize);
            await WriteAsync(new OwnKeysRecord(seed), cancellationToken);
            using var identityKey = Import(seed);
            CryptographicOperations.ZeroMemory(seed);
            var reset = KeyLogEntry.IdentityReset(chain.Next, identityKey);
            await PostAsync([reset, DeviceAdded(Next(chain.Next, reset), identityKey)], cancellationToken);
            await CertifyAsync(identityKey, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Takes the keys that another device or the PIN has brought, where they are the account's.</summary>
    /// <param name="rootSecret">32 bytes, or none.</param>
    /// <returns>Whether they are, and the device is in the chain now.</returns>
    public async Task<bool> TakeAsync(
        AccountKeys keys, ReadOnlyMemory<byte> rootSecret, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            using var identityKey = keys.ImportIdentityKey();
            if (await FollowAsync(cancellationToken) is not { } chain
                || !chain.IdentityKey.SequenceEqual(identityKey.PublicKey.Export(KeyBlobFormat.RawPublicKey)))
            {
                return false;
            }

            await WriteAsync(
                new OwnKeysRecord(
                    keys.IdentitySeed.ToArray(), rootSecret.IsEmpty ? null : rootSecret.ToArray(),
                    keys.ArchiveKey.IsEmpty ? null : keys.ArchiveKey.ToArray()),
                cancellationToken);
        }
        finally
        {
            _gate.Release();
        }

        return await EnsureAsync(cancellationToken);
    }

    /// <summary>An approval that came for this device; anything else is passed over.</summary>
    public async Task<bool> TakeApprovalAsync(byte[] message, CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        if (own.ApprovalKey is not { } privateKey || own.IdentitySeed is not null)
        {
            return false;
        }

        var root = new byte[KeySize];
        try
        {
            if (!SealedApproval.TryOpen(
                message, core.Device.Account.Id, core.Device.Device, privateKey, root, out var hasRoot, out var keys))
            {
                return false;
            }

            using (keys)
            {
                return await TakeAsync(keys, hasRoot ? root : default(ReadOnlyMemory<byte>), cancellationToken);
            }
        }
        finally
        {
            CryptographicOperations.ZeroMemory(root);
            CryptographicOperations.ZeroMemory(privateKey);
        }
    }

    /// <summary>Seals the account's keys for a device that shows a code.</summary>
    /// <exception cref="ChatPayException"><c>device_not_approved</c>: this device has none itself; the code is none.</exception>
    public async Task<byte[]> ApprovalAsync(ApprovalCode code, CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        if (own.IdentitySeed is not { } seed)
        {
            throw NotApproved();
        }

        using var keys = AccountKeys.Of(seed, own.ArchiveKey);
        var approval = SealedApproval.Seal(code, keys, own.RootSecret, GroupKeeper.Random)
            ?? throw LocalErrors.CodeInvalid("The code holds a key that is none.");
        await WriteAsync(own with { Approved = [.. own.Approved ?? [], code.Device] }, cancellationToken);
        return approval;
    }

    public async Task<OwnKeysRecord> ReadAsync(CancellationToken cancellationToken) =>
        await core.ReadAsync<OwnKeysRecord>(StoreKeys.OwnKeys, cancellationToken) ?? new OwnKeysRecord(null);

    /// <summary>Replaces what this device holds of the account's keys.</summary>
    public async Task WriteAsync(OwnKeysRecord own, CancellationToken cancellationToken)
    {
        using (await core.EnterAsync(cancellationToken))
        {
            await core.WriteAsync([new(StoreKeys.OwnKeys, DeviceCore.Encode(own))], cancellationToken);
        }
    }

    public static ChatPayException NotApproved() => LocalErrors.Refused(
        ErrorCode.DeviceNotApproved,
        "This device is not approved yet: enter the PIN, or approve it on another device of the account.");

    public void Dispose() => _gate.Dispose();

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

        await core.Keys.People.PutAsync(followed.Chain, followed.Entries, cancellationToken);
        return followed.Chain;
    }

    private async Task<bool> EnterAsync(KeyChain chain, CancellationToken cancellationToken)
    {
        var own = await ReadAsync(cancellationToken);
        if (own.IdentitySeed is null && chain.Length > 0)
        {
            if (own.ApprovalKey is null)
            {
                await WriteAsync(
                    own with { ApprovalKey = RandomNumberGenerator.GetBytes(KeySize) }, cancellationToken);
            }

            return false;
        }

        if (own.IdentitySeed is null)
        {
            // Kept before the server hears of its public half: whoever dies in between goes on with it.
            own = own with { IdentitySeed = RandomNumberGenerator.GetBytes(KeySize) };
            await WriteAsync(own, cancellationToken);
        }

        using var identityKey = Import(own.IdentitySeed!);
        var publicKey = identityKey.PublicKey.Export(KeyBlobFormat.RawPublicKey);
        var isIn = chain.HasDevice(core.Device.Device, core.Groups.Member.PublicSignatureKey);
        var vouching = isIn ? chain.IdentityKeys : chain.IdentityKeys.TakeLast(1);
        if (chain.Length > 0 && !vouching.Any(key => publicKey.AsSpan().SequenceEqual(key)))
        {
            // The account has another identity, of which this device knows nothing.
            await WriteAsync(new OwnKeysRecord(null), cancellationToken);
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

        await CertifyAsync(identityKey, cancellationToken);
        return true;
    }

    /// <summary>What is posted is noted before, so that nobody takes it for somebody else's.</summary>
    private async Task PostAsync(IReadOnlyList<KeyLogEntry> entries, CancellationToken cancellationToken)
    {
        byte[][] encodings = [.. entries.Select(entry => entry.Encoding.ToArray())];
        var own = await ReadAsync(cancellationToken);
        await WriteAsync(
            own with { Posted = [.. encodings.Select(SHA256.HashData)] }, cancellationToken);
        await Transport.RetryAsync(core, token => core.Client.AppendKeysAsync(encodings, token), cancellationToken);
        if (await FollowAsync(cancellationToken) is null)
        {
            throw LocalErrors.NotReady("The server shows keys of this account that cannot be true.");
        }
    }

    private async Task CertifyAsync(Key identityKey, CancellationToken cancellationToken)
    {
        var isNews = !core.Groups.IsCertified;
        using (await core.EnterAsync(cancellationToken))
        {
            core.Groups.Certify(identityKey);
            if (isNews)
            {
                // What others add it by when nothing else is left has no certificate yet, if it is there at all.
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
        if (chain.IdentityKey.SequenceEqual(key.PublicKey.Export(KeyBlobFormat.RawPublicKey)))
        {
            return key;
        }

        key.Dispose();
        throw NotApproved();
    }

    private KeyLogEntry DeviceAdded(KeyLogPlace place, Key identityKey) =>
        KeyLogEntry.DeviceAdded(place, core.Device.Device, core.Groups.Member.SignatureKey, identityKey);

    private static bool IsExpected(OwnKeysRecord own, byte[] bytes) =>
        own.Posted?.Any(hash => hash.AsSpan().SequenceEqual(SHA256.HashData(bytes))) == true
        || (KeyLogEntry.TryRead(bytes, out var entry, out _) && entry.Type == KeyLogEntryType.DeviceAdded
            && own.Approved?.Contains(entry.Device) == true);

    private static KeyLogPlace Next(KeyLogPlace place, KeyLogEntry entry) =>
        new(place.Account, place.Sequence + 1, entry.Hash());

    private static Key Import(byte[] seed) =>
        Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
}
