using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;

namespace ChatPay.LoadTest.Messaging;

/// <summary>Somebody with keys, who is in a group or may come into one.</summary>
internal sealed class MlsPerson : IDisposable
{
    public const int IdentityBytes = 32;

    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(84);

    public MlsPerson()
    {
        Member = new MlsMember
        {
            SignatureKey = Key.Import(
                SignatureAlgorithm.Ed25519, RandomNumberGenerator.GetBytes(32), KeyBlobFormat.RawPrivateKey),
            Credential = new BasicCredential { Identity = RandomNumberGenerator.GetBytes(IdentityBytes) },
        };
        var now = TimeProvider.System.GetUtcNow();
        Bundle = KeyPackageBundle.Create(
            MlsGroupBench.Suite, Member, now.AddHours(-1), now + s_lifetime, lastResort: false, Services.Random);
    }

    /// <summary>What ChatPay's own clients use, with everybody believed, as on the other side.</summary>
    public static MlsServices Services { get; } = new()
    {
        Random = RandomNumberGenerator.Fill,
        Credentials = new Everybody(),
        Time = TimeProvider.System,
    };

    public MlsMember Member { get; }

    public KeyPackageBundle Bundle { get; }

    public Group Join(byte[] welcome) =>
        TlsCodec.TryDecode<MlsMessage>(welcome, out var message, out var rejection)
        && Group.TryJoin(message.Welcome!, Bundle, Member, Services, out var group, out rejection)
            ? group : throw new InvalidOperationException($"A Welcome was refused: {rejection}.");

    public void Dispose()
    {
        Bundle.Dispose();
        Member.Dispose();
    }

    private sealed class Everybody : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) => true;

        public bool MayReplace(LeafNode current, LeafNode next) => true;
    }
}
