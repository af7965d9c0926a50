using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using Npgsql;

namespace ChatPay.LoadTest.Paying;

/// <summary>The beginning of somebody's chain in the key log: an identity, and the device that it vouches for.</summary>
internal sealed record DeviceChain(AccountId Account, DeviceId Device, KeyLogEntry First, KeyLogEntry Second, byte[] Identity);

/// <summary>
/// People who can pay: signed in, with a device whose key is in their chain of the key log, and with play money. All but the
/// wallets is written as the server would have left it; those the server opens.
/// </summary>
internal sealed class PayPeople : IDisposable
{
    public const string Asset = "EUR";

    /// <summary>What everybody begins with, in minor units.</summary>
    public const long GrantMinor = 1_000_000_000;

    private const int KeyBytes = 32;
    private const int WalletsAtOnce = 64;
    private readonly Dictionary<AccountId, Key> _keys;

    private PayPeople(IReadOnlyList<ChatRoom> rooms, Dictionary<AccountId, Key> keys) => (Rooms, _keys) = (rooms, keys);

    /// <summary>What the server is told so that there is money, besides what every scenario tells it.</summary>
    public static IReadOnlyDictionary<string, string> ServerSettings { get; } =
        new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Ledger:Assets:0:Code"] = Asset,
            ["Ledger:Assets:0:Exponent"] = "2",
            ["Ledger:Assets:0:SandboxMinor"] = FormattableString.Invariant($"{GrantMinor}"),
            ["Ledger:Sandbox:Enabled"] = "true",
            ["Ledger:Sandbox:AllowOutsideDevelopment"] = "true",
        };

    /// <param name="given">These win.</param>
    public static IReadOnlyDictionary<string, string> SettingsWith(IReadOnlyDictionary<string, string> given) =>
        new Dictionary<string, string>(ServerSettings.Concat(given)
            .GroupBy(pair => pair.Key, StringComparer.Ordinal).Select(group => group.Last()), StringComparer.Ordinal);

    public IReadOnlyList<ChatRoom> Rooms { get; }

    public IEnumerable<ChatPerson> Everybody => Rooms.SelectMany(room => room.Members);

    /// <summary>The key of this person's device, of those who have one to sign with.</summary>
    public Key KeyOf(ChatPerson person) => _keys[person.Account];

    /// <param name="signers">How many of each conversation, its first ones, have a key to sign with.</param>
    public static async Task<PayPeople> AddAsync(
        NpgsqlDataSource owner, int rooms, int membersEach, int signers, CancellationToken cancellationToken)
    {
        var keys = new Dictionary<AccountId, Key>();
        var chains = new List<DeviceChain>();
        ChatPerson WithKey(ChatPerson person)
        {
            var key = NewKey();
            using var identityKey = NewKey();
            keys.Add(person.Account, key);
            var first = KeyLogEntry.Identity(KeyLogPlace.First(person.Account), identityKey, identityKey);
            var second = KeyLogEntry.DeviceAdded(new(person.Account, 1, first.Hash()), person.Device, key, identityKey);
            chains.Add(new(person.Account, person.Device, first, second, PublicOf(identityKey)));
            return person with { SignatureKey = PublicOf(key) };
        }

        ChatRoom[] made =
        [
            .. from room in ChatPeople.Create(rooms, membersEach)
               select room with
               {
                   Members = [.. room.Members.Select((person, place) => place < signers ? WithKey(person) : person)],
               },
        ];
        await ChatPeople.AddAsync(owner, made, cancellationToken);
        await PayStore.AddChainsAsync(owner, chains, cancellationToken);
        return new PayPeople(made, keys);
    }

    /// <summary>Everybody looks at their wallet once, and the server opens it with its play money.</summary>
    public async Task OpenWalletsAsync(Uri server, CancellationToken cancellationToken)
    {
        using var http = new HttpClient { BaseAddress = server };
        await Parallel.ForEachAsync(
            Everybody, new ParallelOptions { MaxDegreeOfParallelism = WalletsAtOnce, CancellationToken = cancellationToken },
            async (person, stop) =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/wallet");
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", person.Token);
                using var answer = await http.SendAsync(request, stop);
                if (answer.StatusCode != HttpStatusCode.OK)
                {
                    throw new InvalidOperationException($"A wallet was not opened: {answer.StatusCode}.");
                }
            });
    }

    public void Dispose()
    {
        foreach (var key in _keys.Values)
        {
            key.Dispose();
        }
    }

    private static Key NewKey() => Key.Import(
        SignatureAlgorithm.Ed25519, RandomNumberGenerator.GetBytes(KeyBytes), KeyBlobFormat.RawPrivateKey);

    private static byte[] PublicOf(Key key) => key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
}
