using System.Buffers.Binary;
using ChatPay.Core.Vault;
using ChatPay.LoadTest.Chatting;

namespace ChatPay.LoadTest.Vaulting;

/// <summary>
/// Somebody with a PIN who recovers again and again. The first recovery is the device's own, with every proof checked by
/// Core; the later ones send the same blinded element under new ids, so that the client's arithmetic is not what is
/// measured: what a realm evaluates is then, byte for byte, what it proved to have evaluated at first.
/// </summary>
internal sealed class VaultMember
{
    /// <summary>The smallest that a registration may have, so that a driver of hundreds need not stretch for minutes.</summary>
    public static readonly PinHashParameters Cheap = new(8, 1, 1);

    private const int IdAt = 2;
    private const int IdBytes = 16;
    private const int VersionAt = IdAt + IdBytes;
    private const int AttemptAt = VersionAt + IdBytes;
    private const int GuessesAt = AttemptAt + IdBytes;
    private const int ProvedAt = GuessesAt + sizeof(ushort);

    private static readonly byte[] s_recover1 = Recover1();

    private readonly byte[][] _heads;
    private readonly byte[] _blinded;
    private readonly byte[][] _recover2;
    private readonly byte[][] _recover3;
    private readonly byte[][] _evaluated;
    private readonly byte[][] _released;

    private VaultMember(
        byte[][] heads, byte[] blinded, byte[][] recover2, byte[][] recover3, byte[][] evaluated, byte[][] released)
    {
        (_heads, _blinded, _recover2, _recover3) = (heads, blinded, recover2, recover3);
        (_evaluated, _released) = (evaluated, released);
    }

    private ReadOnlySpan<byte> Version => _recover2[0].AsSpan(VersionAt, IdBytes);

    /// <summary>Registers a PIN at all realms, and recovers with it once.</summary>
    public static async Task<VaultMember> CreateAsync(
        VaultDevice device, ChatPerson person, Pin pin, CancellationToken cancellationToken)
    {
        var root = await device.RegisterAsync(person, pin, Cheap, cancellationToken);
        var recovery = await device.RecoverAsync(person, pin, cancellationToken);
        if (!recovery.RootSecret.AsSpan().SequenceEqual(root))
        {
            throw new InvalidOperationException("The first recovery did not bring back what was registered.");
        }

        return new VaultMember(
            [.. device.Realms.Select(realm => device.HeadOf(realm, person))], recovery.Recover2[0].Request[^32..],
            [.. recovery.Recover2.Select(one => one.Request)], [.. recovery.Recover3.Select(one => one.Request)],
            [.. recovery.Recover2.Select(one => one.Response)], [.. recovery.Recover3.Select(one => one.Response)]);
    }

    /// <summary>One whole recovery: three messages to each of the realms, all realms at once.</summary>
    /// <param name="wires">One to each realm.</param>
    /// <param name="ids">Where ids of requests come from.</param>
    /// <param name="isProofChecked">Whether the proofs are verified too, and not only what they are of compared.</param>
    /// <exception cref="InvalidOperationException">An answer is not what it has to be.</exception>
    public async Task RecoverAsync(
        IReadOnlyList<RealmWire> wires, Func<Guid> ids, bool isProofChecked, CancellationToken cancellationToken)
    {
        await AtAllAsync(wires, (index, wire) => Recover1Async(index, wire, ids(), cancellationToken));
        var attempts = new byte[wires.Count][];
        await AtAllAsync(wires, async (index, wire) =>
            attempts[index] = await Recover2Async(index, wire, ids(), isProofChecked, cancellationToken));
        await AtAllAsync(
            wires, (index, wire) => Recover3Async(index, wire, ids(), attempts[index], cancellationToken));
    }

    private static Task AtAllAsync(IReadOnlyList<RealmWire> wires, Func<int, RealmWire, Task> ask) =>
        Task.WhenAll(wires.Select((wire, index) => ask(index, wire)));

    private async Task Recover1Async(int index, RealmWire wire, Guid id, CancellationToken cancellationToken)
    {
        var answer = await wire.AskAsync(_heads[index], Renewed(s_recover1, id), cancellationToken);
        Require(
            answer.Length == Recover1Response.SizeBytes && IsAnswer(answer.Span, VaultMessageType.Recover1Response, id)
            && answer.Span.Slice(VersionAt, IdBytes).SequenceEqual(Version),
            "recover1");
    }

    private async Task<byte[]> Recover2Async(
        int index, RealmWire wire, Guid id, bool isProofChecked, CancellationToken cancellationToken)
    {
        var answer = await wire.AskAsync(_heads[index], Renewed(_recover2[index], id), cancellationToken);
        Require(
            answer.Length == Recover2Response.SizeBytes && IsAnswer(answer.Span, VaultMessageType.Recover2Response, id)
            && answer.Span.Slice(VersionAt, IdBytes).SequenceEqual(Version)
            && BinaryPrimitives.ReadUInt16BigEndian(answer.Span[GuessesAt..]) == VaultLimits.Guesses - 1
            && answer.Span[ProvedAt..^Oprf.ProofSize].SequenceEqual(_evaluated[index].AsSpan(ProvedAt..^Oprf.ProofSize))
            && !answer.Span[^Oprf.ProofSize..].SequenceEqual(_evaluated[index].AsSpan(^Oprf.ProofSize..))
            && (!isProofChecked || IsProved(answer.Span)),
            "recover2");
        return answer.Slice(AttemptAt, IdBytes).ToArray();
    }

    private async Task Recover3Async(
        int index, RealmWire wire, Guid id, byte[] attempt, CancellationToken cancellationToken)
    {
        var request = Renewed(_recover3[index], id);
        attempt.CopyTo(request, AttemptAt);
        var answer = await wire.AskAsync(_heads[index], request, cancellationToken);
        Require(
            answer.Length == Recover3Response.SizeBytes && IsAnswer(answer.Span, VaultMessageType.Recover3Response, id)
            && answer.Span[VersionAt..].SequenceEqual(_released[index].AsSpan(VersionAt)),
            "recover3");
    }

    private static byte[] Recover1()
    {
        using var request = new Recover1Request(Guid.Empty);
        return request.Encoding.ToArray();
    }

    private bool IsProved(ReadOnlySpan<byte> answer)
    {
        if (!VaultMessage.TryRead<Recover2Response>(answer, out var response, out _))
        {
            return false;
        }

        using (response)
        {
            return Oprf.Verifiable.VerifyProof(
                response.PublicShare, _blinded, response.EvaluatedElement, response.Proof);
        }
    }

    private static byte[] Renewed(byte[] request, Guid id)
    {
        byte[] renewed = [.. request];
        id.TryWriteBytes(renewed.AsSpan(IdAt), bigEndian: true, out _);
        return renewed;
    }

    private static bool IsAnswer(ReadOnlySpan<byte> answer, VaultMessageType type, Guid id) =>
        answer[1] == (byte)type && new Guid(answer.Slice(IdAt, IdBytes), bigEndian: true) == id;

    private static void Require(bool holds, string step)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"A realm's answer to {step} is not what it has to be.");
        }
    }
}
