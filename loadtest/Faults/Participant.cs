using System.Security.Cryptography;
using ChatPay.Client;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;

namespace ChatPay.LoadTest.Faults;

/// <summary>
/// One device of somebody: a real client that keeps itself connected, and a list of everything it was handed.
/// </summary>
internal sealed class Participant : IAsyncDisposable
{
    private const string Password = "a fairly long sentence 7";

    private readonly Lock _lock = new();
    private readonly Dictionary<ConversationId, List<LogEntry>> _logs = [];
    private readonly HashSet<ConversationId> _turnovers = [];
    private readonly CursorWatch _cursors = new();
    private readonly HistoryBook _book;
    private readonly Key _identityKey;

    /// <summary>Of the account's first device, which disposes of the identity key; null for another.</summary>
    private KeyLogEntry? _chainEnd;
    private int _lineages;

    private Participant(ChatPayClient client, Key key, Key identityKey, HistoryBook book)
    {
        (Client, _identityKey, _book) = (client, identityKey, book);
        Member = new MlsMember
        {
            SignatureKey = key,
            Credential = DeviceCredential.Issue(
                new CredentialIdentity(Account, Device), key.PublicKey.Export(KeyBlobFormat.RawPublicKey), identityKey)
                .ToCredential(),
        };
    }

    public ChatPayClient Client { get; }

    /// <summary>What it has to sign with and to show in groups.</summary>
    public MlsMember Member { get; }

    public ChatSession Session { get; private set; } = null!;

    public AccountId Account => Client.Account!.Id;

    public DeviceId Device => Client.Device!.Id;

    /// <summary>How often it was told that the database has another history.</summary>
    public int Lineages => Volatile.Read(ref _lineages);

    /// <summary>What it was handed, by conversation, in the order in which it was.</summary>
    public IReadOnlyDictionary<ConversationId, IReadOnlyList<LogEntry>> Logs
    {
        get
        {
            lock (_lock)
            {
                return _logs.ToDictionary(log => log.Key, log => (IReadOnlyList<LogEntry>)[.. log.Value]);
            }
        }
    }

    public static async Task<Participant> SignUpAsync(
        Uri address, string handle, HistoryBook book, CancellationToken cancellationToken)
    {
        var client = new ChatPayClient(address);
        var key = NewKey();
        await client.SignUpAsync(new(handle, handle, Password, NewDevice(key)), cancellationToken);
        var identityKey = NewKey();
        var first = KeyLogEntry.Identity(KeyLogPlace.First(client.Account!.Id), identityKey, identityKey);
        var second = KeyLogEntry.DeviceAdded(Next(first), client.Device!.Id, key, identityKey);
        await client.AppendKeysAsync([first.Encoding.ToArray(), second.Encoding.ToArray()], cancellationToken);
        return new(client, key, identityKey, book) { _chainEnd = second };
    }

    /// <summary>The same account on another device, of which there is one at most.</summary>
    public async Task<Participant> OnAnotherDeviceAsync(CancellationToken cancellationToken)
    {
        var client = new ChatPayClient(Client.Address);
        var key = NewKey();
        await client.SignInAsync(new(Client.Account!.Handle, Password, NewDevice(key)), cancellationToken);
        var entry = KeyLogEntry.DeviceAdded(Next(_chainEnd!), client.Device!.Id, key, _identityKey);
        await Client.AppendKeysAsync([entry.Encoding.ToArray()], cancellationToken);
        return new(client, key, _identityKey, _book);
    }

    public void Start(IReadOnlyList<Uri> addresses) => Session = Client.StartSession(
        new()
        {
            Events = (events, _) =>
            {
                Take(events);
                return default;
            },
            LineageChanged = _ => Forget(),
        },
        new()
        {
            Addresses = addresses,
            BaseDelay = TimeSpan.FromMilliseconds(100),
            MaxDelay = TimeSpan.FromSeconds(2),
            CallTimeout = TimeSpan.FromSeconds(10),
            ServerTimeout = TimeSpan.FromSeconds(8),
        });

    /// <summary>Whether it has everything up to there of the conversations that it is in from beginning to end.</summary>
    public bool Has(IReadOnlyDictionary<ConversationId, long> heads)
    {
        lock (_lock)
        {
            return heads.All(head => !_logs.TryGetValue(head.Key, out var log) || _turnovers.Contains(head.Key)
                || log.Count >= head.Value);
        }
    }

    /// <summary>What it was handed of one conversation.</summary>
    public IReadOnlyList<LogEntry> LogOf(ConversationId conversation)
    {
        lock (_lock)
        {
            return [.. _logs[conversation]];
        }
    }

    /// <summary>The last seq that it was handed; 0 for none.</summary>
    public long LastOf(ConversationId conversation)
    {
        lock (_lock)
        {
            return _logs[conversation] is [.., var last] ? last.Seq : 0;
        }
    }

    /// <summary>It is in that conversation; what comes of any other is not expected.</summary>
    /// <param name="turnover">It may come and go.</param>
    public void Expect(ConversationId conversation, bool turnover = false)
    {
        lock (_lock)
        {
            _logs.TryAdd(conversation, []);
            if (turnover)
            {
                _turnovers.Add(conversation);
            }
        }
    }

    /// <summary>Looks at its cursors once.</summary>
    public void Observe()
    {
        var (lineage, cursors) = Session.Position;
        foreach (var back in _cursors.Observe(lineage, cursors, _turnovers))
        {
            _book.Violate(Rules.Cursors, $"{Device}: {back}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Session is not null)
        {
            await Session.DisposeAsync();
        }

        Client.Dispose();
        Member.Dispose();
        if (_chainEnd is not null)
        {
            _identityKey.Dispose();
        }
    }

    private static KeyLogPlace Next(KeyLogEntry last) => new(last.Account, last.Sequence + 1, last.Hash());

    private static Key NewKey() => Key.Import(
        SignatureAlgorithm.Ed25519, RandomNumberGenerator.GetBytes(32), KeyBlobFormat.RawPrivateKey);

    private static NewDevice NewDevice(Key key) => new("Load test", key.PublicKey.Export(KeyBlobFormat.RawPublicKey));

    private void Take(IReadOnlyList<Event> events)
    {
        lock (_lock)
        {
            foreach (var e in events)
            {
                if (!_logs.TryGetValue(e.Conversation, out var log))
                {
                    _book.Violate(Rules.NothingMadeUp, $"{Device} was handed an event of {e.Conversation}, where it is not");
                    continue;
                }

                // Said at once, while the run goes on; the whole log is judged at the end, also what it may lack.
                var last = log is [.., var before] ? before.Seq : 0;
                if (_turnovers.Contains(e.Conversation) ? e.Seq <= last : e.Seq != last + 1)
                {
                    _book.Violate(Rules.SeqOrder, $"{Device} was handed {e.Seq} of {e.Conversation} after {last}");
                }

                log.Add(LogEntry.Of(e));
            }
        }
    }

    private void Forget()
    {
        Interlocked.Increment(ref _lineages);
        lock (_lock)
        {
            foreach (var log in _logs.Values)
            {
                log.Clear();
            }
        }
    }
}
