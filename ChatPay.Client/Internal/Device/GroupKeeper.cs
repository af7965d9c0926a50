using System.Security.Cryptography;
using ChatPay.Client.Internal.Keys;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Client.Internal;

/// <summary>
/// The device's MLS side: its identity, the key that seals its state, and the groups, which are read from the store
/// when they are needed. Everything here happens behind the core's gate.
/// </summary>
internal sealed class GroupKeeper(DeviceCore core) : IDisposable
{
    private const int GroupsAtHand = 256;

    private readonly Queue<ConversationState> _atHand = new();
    private MlsMember? _member;
    private StorageKey? _storageKey;

    public static MlsCipherSuite Suite => MlsCipherSuite.X25519Aes128Gcm;

    /// <summary>What clients of this protocol say of themselves, no more, so that all of them are alike.</summary>
    public static Capabilities Capabilities { get; } = new()
    {
        Versions = [ProtocolVersion.Mls10],
        CipherSuites = [Suite.Id],
        Extensions = [],
        Proposals = [],
        Credentials = [(ushort)CredentialType.Basic],
    };

    public static FillRandom Random { get; } = RandomNumberGenerator.Fill;

    /// <exception cref="ChatPayException">Nobody is signed in, perhaps no longer.</exception>
    public MlsMember Member => _member ?? throw LocalErrors.NotReady("Sign up or sign in first.");

    /// <exception cref="ChatPayException">Nobody is signed in, perhaps no longer.</exception>
    public StorageKey StorageKey => _storageKey ?? throw LocalErrors.NotReady("Sign up or sign in first.");

    public MlsServices Services { get; } = new()
    {
        Random = Random,
        Credentials = new DeviceCredentials(core.Keys),
        Time = core.Time,

        // A group of this protocol has no resumption PSKs: what nothing asks for is not kept.
        ResumptionEpochs = 0,
    };

    /// <summary>Whether the account's identity key vouches for this device, so that others let it in.</summary>
    public bool IsCertified { get; private set; }

    /// <summary>
    /// Has leaves and key packages of this device carry a certificate from now on. Groups that are at hand are read again
    /// with it; behind the core's gate.
    /// </summary>
    /// <returns>Whether it is another one than before.</returns>
    public bool Certify(Key identityKey)
    {
        var known = Member;
        var device = core.Device;
        var credential = DeviceCredential.Issue(
            new CredentialIdentity(device.Account.Id, device.Device), known.PublicSignatureKey, identityKey);
        if (DeviceCredential.TryRead(known.Credential, out var present)
            && present.IdentityKey.SequenceEqual(credential.IdentityKey))
        {
            IsCertified = true;
            return false;
        }

        foreach (var state in core.Conversations)
        {
            Drop(state);
        }

        // The key goes on in the next member, so this one is not disposed of.
        _member = new MlsMember
        {
            SignatureKey = known.SignatureKey,
            Credential = credential.ToCredential(),
            Capabilities = Capabilities,
        };
        IsCertified = true;
        return true;
    }

    /// <summary>Whether this device's leaf has the certificate that this device has now, as far as it is known.</summary>
    public bool IsShown(GroupFacts facts) =>
        !IsCertified || (facts.Own?.FirstOrDefault(leaf => leaf.Device == core.Device.Device) is { } own
            && DeviceCredential.TryRead(Member.Credential, out var present)
            && present.IdentityKey.SequenceEqual(own.IdentityKey));

    /// <summary>Who vouches for the devices of this account in a group.</summary>
    public IReadOnlyList<OwnLeaf> OwnLeaves(IEnumerable<GroupMember> members)
    {
        var account = core.Device.Account.Id;
        return
        [
            .. Shown(members.Select(static member => member.Leaf)).Where(shown => shown.Account == account)
                .Select(static shown => shown.Leaf),
        ];
    }

    /// <summary>Whose the leaves are, and who vouches for them.</summary>
    public static IReadOnlyList<ShownLeaf> Shown(IEnumerable<LeafNode> leaves)
    {
        var shown = new List<ShownLeaf>();
        foreach (var leaf in leaves)
        {
            if (CredentialIdentity.TryRead(leaf.Credential, out var owner))
            {
                shown.Add(new ShownLeaf(owner.Account, new OwnLeaf(
                    owner.Device,
                    DeviceCredential.TryRead(leaf.Credential, out var certified) ? [.. certified.IdentityKey] : [],
                    leaf.SignatureKey)));
            }
        }

        return shown;
    }

    /// <summary>Takes up the identity of the store's device, once it has one.</summary>
    public async Task OpenAsync(CancellationToken cancellationToken)
    {
        var device = core.Device;
        var signatureKey = await core.Store.ReadAsync(StoreKeys.SignatureKey, cancellationToken);
        var storageKey = await core.Store.ReadAsync(StoreKeys.StorageKey, cancellationToken);
        _member = new MlsMember
        {
            SignatureKey = Key.Import(
                SignatureAlgorithm.Ed25519, signatureKey ?? throw Missing(), KeyBlobFormat.RawPrivateKey),
            Credential = new CredentialIdentity(device.Account.Id, device.Device).ToCredential(),
            Capabilities = Capabilities,
        };
        _storageKey = StorageKey.Import(storageKey ?? throw Missing());
        CryptographicOperations.ZeroMemory(signatureKey);
        CryptographicOperations.ZeroMemory(storageKey);
        await CertifyKnownAsync(device, cancellationToken);
    }

    /// <summary>A device that was in its account's chain when the store was last written proves itself at once.</summary>
    private async Task CertifyKnownAsync(DeviceRecord device, CancellationToken cancellationToken)
    {
        var own = await core.Keys.Own.ReadAsync(cancellationToken);
        if (own.IdentitySeed is { } seed && core.Keys.People.ChainOf(device.Account.Id) is { } chain
            && chain.HasDevice(device.Device, Member.PublicSignatureKey))
        {
            using var identityKey = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
            Certify(identityKey);
        }
    }

    public async Task ReadFactsAsync(ConversationState state, CancellationToken cancellationToken)
    {
        state.Facts = await core.ReadAsync<GroupFacts>(StoreKeys.GroupFacts(state.Id), cancellationToken);
        state.Pending = await core.ReadAsync<PendingFacts>(StoreKeys.PendingFacts(state.Id), cancellationToken);
    }

    /// <summary>
    /// The conversation's group as it is now; null where there is none. Two objects of one conversation would encrypt
    /// twice under one key, so there is only ever one.
    /// </summary>
    /// <exception cref="ChatPayException">The object is of an earlier device.</exception>
    public async ValueTask<Group?> GroupAsync(ConversationState state, CancellationToken cancellationToken)
    {
        core.RequireLive(state);
        if (state.Group is not null || state.Facts is null)
        {
            return state.Group;
        }

        var epoch = await core.Store.ReadAsync(StoreKeys.GroupEpoch(state.Id), cancellationToken) ?? throw Missing();
        var ratchets = await core.Store.ReadAsync(StoreKeys.GroupRatchets(state.Id), cancellationToken)
            ?? throw Missing();
        if (!Group.TryLoad(epoch, ratchets, StorageKey, Member, Services, out var group, out var rejection))
        {
            throw LocalErrors.StoreUnreadable($"A group's state in the store cannot be read: {rejection}.");
        }

        Keep(state, group);
        return group;
    }

    /// <summary>Has the group at hand from now on.</summary>
    public void Keep(ConversationState state, Group group)
    {
        state.Group?.Dispose();
        state.Group = group;
        _atHand.Enqueue(state);
    }

    /// <summary>Puts groups back that have been at hand for longest. What is in the store is what they were.</summary>
    public void Trim()
    {
        while (_atHand.Count > GroupsAtHand)
        {
            Drop(_atHand.Dequeue());
        }
    }

    public static void Drop(ConversationState state)
    {
        state.Group?.Dispose();
        state.Group = null;
    }

    public void PutGroup(Dictionary<string, byte[]?> changes, ConversationId id, Group group, bool withEpoch)
    {
        if (withEpoch)
        {
            changes[StoreKeys.GroupEpoch(id)] = group.SaveEpoch(StorageKey, Random);
        }

        changes[StoreKeys.GroupRatchets(id)] = group.SaveRatchets(StorageKey, Random);
    }

    public void PutPending(Dictionary<string, byte[]?> changes, ConversationId id, PendingCommit pending) =>
        changes[StoreKeys.PendingState(id)] = pending.Save(StorageKey, Random);

    /// <summary>The commit that waits for its answer.</summary>
    public async Task<PendingCommit> PendingAsync(ConversationId id, CancellationToken cancellationToken)
    {
        var blob = await core.Store.ReadAsync(StoreKeys.PendingState(id), cancellationToken) ?? throw Missing();
        return PendingCommit.TryLoad(blob, StorageKey, Member, Services, out var pending, out var rejection)
            ? pending
            : throw LocalErrors.StoreUnreadable($"A commit in the store cannot be read: {rejection}.");
    }

    /// <summary>Zeroes everything that is in memory.</summary>
    public void Forget()
    {
        foreach (var state in core.Conversations)
        {
            Drop(state);
        }

        _atHand.Clear();
        _member?.Dispose();
        _storageKey?.Dispose();
        (_member, _storageKey) = (null, null);
        IsCertified = false;
    }

    public void Dispose() => Forget();

    private static ChatPayException Missing() =>
        LocalErrors.StoreUnreadable("Something that belongs to the device is missing in the store.");

    /// <summary>
    /// An account and a device for an identity, for which the account's identity key vouches, and a leaf that stays that
    /// device's with the same key. Whose the identity key is, <see cref="PeopleKeys"/> looks at afterwards: a group goes on
    /// with somebody whose key has changed, but nothing is said to them.
    /// </summary>
    /// <remarks>An account that is not in the key log has no certificates; once it is, it has no devices without.</remarks>
    private sealed class DeviceCredentials(DeviceKeys keys) : ICredentialValidator
    {
        private const int SignatureKeyBytes = 32;

        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) =>
            signatureKey.Length == SignatureKeyBytes && CredentialIdentity.TryRead(credential, out var identity)
            && (DeviceCredential.TryRead(credential, out var certified)
                ? certified.IsFor(signatureKey) : !keys.People.HasChain(identity.Account));

        public bool MayReplace(LeafNode current, LeafNode next) =>
            CredentialIdentity.TryRead(current.Credential, out var before)
            && CredentialIdentity.TryRead(next.Credential, out var after) && before == after
            && current.SignatureKey.AsSpan().SequenceEqual(next.SignatureKey);
    }
}
