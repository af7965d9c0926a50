using System.Security.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Tests.Support;
using Xunit;

namespace ChatPay.Tests.Mls;

/// <summary>What a Welcome carries opens for whom it was meant, and for nobody else.</summary>
public sealed class WelcomeSecretsTests
{
    private static readonly MlsCipherSuite s_suite = MlsCipherSuite.X25519Aes128Gcm;

    private readonly byte[] _joiner = RandomNumberGenerator.GetBytes(s_suite.HashSize);
    private readonly byte[] _psk = RandomNumberGenerator.GetBytes(s_suite.HashSize);
    private readonly byte[] _initPrivateKey;
    private readonly KeyPackage _keyPackage;

    public WelcomeSecretsTests()
    {
        var (privateKey, publicKey) = s_suite.DeriveKeyPair(RandomNumberGenerator.GetBytes(s_suite.HashSize));
        _initPrivateKey = privateKey.Span.ToArray();
        privateKey.Dispose();
        using var signatureKey = TestMls.NewSignatureKey();
        _keyPackage = TestMls.BuildKeyPackage(default, default, signatureKey, new() { InitKey = publicKey });
    }

    [Fact]
    public void Group_info_opens_with_the_same_secrets_only()
    {
        var info = Info();
        var sealedInfo = WelcomeSecrets.SealGroupInfo(s_suite, _joiner, _psk, info);

        Assert.True(WelcomeSecrets.TryOpenGroupInfo(s_suite, _joiner, _psk, sealedInfo, out var opened, out _));
        Assert.Equal(TlsCodec.Encode(info), TlsCodec.Encode(opened));
        Refused(_psk, _joiner, sealedInfo);
        Refused(_joiner, new byte[s_suite.HashSize], sealedInfo);
        Refused(_joiner, _psk, []);
        for (var bit = 0; bit < sealedInfo.Length * 8; bit++)
        {
            sealedInfo[bit / 8] ^= (byte)(1 << (bit % 8));
            Refused(_joiner, _psk, sealedInfo);
            sealedInfo[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        static void Refused(byte[] joiner, byte[] psk, byte[] sealedInfo)
        {
            Assert.False(WelcomeSecrets.TryOpenGroupInfo(s_suite, joiner, psk, sealedInfo, out _, out var rejection));
            Assert.Equal(MlsRejection.EncryptedGroupInfoInvalid, rejection);
        }
    }

    [Fact]
    public void Group_secrets_open_for_their_key_package_only()
    {
        var welcome = Welcome(new GroupSecrets
        {
            JoinerSecret = _joiner,
            PathSecret = _psk,
            PreSharedKeys = [new ExternalPskId { Id = [1], Nonce = [2] }],
        });
        var reference = s_suite.KeyPackageRef(_keyPackage);

        Assert.Equal(MlsRejection.None, Open(welcome, reference, out var secrets));
        Assert.Equal(_joiner, secrets!.JoinerSecret);
        Assert.Equal(_psk, secrets.PathSecret);
        Assert.Equal([1], Assert.IsType<ExternalPskId>(Assert.Single(secrets.PreSharedKeys)).Id);
        Assert.Equal(MlsRejection.KeyPackageOther, Open(welcome, reference[1..], out _));
        var ciphertext = welcome.Secrets[0].Secrets;
        foreach (var bytes in new[] { ciphertext.KemOutput, ciphertext.Ciphertext, welcome.EncryptedGroupInfo })
        {
            foreach (var place in Enumerable.Range(0, bytes.Length))
            {
                bytes[place] ^= 4;
                Assert.Equal(MlsRejection.GroupSecretsInvalid, Open(welcome, reference, out secrets));
                Assert.Null(secrets);
                bytes[place] ^= 4;
            }
        }

        Assert.Equal(MlsRejection.None, Open(welcome, reference, out _));
    }

    [Theory]
    [InlineData(31, null)]
    [InlineData(33, null)]
    [InlineData(0, null)]
    [InlineData(32, 31)]
    [InlineData(32, 0)]
    public void Secrets_of_another_size_are_refused(int joinerBytes, int? pathBytes)
    {
        var welcome = Welcome(new GroupSecrets
        {
            JoinerSecret = new byte[joinerBytes],
            PathSecret = pathBytes is { } count ? new byte[count] : null,
            PreSharedKeys = [],
        });

        Assert.Equal(MlsRejection.GroupSecretsInvalid, Open(welcome, s_suite.KeyPackageRef(_keyPackage), out _));
    }

    [Fact]
    public void More_pre_shared_keys_than_the_limit_are_refused()
    {
        var ids = Enumerable.Repeat(new ExternalPskId { Id = [], Nonce = [] }, MlsLimits.PreSharedKeys + 1).ToList();
        var welcome = Welcome(new GroupSecrets { JoinerSecret = _joiner, PreSharedKeys = ids });

        Assert.Equal(MlsRejection.GroupSecretsInvalid, Open(welcome, s_suite.KeyPackageRef(_keyPackage), out _));
        Assert.Throws<ArgumentException>(
            () => PskSecrets.PskSecret(s_suite, ids.ConvertAll(id => ((PreSharedKeyId)id, Array.Empty<byte>()))));
    }

    [Fact]
    public void A_key_package_without_a_key_gets_no_secrets()
    {
        using var signatureKey = TestMls.NewSignatureKey();
        var keyless = TestMls.BuildKeyPackage(default, default, signatureKey, new() { InitKey = new byte[32] });
        using var secrets = new GroupSecrets { JoinerSecret = _joiner, PreSharedKeys = [] };

        Assert.False(WelcomeSecrets.TrySealGroupSecrets(
            s_suite, keyless, [], secrets, RandomNumberGenerator.Fill, out var sealedSecrets));
        Assert.Null(sealedSecrets);
    }

    private MlsRejection Open(Welcome welcome, byte[] reference, out GroupSecrets? secrets)
    {
        WelcomeSecrets.TryOpenGroupSecrets(
            s_suite, welcome, reference, _initPrivateKey, _keyPackage.InitKey, out secrets, out var rejection);
        return rejection;
    }

    private Welcome Welcome(GroupSecrets secrets)
    {
        var info = WelcomeSecrets.SealGroupInfo(s_suite, _joiner, _psk, Info());
        Assert.True(WelcomeSecrets.TrySealGroupSecrets(
            s_suite, _keyPackage, info, secrets, RandomNumberGenerator.Fill, out var sealedSecrets));
        return new Welcome { CipherSuite = s_suite.Id, Secrets = [sealedSecrets], EncryptedGroupInfo = info };
    }

    private static GroupInfo Info() => new()
    {
        Context = new GroupContext
        {
            Version = ProtocolVersion.Mls10,
            CipherSuite = s_suite.Id,
            GroupId = [1, 2, 3],
            Epoch = 1,
            TreeHash = new byte[s_suite.HashSize],
            ConfirmedTranscriptHash = new byte[s_suite.HashSize],
            Extensions = [],
        },
        Extensions = [],
        ConfirmationTag = new byte[s_suite.HashSize],
        Signer = 0,
        Signature = new byte[64],
    };
}
