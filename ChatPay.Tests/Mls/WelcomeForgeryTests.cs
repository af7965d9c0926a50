using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>
/// What whoever knows the joiner secret could put into a Welcome; RFC 9420 section 12.4.3.1, rule by rule. All of it is
/// encrypted as it should be, and signed by the member that it names unless the row is about that.
/// </summary>
public sealed class WelcomeForgeryTests : IDisposable
{
    private readonly TestClient[] _members = TestGroups.Of(4);
    private readonly TestClient _joiner = new("joiner");
    private readonly KeyPackageBundle _bundle;
    private readonly GroupSecrets _secrets;
    private readonly GroupInfo _info;

    public WelcomeForgeryTests()
    {
        _bundle = _joiner.NewBundle();
        var pending = _members[0].Commit(new()
        {
            Proposals = [new RemoveProposal { Removed = 2 }, new AddProposal { KeyPackage = _bundle.KeyPackage }],
        });
        var suite = _joiner.Suite;
        var welcome = TestClient.ParseWelcome(pending.Welcome!);
        Assert.True(WelcomeSecrets.TryOpenGroupSecrets(
            suite, welcome, _bundle.Ref, _bundle.InitPrivateKey, _bundle.KeyPackage.InitKey, out var secrets, out _));
        Assert.True(WelcomeSecrets.TryOpenGroupInfo(
            suite, secrets.JoinerSecret, new byte[suite.HashSize], welcome.EncryptedGroupInfo, out var info, out _));
        (_secrets, _info) = (secrets, info);
    }

    private GroupContext Context => _info.Context;

    [Fact]
    public void An_untouched_Welcome_lets_the_joiner_in()
    {
        Assert.True(TryJoin(_info, _secrets, out var rejection), $"{rejection}");
        Assert.True(TryJoin(Signed(Context), _secrets, out rejection), $"{rejection}");
    }

    [Fact]
    public void A_group_info_with_any_octet_changed_is_refused_however_it_is_sealed()
    {
        var wire = TlsCodec.Encode(_info);
        for (var place = 0; place < wire.Length; place++)
        {
            wire[place] ^= (byte)(1 << (place % 8));
            Assert.False(
                TlsCodec.TryDecode<GroupInfo>(wire, out var changed, out _) && TryJoin(changed, _secrets, out _),
                $"octet {place}");
            wire[place] ^= (byte)(1 << (place % 8));
        }
    }

    [Fact]
    public void A_signed_group_info_that_breaks_a_rule_is_refused()
    {
        var tree = _info.Extensions[0];
        var spoilt = _members[0].Group.ExportTree().Nodes.ToArray();
        spoilt[2] = null;
        var without = new RatchetTree { Nodes = spoilt };
        (string Why, GroupInfo Info, MlsRejection Expected)[] rows =
        [
            ("another version", Signed(With(version: 2)), MlsRejection.UnknownVersion),
            ("another suite", Signed(With(suite: 3)), MlsRejection.UnsupportedCipherSuite),
            ("another group", Signed(With(groupId: "other"u8.ToArray())), MlsRejection.SignatureInvalid),
            ("another epoch", Signed(With(epoch: Context.Epoch + 1)), MlsRejection.ConfirmationTagInvalid),
            ("no epoch after it", Signed(With(epoch: ulong.MaxValue)), MlsRejection.TooLarge),
            ("another tree hash", Signed(With(treeHash: Forge.Noise())), MlsRejection.TreeHashWrong),
            ("another transcript", Signed(With(transcript: Forge.Noise())), MlsRejection.ConfirmationTagInvalid),
            ("other extensions", Signed(With(extensions: [ApplicationId()])), MlsRejection.ConfirmationTagInvalid),
            ("an extension twice", Signed(With(extensions: [ApplicationId(), ApplicationId()])),
                MlsRejection.ExtensionDuplicate),
            ("an extension that nobody knows", Signed(With(extensions: [new() { Type = 0xf00d, Data = [] }])),
                MlsRejection.CapabilitiesLacking),
            ("another confirmation tag", Signed(Context, tag: Forge.Noise()), MlsRejection.ConfirmationTagInvalid),
            ("an extension of its own twice", Signed(Context, extensions: [tree, tree]), MlsRejection.ExtensionDuplicate),
            ("no tree", Signed(Context, extensions: []), MlsRejection.TreeMissing),
            ("a signer that is not there", Signed(Context, signer: 5), MlsRejection.LeafUnknown),
            ("a signer beyond all trees", Signed(Context, signer: uint.MaxValue), MlsRejection.LeafUnknown),
            ("another signer", Signed(Context, signer: 1), MlsRejection.SignatureInvalid),
            ("a member left out", Signed(With(treeHash: Hash(without)), extensions: [Extension(without)]),
                MlsRejection.ParentHashInvalid),
        ];
        Assert.All(rows, row =>
        {
            Assert.False(TryJoin(row.Info, _secrets, out var rejection), row.Why);
            Assert.Equal((row.Why, row.Expected), (row.Why, rejection));
        });
    }

    [Fact]
    public void Secrets_that_are_not_the_commits_are_refused()
    {
        var changed = _secrets.PathSecret!.AsSpan().ToArray();
        changed[7] ^= 1;
        var psk = new ExternalPskId { Id = [1], Nonce = Forge.Noise() };
        (string Why, byte[]? PathSecret, PreSharedKeyId[] Psks, MlsRejection Expected)[] rows =
        [
            ("another path secret", changed, [], MlsRejection.PathKeyMismatch),
            ("no path secret", null, [], MlsRejection.PrivateKeyMissing),
            ("a key that nobody has", _secrets.PathSecret, [psk], MlsRejection.PskUnknown),
        ];
        Assert.All(rows, row =>
        {
            var secrets = new GroupSecrets
            {
                JoinerSecret = _secrets.JoinerSecret,
                PathSecret = row.PathSecret,
                PreSharedKeys = row.Psks,
            };
            Assert.False(TryJoin(_info, secrets, out var rejection), row.Why);
            Assert.Equal((row.Why, row.Expected), (row.Why, rejection));
        });
    }

    /// <summary>The leaf must be the key package's own to the byte, not merely have its keys.</summary>
    [Fact]
    public void A_group_without_the_joiner_is_refused()
    {
        using var others = _joiner.NewBundle();
        var suite = _joiner.Suite;
        var sealedInfo = Sealed(_info, _secrets);
        Assert.True(WelcomeSecrets.TrySealGroupSecrets(
            suite, others.KeyPackage, sealedInfo, _secrets, _joiner.Services.Random, out var secrets));
        var welcome = new Welcome { CipherSuite = suite.Id, Secrets = [secrets], EncryptedGroupInfo = sealedInfo };

        Assert.False(Group.TryJoin(welcome, others, _joiner.Identity, _joiner.Services, out _, out var rejection));

        Assert.Equal(MlsRejection.OwnLeafMissing, rejection);
    }

    [Fact]
    public void A_group_with_a_member_who_is_not_who_it_says_is_refused()
    {
        var services = TestClient.NewServices(new Doubter("member 3"));

        Assert.False(TryJoin(_info, _secrets, out var rejection, services));
        Assert.Equal(MlsRejection.CredentialRefused, rejection);
    }

    [Fact]
    public void A_group_where_somebody_else_has_the_joiners_key_is_refused()
    {
        var founder = _members[0].Identity;
        var suite = _joiner.Suite;
        var leaf = founder.SignLeaf(
            suite, LeafNodeSource.Update, _bundle.KeyPackage.LeafNode.EncryptionKey, Context.GroupId, 0);
        var tree = PublicTree.Of(suite, leaf);
        var context = With(treeHash: tree.TreeHash.ToArray());
        var secrets = new GroupSecrets { JoinerSecret = _secrets.JoinerSecret, PreSharedKeys = [] };
        using var epoch = EpochSecrets.FromJoiner(
            suite, secrets.JoinerSecret, new byte[suite.HashSize], TlsCodec.Encode(context));
        var info = Signed(
            context, epoch.ConfirmationTag(context.ConfirmedTranscriptHash), [Extension(tree.ToWire())], signer: 0);

        Assert.False(TryJoin(info, secrets, out var rejection));
        Assert.Equal(MlsRejection.OwnLeafMissing, rejection);
    }

    public void Dispose()
    {
        Array.ForEach(_members, static member => member.Dispose());
        _joiner.Dispose();
        _bundle.Dispose();
        _secrets.Dispose();
    }

    private static Extension ApplicationId() => new() { Type = ExtensionType.ApplicationId, Data = [1] };

    private static Extension Extension(RatchetTree tree) =>
        new() { Type = ExtensionType.RatchetTree, Data = TlsCodec.Encode(tree) };

    private byte[] Hash(RatchetTree tree)
    {
        Assert.True(PublicTree.TryCreate(_joiner.Suite, tree, out var read, out var rejection), $"{rejection}");
        return read.TreeHash.ToArray();
    }

    private bool TryJoin(
        GroupInfo info, GroupSecrets secrets, out MlsRejection rejection, MlsServices? services = null)
    {
        var sealedInfo = Sealed(info, secrets);
        Assert.True(WelcomeSecrets.TrySealGroupSecrets(
            _joiner.Suite, _bundle.KeyPackage, sealedInfo, secrets, _joiner.Services.Random, out var own));
        var welcome = new Welcome { CipherSuite = _joiner.Suite.Id, Secrets = [own], EncryptedGroupInfo = sealedInfo };
        var joined = Group.TryJoin(
            welcome, _bundle, _joiner.Identity, services ?? _joiner.Services, out var group, out rejection);
        group?.Dispose();
        return joined;
    }

    private byte[] Sealed(GroupInfo info, GroupSecrets secrets) => WelcomeSecrets.SealGroupInfo(
        _joiner.Suite, secrets.JoinerSecret, new byte[_joiner.Suite.HashSize], info);

    private GroupContext With(
        ushort? version = null, ushort? suite = null, byte[]? groupId = null, ulong? epoch = null, byte[]? treeHash = null,
        byte[]? transcript = null, IReadOnlyList<Extension>? extensions = null) => new()
        {
            Version = version ?? Context.Version,
            CipherSuite = suite ?? Context.CipherSuite,
            GroupId = groupId ?? Context.GroupId,
            Epoch = epoch ?? Context.Epoch,
            TreeHash = treeHash ?? Context.TreeHash,
            ConfirmedTranscriptHash = transcript ?? Context.ConfirmedTranscriptHash,
            Extensions = extensions ?? Context.Extensions,
        };

    /// <summary>Signed by the committer, whoever is named as the signer.</summary>
    private GroupInfo Signed(
        GroupContext context, byte[]? tag = null, IReadOnlyList<Extension>? extensions = null, uint? signer = null)
    {
        return Build(GroupInfoValidation.Sign(Build([]), _joiner.Suite, _members[0].Identity.SignatureKey));

        GroupInfo Build(byte[] signature) => new()
        {
            Context = context,
            Extensions = extensions ?? _info.Extensions,
            ConfirmationTag = tag ?? _info.ConfirmationTag,
            Signer = signer ?? _info.Signer,
            Signature = signature,
        };
    }

    /// <summary>Believes everybody but one.</summary>
    private sealed class Doubter(string name) : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) =>
            credential is BasicCredential basic && !basic.Identity.AsSpan().SequenceEqual(TestClient.Basic(name).Identity);

        public bool MayReplace(LeafNode current, LeafNode next) => false;
    }
}
