using System.Diagnostics;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Vault;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Serving;

namespace ChatPay.LoadTest.Vaulting;

/// <summary>A message and the answer to it, as bytes.</summary>
internal sealed record VaultExchangeBytes(byte[] Request, byte[] Response);

/// <summary>A recovery that came to its end, and where its time went.</summary>
/// <param name="Network">Waiting for the realms, three times.</param>
/// <param name="Begin">Stretching the PIN with Argon2id, and blinding.</param>
/// <param name="Check">Certificates and proofs of the evaluations, putting them together, and opening the root secret.</param>
internal sealed record VaultRecoveryTimes(
    byte[] RootSecret, IReadOnlyList<VaultExchangeBytes> Recover2, IReadOnlyList<VaultExchangeBytes> Recover3,
    TimeSpan Total, TimeSpan Network, TimeSpan Begin, TimeSpan Check);

/// <summary>The device's side as .NET clients have it: Core's steps, and the realms over HTTP, all at once.</summary>
internal sealed class VaultDevice : IAsyncDisposable
{
    private const int Threshold = 2;

    private readonly Uri _server;
    private readonly RealmWire[] _wires;

    private VaultDevice(Uri server, IReadOnlyList<Guid> realms, RealmWire[] wires)
    {
        (_server, Realms, _wires) = (server, realms, wires);
        Configuration = new RealmConfiguration([.. realms.Select(realm => new RealmId(realm))], Threshold);
    }

    public IReadOnlyList<Guid> Realms { get; }

    public RealmConfiguration Configuration { get; }

    /// <param name="realms">As the server names them, in the order of their shares.</param>
    public static async Task<VaultDevice> ConnectAsync(
        ServedProcess server, IReadOnlyList<Guid> realms, CancellationToken cancellationToken) =>
        new(server.Address, realms, await WiresAsync(server, realms.Count, cancellationToken));

    public static Key NewKey() => Key.Import(
        SignatureAlgorithm.Ed25519, RandomNumberGenerator.GetBytes(32), KeyBlobFormat.RawPrivateKey);

    public static async Task<RealmWire[]> WiresAsync(
        ServedProcess server, int count, CancellationToken cancellationToken)
    {
        var wires = new RealmWire[count];
        for (var index = 0; index < count; index++)
        {
            wires[index] = await RealmWire.ConnectAsync(server.Address, cancellationToken);
        }

        return wires;
    }

    public byte[] HeadOf(Guid realm, ChatPerson person) => RealmWire.HeadOf(_server, realm, person.Token);

    /// <summary>Registers a PIN and a new root secret at all realms.</summary>
    /// <returns>The root secret.</returns>
    public async Task<byte[]> RegisterAsync(
        ChatPerson person, Pin pin, PinHashParameters parameters, CancellationToken cancellationToken)
    {
        var root = RandomNumberGenerator.GetBytes(VaultLimits.RootSecretBytes);
        using var identity = NewKey();
        using var registration = VaultRegistration.Create(
            new VaultRegistrationPlan(
                person.Account, Configuration, parameters, [.. Realms.Select(_ => RegistrationVersion.None)]),
            pin, root, identity, identity, RandomNumberGenerator.Fill);
        var answers = await AskAsync(
            person, [.. registration.Requests.Select(request => request.Index)],
            index => registration.Requests[index - 1], cancellationToken);
        foreach (var answer in answers)
        {
            if (!VaultMessage.TryRead<Register2Response>(answer.Response.Span, out var response, out _))
            {
                throw new InvalidOperationException("A realm did not take a registration.");
            }

            response.Dispose();
        }

        return root;
    }

    /// <summary>One recovery as a device makes it, with every answer checked.</summary>
    public async Task<VaultRecoveryTimes> RecoverAsync(
        ChatPerson person, Pin pin, CancellationToken cancellationToken)
    {
        var whole = Stopwatch.StartNew();
        var network = new Stopwatch();
        network.Start();
        var told = await AskAsync(
            person, [.. Enumerable.Range(1, Realms.Count)], _ => new Recover1Request(NextId()), cancellationToken);
        network.Stop();
        Require(RecoveryStart.Choose(person.Account, Configuration, told, out var start), "recover1");

        var begin = Stopwatch.StartNew();
        using var recovery = VaultRecovery.Begin(
            start!.Context, Configuration, pin, [], RandomNumberGenerator.Fill);
        begin.Stop();
        network.Start();
        var evaluated = await AskAsync(person, start.Realms, _ => recovery.EvaluationRequest(), cancellationToken);
        network.Stop();
        var check = Stopwatch.StartNew();
        Require(recovery.TakeEvaluations(evaluated), "recover2");
        check.Stop();
        network.Start();
        var released = await AskAsync(person, recovery.Unlocked, recovery.ReleaseRequest, cancellationToken);
        network.Stop();
        check.Start();
        var root = new byte[VaultLimits.RootSecretBytes];
        Require(recovery.TakeShares(released, root), "recover3");
        check.Stop();
        return new VaultRecoveryTimes(
            root, [.. evaluated.Select(BytesOf)], [.. released.Select(BytesOf)], whole.Elapsed, network.Elapsed,
            begin.Elapsed, check.Elapsed);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var wire in _wires)
        {
            await wire.DisposeAsync();
        }
    }

    private static VaultExchangeBytes BytesOf(RealmAnswer answer) =>
        new(answer.Request.Encoding.ToArray(), answer.Response.ToArray());

    private static Guid NextId() => new(RandomNumberGenerator.GetBytes(16));

    private static void Require(VaultStep step, string name)
    {
        if (!step.IsOk || step.Faults.Count > 0)
        {
            throw new InvalidOperationException($"A recovery ended at {name}: {step.Rejection}.");
        }
    }

    private Task<RealmAnswer[]> AskAsync(
        ChatPerson person, IReadOnlyList<int> indices, Func<int, VaultMessage> requestOf,
        CancellationToken cancellationToken) => Task.WhenAll(indices.Select(async index =>
        {
            var request = requestOf(index);
            var answer = await _wires[index - 1].AskAsync(
                HeadOf(Realms[index - 1], person), request.Encoding.ToArray(), cancellationToken);
            return new RealmAnswer(index, request, answer.ToArray());
        }));
}
