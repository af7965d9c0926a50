using System.Buffers.Binary;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;

namespace ChatPay.Tests.Mls;

/// <summary>
/// A member whose keys and randomness follow from its name, at a time that stands still: what it makes is the same in
/// every run.
/// </summary>
internal sealed class FuzzPerson : IDisposable
{
    public static readonly byte[] PskId = "a key of old"u8.ToArray();

    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly byte[] s_psk = SHA256.HashData(PskId);

    private readonly byte[] _seed;
    private ulong _drawn;

    public FuzzPerson(string name)
    {
        _seed = SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(name));
        Member = new MlsMember
        {
            SignatureKey = Key.Import(SignatureAlgorithm.Ed25519, _seed, KeyBlobFormat.RawPrivateKey),
            Credential = new BasicCredential { Identity = _seed },
        };
        Services = new MlsServices
        {
            Random = Fill,
            Credentials = new Everybody(),
            Time = new StandingTime(),
            ExternalPsk = static id => id is ExternalPskId external && external.Id.AsSpan().SequenceEqual(PskId)
                ? s_psk.ToArray() : null,
        };
        Bundle = KeyPackageBundle.Create(
            FuzzGroup.Suite, Member, s_now.AddDays(-1), s_now.AddDays(30), lastResort: false, Fill);
    }

    public MlsMember Member { get; }

    public MlsServices Services { get; }

    public KeyPackageBundle Bundle { get; }

    public Group Join(byte[] welcome) => Group.TryJoin(
        FuzzGroup.Decode(welcome).Welcome!, Bundle, Member, Services, out var group, out var rejection)
            ? group : throw new InvalidOperationException($"{rejection}");

    public void Dispose()
    {
        Bundle.Dispose();
        Member.Dispose();
    }

    private void Fill(Span<byte> destination)
    {
        Span<byte> input = stackalloc byte[40];
        Span<byte> block = stackalloc byte[SHA256.HashSizeInBytes];
        _seed.CopyTo(input);
        while (!destination.IsEmpty)
        {
            BinaryPrimitives.WriteUInt64BigEndian(input[32..], _drawn++);
            SHA256.HashData(input, block);
            var count = Math.Min(block.Length, destination.Length);
            block[..count].CopyTo(destination);
            destination = destination[count..];
        }
    }

    private sealed class StandingTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => s_now;
    }

    private sealed class Everybody : ICredentialValidator
    {
        public bool IsValid(Credential credential, ReadOnlySpan<byte> signatureKey) => true;

        public bool MayReplace(LeafNode current, LeafNode next) => true;
    }
}
