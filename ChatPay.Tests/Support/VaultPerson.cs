using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Client.Internal.Vault;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Vault;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>Somebody with a root secret and an account identity key, who uses the PIN vault over HTTP.</summary>
internal sealed class VaultPerson : IDisposable
{
    private VaultPerson(ChatPayClient client, Key identityKey, byte[] root)
    {
        Client = client;
        Vault = new PinVault(client, RandomNumberGenerator.Fill);
        IdentityKey = identityKey;
        Root = root;
    }

    public PinVault Vault { get; }

    public Key IdentityKey { get; set; }

    public byte[] Root { get; }

    public ChatPayClient Client { get; }

    public AccountId Account => Client.Account!.Id;

    public DeviceId Device => Client.Device!.Id;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<VaultPerson> SignUpAsync(Uri address)
    {
        var person = await Person.SignUpAsync(address);
        person.Key.Dispose();
        return new VaultPerson(
            person.Client, TestVault.NewKey(RandomNumberGenerator.Fill),
            RandomNumberGenerator.GetBytes(VaultLimits.RootSecretBytes));
    }

    /// <summary>Somebody who is there already, with new keys or those of another device.</summary>
    public static VaultPerson Of(Person person, VaultPerson? keysOf = null) => new(
        person.Client, keysOf?.IdentityKey ?? TestVault.NewKey(RandomNumberGenerator.Fill),
        keysOf?.Root ?? RandomNumberGenerator.GetBytes(VaultLimits.RootSecretBytes));

    public static Guid NewId() => new(RandomNumberGenerator.GetBytes(16));

    /// <summary>The same person with the same session and keys, before another server.</summary>
    public async Task<VaultPerson> AtAsync(Uri address)
    {
        var client = new ChatPayClient(address, Client.Token);
        await client.MeAsync(Cancellation);
        return new VaultPerson(client, IdentityKey, Root);
    }

    public async Task<VaultStep> RegisterAsync(string pin, Key? signer = null, PinHashParameters? work = null)
    {
        using var typed = TestVault.PinOf(pin);
        var (step, _) = await Vault.RegisterAsync(
            typed, Root, IdentityKey, signer ?? IdentityKey, work ?? TestVault.Cheap, Cancellation);
        return step;
    }

    /// <summary>Guesses; what comes out is the root secret exactly where the step passed, and zeros otherwise.</summary>
    public async Task<VaultStep> RecoverAsync(string pin)
    {
        using var typed = TestVault.PinOf(pin);
        var root = new byte[VaultLimits.RootSecretBytes];
        RandomNumberGenerator.Fill(root);
        var step = await Vault.RecoverAsync(typed, root, [], Cancellation);
        Assert.Equal(step.IsOk ? Root : new byte[VaultLimits.RootSecretBytes], root);
        return step;
    }

    public async Task<IReadOnlyList<VaultAttempt>> AttemptsAsync(int index)
    {
        var view = await Client.VaultAsync(Cancellation);
        return (await Client.VaultAttemptsAsync(view.Realms[index - 1], Cancellation)).Attempts;
    }

    public async Task<RealmId> RealmAsync(int index) =>
        new((await Client.VaultAsync(Cancellation)).Realms[index - 1]);

    /// <summary>Sends a message to one realm and reads the answer.</summary>
    public async Task<T> AskAsync<T>(int index, VaultMessage request)
        where T : VaultMessage, IVaultMessage<T>
    {
        using var door = new RealmDoor(Client, await Client.VaultAsync(Cancellation));
        var bytes = await door.AskAsync(door.View.Realms[index - 1], request.Encoding.ToArray(), Cancellation);
        return VaultMessage.TryRead<T>(bytes, out var response, out _) ? response
            : VaultMessage.TryRead<RealmRefusal>(bytes, out var refusal, out _)
                ? throw new InvalidOperationException($"Refused: {refusal.Reason}.")
            : throw new InvalidOperationException("The answer is of another kind.");
    }

    /// <summary>A blinded element that nobody can tell from a device's.</summary>
    public static byte[] Element()
    {
        Span<byte> scalar = stackalloc byte[32];
        Oprf.RandomScalar(RandomNumberGenerator.Fill, scalar);
        var element = new byte[32];
        Oprf.DerivePublicKey(scalar, element);
        return element;
    }

    public async Task<RealmConfiguration> ConfigurationAsync() => new(
        [await RealmAsync(1), await RealmAsync(2), await RealmAsync(3)], 2);

    /// <summary>A recovery step by step, which has asked no realm yet.</summary>
    public async Task<VaultRecovery> BeginAsync(string pin, RegistrationVersion version)
    {
        var configuration = await ConfigurationAsync();
        using var typed = TestVault.PinOf(pin);
        return VaultRecovery.Begin(
            new VaultContext(Account, version, configuration.Digest, TestVault.Cheap), configuration, typed, [],
            RandomNumberGenerator.Fill);
    }

    /// <summary>Has the first two realms evaluate; what comes out asks the first for its share.</summary>
    public async Task<Recover3Request> UnlockAsync(VaultRecovery recovery)
    {
        var answers = new List<RealmAnswer>();
        foreach (var index in new[] { 1, 2 })
        {
            var request = recovery.EvaluationRequest();
            using var response = await AskAsync<Recover2Response>(index, request);
            answers.Add(new RealmAnswer(index, request, response.Encoding.ToArray()));
        }

        Assert.True(recovery.TakeEvaluations(answers).IsOk);
        return recovery.ReleaseRequest(1);
    }

    public void Dispose()
    {
        IdentityKey.Dispose();
        Client.Dispose();
    }
}
