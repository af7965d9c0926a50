using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// The parts of MLS that the server sees of what it cannot read, for this program and for tests: what is public in them is
/// right, and what only members could read is noise.
/// </summary>
internal static class SealedMessages
{
    public static readonly MlsCipherSuite Suite = MlsCipherSuite.X25519Aes128Gcm;

    private const int KeyBytes = 32;
    private const int SealedSecretBytes = 48;
    private const int GroupInfoBytes = 200;

    /// <summary>A Welcome for these key packages.</summary>
    public static byte[] Welcome(IEnumerable<KeyPackage> packages) => TlsCodec.Encode(new MlsMessage(new Welcome
    {
        CipherSuite = Suite.Id,
        Secrets =
        [
            .. packages.Select(package => new EncryptedGroupSecrets
            {
                NewMember = Suite.KeyPackageRef(package),
                Secrets = Ciphertext(),
            }),
        ],
        EncryptedGroupInfo = Noise(GroupInfoBytes),
    }));

    /// <summary>A signed GroupInfo of an epoch with external_pub and a ratchet tree, which holds nothing.</summary>
    public static byte[] GroupInfo(ConversationId conversation, long epoch, Key signatureKey, int signerLeaf)
    {
        var context = new GroupContext
        {
            Version = ProtocolVersion.Mls10,
            CipherSuite = Suite.Id,
            GroupId = GroupIds.From(conversation),
            Epoch = (ulong)epoch,
            TreeHash = Noise(KeyBytes),
            ConfirmedTranscriptHash = Noise(KeyBytes),
            Extensions = [],
        };
        Extension[] extensions =
        [
            // A vector of 32 bytes.
            new Extension { Type = ExtensionType.ExternalPub, Data = [KeyBytes, .. NewEncryptionKey()] },
            new Extension { Type = ExtensionType.RatchetTree, Data = [0] },
        ];
        var tag = Noise(KeyBytes);
        return TlsCodec.Encode(new MlsMessage(Info(GroupInfoValidation.Sign(Info([]), Suite, signatureKey))));

        GroupInfo Info(byte[] signature) => new()
        {
            Context = context,
            Extensions = extensions,
            ConfirmationTag = tag,
            Signer = (uint)signerLeaf,
            Signature = signature,
        };
    }

    public static HpkeCiphertext Ciphertext() =>
        new() { KemOutput = NewEncryptionKey(), Ciphertext = Noise(SealedSecretBytes) };

    /// <summary>An X25519 public key whose private key nobody has.</summary>
    public static byte[] NewEncryptionKey()
    {
        using var key = Key.Import(
            KeyAgreementAlgorithm.X25519, RandomNumberGenerator.GetBytes(KeyBytes), KeyBlobFormat.RawPrivateKey);
        return key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    public static byte[] Noise(int count) => RandomNumberGenerator.GetBytes(count);
}
