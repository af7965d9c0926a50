using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Mls;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>One client of MLS tests: an identity, what it needs from outside, and the group that it is in.</summary>
internal sealed class TestClient : IDisposable
{
    private Group? _group;

    public TestClient(string name, MlsServices? services = null, MlsCipherSuite? suite = null)
    {
        Name = name;
        Services = services ?? NewServices();
        Suite = suite ?? MlsCipherSuite.X25519Aes128Gcm;
        Identity = NewIdentity(name);
    }

    public string Name { get; }

    public MlsServices Services { get; }

    public MlsCipherSuite Suite { get; }

    public MlsMember Identity { get; set; }

    public Group Group
    {
        get => _group ?? throw new InvalidOperationException($"{Name} is in no group.");
        set
        {
            _group?.Dispose();
            _group = value;
        }
    }

    public static MlsServices NewServices(ICredentialValidator? credentials = null) => new()
    {
        Random = RandomNumberGenerator.Fill,
        Credentials = credentials ?? new NameValidator(),
        Time = TimeProvider.System,
    };

    public static MlsMember NewIdentity(string name, Capabilities? capabilities = null) => new()
    {
        SignatureKey = TestMls.NewSignatureKey(),
        Credential = Basic(name),
        Capabilities = capabilities ?? MlsMember.DefaultCapabilities,
    };

    public static BasicCredential Basic(string name) => new() { Identity = Encoding.UTF8.GetBytes(name) };

    public static Welcome ParseWelcome(byte[] message)
    {
        Assert.True(TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out var rejection), rejection.ToString());
        return Assert.IsType<Welcome>(decoded.Welcome);
    }

    public static GroupInfo ParseGroupInfo(byte[] message)
    {
        Assert.True(TlsCodec.TryDecode<MlsMessage>(message, out var decoded, out var rejection), rejection.ToString());
        return Assert.IsType<GroupInfo>(decoded.GroupInfo);
    }

    public void Create(byte[]? groupId = null, IReadOnlyList<Extension>? extensions = null) =>
        Group = Group.Create(Suite, groupId ?? "group"u8.ToArray(), Identity, Services, extensions);

    public KeyPackageBundle NewBundle(bool lastResort = false, MlsCipherSuite? suite = null)
    {
        var now = Services.Time.GetUtcNow();
        return KeyPackageBundle.Create(
            suite ?? Suite, Identity, now.AddHours(-1), now.AddDays(90), lastResort, Services.Random);
    }

    public void Join(byte[]? welcome, KeyPackageBundle bundle, JoinOptions? options = null)
    {
        Assert.NotNull(welcome);
        Assert.True(
            Group.TryJoin(ParseWelcome(welcome), bundle, Identity, Services, out var group, out var rejection, options),
            $"{Name}: {rejection}");
        Group = group;
    }

    /// <summary>Commits, applies, and gives the commit back for the others.</summary>
    public PendingCommit Commit(MlsCommitRequest? request = null)
    {
        var pending = Group.Commit(request);
        _ = pending.GroupInfo;
        Group.Apply(pending);
        return pending;
    }

    public T Process<T>(byte[] message)
        where T : Processed
    {
        Assert.True(Group.TryProcess(message, out var processed, out var rejection), $"{Name}: {rejection}");
        return Assert.IsType<T>(processed);
    }

    /// <summary>The message is refused for the reason, and the group is what it was.</summary>
    public void Refuses(byte[] message, MlsRejection expected)
    {
        var before = Group.Status == GroupStatus.Removed ? [] : Group.EpochAuthenticator;
        Assert.False(Group.TryProcess(message, out var processed, out var rejection), $"{Name} took it");
        Assert.Null(processed);
        Assert.Equal(expected, rejection);
        Assert.Equal(before, Group.Status == GroupStatus.Removed ? [] : Group.EpochAuthenticator);
    }

    public void Dispose()
    {
        _group?.Dispose();
        Identity.Dispose();
    }

    /// <summary>Believes all basic credentials; a client is who has the same name.</summary>
    internal sealed class NameValidator : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) =>
            credential is BasicCredential { Identity.Length: > 0 };

        public bool MayReplace(LeafNode current, LeafNode next) =>
            current.Credential is BasicCredential was && next.Credential is BasicCredential now
            && was.Identity.AsSpan().SequenceEqual(now.Identity);
    }
}
