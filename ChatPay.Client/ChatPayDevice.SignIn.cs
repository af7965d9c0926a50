using System.Security.Cryptography;
using ChatPay.Client.Internal;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client;

/// <content>Signing up, in and out.</content>
public sealed partial class ChatPayDevice
{
    /// <summary>What tells that a device of the store is none of the account any more.</summary>
    private static readonly ErrorCode[] s_gone =
        [ErrorCode.DeviceRevoked, ErrorCode.DeviceUnknown, ErrorCode.DeviceKeyMismatch];

    /// <summary>Creates an account with this as its first device, and connects.</summary>
    /// <param name="handle">3 to 32 lower-case letters, digits and underscores.</param>
    /// <param name="displayName">1 to 64 characters.</param>
    /// <param name="password">10 to 128 characters; it is not kept.</param>
    /// <exception cref="ChatPayException">
    /// <c>handle_taken</c>, <c>handle_invalid</c>, <c>handle_reserved</c>, <c>handle_lookalike</c>,
    /// <c>password_length</c>, <c>password_common</c>, <c>display_name_invalid</c>, <c>sign_up_closed</c>, among
    /// others.
    /// </exception>
    /// <exception cref="InvalidOperationException">The device is signed in already.</exception>
    /// <example>
    /// <code>await device.SignUpAsync("echo_bot", "Echo", password, cancellationToken);</code>
    /// </example>
    public async Task SignUpAsync(
        string handle, string displayName, string password, CancellationToken cancellationToken)
    {
        using (await SigningAsync(cancellationToken))
        {
            await BeginAnewAsync(
                key => Client.SignUpAsync(new(handle, displayName, password, key), cancellationToken),
                cancellationToken);
        }
    }

    /// <summary>
    /// Signs in and connects: as the device that the store holds where it is of this account, else as a new one, in
    /// which case everything of an earlier device in the store goes. A new device reads what is said from then on.
    /// </summary>
    /// <param name="handle">The account's handle.</param>
    /// <param name="password">The account's password; it is not kept.</param>
    /// <exception cref="ChatPayException">
    /// <c>bad_credentials</c>; <c>too_many_requests</c>; <c>too_many_devices</c>: revoke one first.
    /// </exception>
    /// <exception cref="InvalidOperationException">The device is signed in already.</exception>
    /// <example>
    /// <code>await device.SignInAsync("echo_bot", password, cancellationToken);</code>
    /// </example>
    public async Task SignInAsync(string handle, string password, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrEmpty(handle);
        using (await SigningAsync(cancellationToken))
        {
            if (_core.DeviceOrNull is { } known && known.Account.Handle == handle.TrimStart('@'))
            {
                try
                {
                    await SignInAgainAsync(known, password, cancellationToken);
                    return;
                }
                catch (ChatPayException gone) when (s_gone.Contains(gone.Code))
                {
                    // It was revoked: what follows is another device.
                }
            }

            await BeginAnewAsync(
                key => Client.SignInAsync(new(handle, password, key), cancellationToken), cancellationToken);
        }
    }

    /// <summary>
    /// Goes on with the session that the store holds; else signs in, or signs up where the handle is free. What a
    /// program that is started again and again calls first.
    /// </summary>
    /// <param name="handle">3 to 32 lower-case letters, digits and underscores.</param>
    /// <param name="displayName">For a new account.</param>
    /// <param name="password">For whatever is needed.</param>
    /// <exception cref="ChatPayException">As <see cref="SignUpAsync"/> and <see cref="SignInAsync"/>.</exception>
    /// <example>
    /// <code>await device.SignUpOrInAsync("echo_bot", "Echo", password, cancellationToken);</code>
    /// </example>
    public async Task SignUpOrInAsync(
        string handle, string displayName, string password, CancellationToken cancellationToken)
    {
        if (IsSignedIn)
        {
            return;
        }

        if (_core.DeviceOrNull is null)
        {
            try
            {
                await SignUpAsync(handle, displayName, password, cancellationToken);
                return;
            }
            catch (ChatPayException taken) when (taken.Code == ErrorCode.HandleTaken)
            {
                // By this program, it is to be hoped; the password tells.
            }
        }

        await SignInAsync(handle, password, cancellationToken);
    }

    /// <summary>Revokes this device, for good, and wipes the store.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached; nothing has happened.</exception>
    /// <example>
    /// <code>await device.SignOutAsync(cancellationToken);</code>
    /// </example>
    public async Task SignOutAsync(CancellationToken cancellationToken)
    {
        await _signing.WaitAsync(cancellationToken);
        try
        {
            var device = _core.Device.Device;
            try
            {
                await Client.RevokeDeviceAsync(device, cancellationToken);
            }
            catch (ChatPayException gone) when (s_gone.Contains(gone.Code) || gone.Code == ErrorCode.Unauthenticated)
            {
                // That was the aim.
            }

            // The server knows the device no more, so nobody may stop half way.
            await EndSessionAsync();
            await _presence.ForgetAsync();
            await _core.WipeAsync(null, CancellationToken.None);
            Client.Forget();
        }
        finally
        {
            _signing.Release();
        }
    }

    /// <summary>The account's live devices, this one among them.</summary>
    /// <exception cref="ChatPayException">The server cannot be reached.</exception>
    /// <example>
    /// <code>
    /// foreach (var other in await device.DevicesAsync(cancellationToken))
    /// {
    ///     Console.WriteLine($"{other.Name} {other.Fingerprint}");
    /// }
    /// </code>
    /// </example>
    public Task<IReadOnlyList<DeviceView>> DevicesAsync(CancellationToken cancellationToken) =>
        Client.DevicesAsync(cancellationToken);

    private async Task<IDisposable> SigningAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        await _signing.WaitAsync(cancellationToken);
        if (!IsSignedIn)
        {
            return new Release(_signing);
        }

        _signing.Release();
        throw new InvalidOperationException("This device is signed in already.");
    }

    /// <summary>Its keys are as they were, so it goes on where it stood.</summary>
    private async Task SignInAgainAsync(DeviceRecord known, string password, CancellationToken cancellationToken)
    {
        var seed = await _core.Store.ReadAsync(StoreKeys.SignatureKey, cancellationToken)
            ?? throw LocalErrors.StoreUnreadable("The device's key is missing in the store.");
        var request = new SignInRequest(
            known.Account.Handle, password, Describe(seed), known.Device, DeviceToken: known.DeviceToken);
        CryptographicOperations.ZeroMemory(seed);
        await BeginAsync(await Client.SignInAsync(request, cancellationToken), null, cancellationToken);
    }

    /// <summary>As a device that is new to the server, unless it has heard of the store's key before.</summary>
    private async Task BeginAnewAsync(Func<NewDevice, Task<SessionReply>> ask, CancellationToken cancellationToken)
    {
        try
        {
            await BeginAnewAsync(ask, isFresh: false, cancellationToken);
        }
        catch (ChatPayException used) when (s_gone.Contains(used.Code))
        {
            // The key is of a device that was revoked, or of another account's, and no device can ever begin with it.
            await BeginAnewAsync(ask, isFresh: true, cancellationToken);
        }
    }

    private async Task BeginAnewAsync(
        Func<NewDevice, Task<SessionReply>> ask, bool isFresh, CancellationToken cancellationToken)
    {
        var seed = await NewKeyAsync(isFresh, cancellationToken);
        try
        {
            await BeginAsync(await ask(Describe(seed)), seed, cancellationToken);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(seed);
        }
    }

    /// <summary>
    /// The server has answered: whatever the caller gives up from here on, the device is signed in and connects.
    /// </summary>
    /// <param name="seed">The key of a device that is new here; null for the one that the store has.</param>
    private async Task BeginAsync(SessionReply reply, byte[]? seed, CancellationToken cancellationToken)
    {
        await EndSessionAsync();
        if (seed is not null && _core.DeviceOrNull is not null)
        {
            await _presence.ForgetAsync();
            await _core.WipeAsync(seed, CancellationToken.None);
        }

        var earlier = _core.DeviceOrNull;
        var storageKey = RandomNumberGenerator.GetBytes(StorageKey.SizeBytes);
        using (await _core.EnterAsync(CancellationToken.None))
        {
            var batch = new Batch(_core);
            if (seed is not null)
            {
                batch.Put(StoreKeys.SignatureKey, seed);
                batch.Put(StoreKeys.StorageKey, storageKey);
            }

            batch.Put(new DeviceRecord(
                reply.Account, reply.Device.Id, reply.Device.CreatedAt, reply.Token, reply.DeviceToken,
                earlier?.Sandbox ?? false, earlier?.Assets ?? [], earlier?.Lineage,
                earlier?.LastResortUntil ?? DateTimeOffset.UnixEpoch));
            await batch.WriteAsync(CancellationToken.None);
        }

        CryptographicOperations.ZeroMemory(storageKey);
        if (earlier is null)
        {
            await _core.Groups.OpenAsync(CancellationToken.None);
        }

        Connect();
        await RefreshAsync(cancellationToken);
    }

    private async Task EndSessionAsync()
    {
        if (_core.Session is { } session)
        {
            _core.Session = null;
            await session.DisposeAsync();
            _core.EndWaits(LocalErrors.SessionEnded(ChatSessionEnd.Closed, null));
        }
    }

    /// <summary>
    /// The key of a device to be, kept before the server hears of its public half: whoever dies in between signs in
    /// with the same key, and is the same device. Where the store holds a device, that one's is kept beside it until
    /// the next one begins.
    /// </summary>
    /// <param name="isFresh">Whether a key that is there is of no use.</param>
    private async Task<byte[]> NewKeyAsync(bool isFresh, CancellationToken cancellationToken)
    {
        using (await _core.EnterAsync(cancellationToken))
        {
            var name = _core.DeviceOrNull is null ? StoreKeys.SignatureKey : StoreKeys.NextSignatureKey;
            var seed = isFresh ? null : await _core.Store.ReadAsync(name, cancellationToken);
            if (seed is null)
            {
                seed = RandomNumberGenerator.GetBytes(SignatureAlgorithm.Ed25519.PrivateKeySize);
                await _core.WriteAsync([new(name, seed)], cancellationToken);
            }

            return seed;
        }
    }

    private NewDevice Describe(byte[] seed)
    {
        using var key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        return new(_core.Options.DeviceName, key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    private sealed class Release(SemaphoreSlim gate) : IDisposable
    {
        public void Dispose() => gate.Release();
    }
}
