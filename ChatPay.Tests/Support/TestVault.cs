using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;

namespace ChatPay.Tests.Support;

/// <summary>
/// One account, its identity key and realms in memory that count nothing: what a test does to them and to their answers
/// is its own. The PIN costs next to nothing, so that tests are about the protocol.
/// </summary>
internal sealed class TestVault : IDisposable
{
    public static readonly PinHashParameters Cheap = new(8, 1, 1);

    private readonly RealmRecord?[] _records;

    public TestVault(int realms = 3, int threshold = 2, string seed = "vault")
    {
        Random = Stream(seed);
        Configuration = new RealmConfiguration(
            [.. Enumerable.Range(1, realms).Select(number => new RealmId(IdOf($"realm {number}")))], threshold);
        _records = new RealmRecord?[realms];
        IdentityKey = NewKey(Random);
        Root = new byte[VaultLimits.RootSecretBytes];
        Random(Root);
    }

    public FillRandom Random { get; }

    public RealmConfiguration Configuration { get; }

    public AccountId User { get; } = new(IdOf("account"));

    public Key IdentityKey { get; }

    public byte[] Root { get; }

    public byte[] Digest { get; private set; } = [];

    public IReadOnlyList<RealmRecord?> Records => _records;

    public IReadOnlyList<int> Indices => [.. Enumerable.Range(1, _records.Length)];

    /// <summary>
    /// Bytes that a seed makes again: SHA-512 of the seed in UTF-8 and a number in four bytes, from 0 on, one after the
    /// other.
    /// </summary>
    public static FillRandom Stream(string seed)
    {
        var pool = new Queue<byte>();
        var number = 0;
        return destination =>
        {
            for (var i = 0; i < destination.Length; i++)
            {
                if (pool.Count == 0)
                {
                    var block = new byte[Encoding.UTF8.GetByteCount(seed) + sizeof(int)];
                    Encoding.UTF8.GetBytes(seed, block);
                    BinaryPrimitives.WriteInt32BigEndian(block.AsSpan(block.Length - sizeof(int)), number++);
                    foreach (var value in SHA512.HashData(block))
                    {
                        pool.Enqueue(value);
                    }
                }

                destination[i] = pool.Dequeue();
            }
        };
    }

    public static Guid IdOf(string name) =>
        new(SHA256.HashData(Encoding.UTF8.GetBytes(name)).AsSpan(0, 16), bigEndian: true);

    public static Key NewKey(FillRandom random)
    {
        var seed = new byte[32];
        random(seed);
        return Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
    }

    public static Pin PinOf(string text) => Pin.TryRead(text, out var pin, out var refusal)
        ? pin : throw new ArgumentException($"No PIN: {refusal}.", nameof(text));

    public VaultRegistration Registration(string pin = "480279", Key? signer = null)
    {
        using var typed = PinOf(pin);
        return VaultRegistration.Create(
            new VaultRegistrationPlan(
                User, Configuration, Cheap, [.. _records.Select(record => record?.Version ?? RegistrationVersion.None)]),
            typed, Root, IdentityKey, signer ?? IdentityKey, Random);
    }

    /// <summary>Registers at all realms, or at some.</summary>
    public void Register(string pin = "480279", params int[] at)
    {
        using var registration = Registration(pin);
        Digest = [.. registration.Digest];
        foreach (var request in registration.Requests.Where(request => at.Length == 0 || at.Contains(request.Index)))
        {
            using var reply = RealmSteps.Register2(
                request.Realm, User, _records[request.Index - 1], request, default, out var next);
            _records[request.Index - 1] = next
                ?? throw new InvalidOperationException($"Refused: {((RealmRefusal)reply).Reason}.");
        }
    }

    /// <summary>Puts a record, or none, at a realm.</summary>
    public void Put(int index, RealmRecord? record) => _records[index - 1] = record;

    public RealmAnswer Recover1(int index)
    {
        var request = new Recover1Request(NextId());
        using var reply = RealmSteps.Recover1(request, _records[index - 1], AttemptGrant.Granted(default, 10), 0);
        return new RealmAnswer(index, request, reply.Encoding.ToArray());
    }

    public RealmAnswer Evaluate(VaultRecovery recovery, int index, int guessesLeft = 9)
    {
        var request = recovery.EvaluationRequest();
        using var reply = RealmSteps.Evaluate(
            request, _records[index - 1], AttemptGrant.Granted(new AttemptId(NextId()), guessesLeft), Random);
        return new RealmAnswer(index, request, reply.Encoding.ToArray());
    }

    public RealmAnswer Release(VaultRecovery recovery, int index)
    {
        var request = recovery.ReleaseRequest(index);
        using var reply = RealmSteps.Release(
            request, _records[index - 1], AttemptGrant.Granted(request.Attempt, 10));
        return new RealmAnswer(index, request, reply.Encoding.ToArray());
    }

    public VaultRecovery Begin(string pin = "480279", bool isPinned = false, RegistrationVersion? version = null)
    {
        using var typed = PinOf(pin);
        return VaultRecovery.Begin(
            new VaultContext(
                User, version ?? _records.First(record => record is not null)!.Version, Configuration.Digest, Cheap),
            Configuration, typed, isPinned ? Digest : [], Random);
    }

    public Guid NextId()
    {
        Span<byte> id = stackalloc byte[16];
        Random(id);
        return new Guid(id, bigEndian: true);
    }

    public void Dispose()
    {
        IdentityKey.Dispose();
        foreach (var record in _records)
        {
            record?.Dispose();
        }
    }
}
