using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using ChatPay.Core.Cryptography;
using ChatPay.Core.Protocol;
using ChatPay.Core.Transparency;
using ChatPay.LoadTest.Chatting;
using ChatPay.LoadTest.Database;
using ChatPay.LoadTest.Driving;
using ChatPay.LoadTest.Measuring;
using ChatPay.LoadTest.Serving;
using Npgsql;

namespace ChatPay.LoadTest.Vaulting;

/// <summary>The key log over HTTP: what an entry and a proof cost, and that every proof is right.</summary>
internal sealed class KeyLogBench : IDisposable
{
    private const int CallersAtOnce = 8;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly ServedProcess _server;
    private readonly ServingProbe _probe;
    private readonly HttpClient _http;
    private readonly ConcurrentBag<int> _inclusionHashes = [];
    private readonly ConcurrentBag<int> _consistencyHashes = [];
    private IReadOnlyList<LogRoot> _roots = [];
    private NoteVerifier? _verifier;

    public KeyLogBench(ServedProcess server, ServingProbe probe)
    {
        (_server, _probe) = (server, probe);
        _http = new HttpClient { BaseAddress = server.Address };
    }

    /// <summary>Whether every checkpoint, inclusion and consistency that came back verified.</summary>
    public bool ProofsHold { get; private set; } = true;

    /// <summary>Hashes of an inclusion and of a consistency proof since it was asked last: the longest.</summary>
    public (int Inclusion, int Consistency) TakeLongest()
    {
        var longest = (_inclusionHashes.DefaultIfEmpty().Max(), _consistencyHashes.DefaultIfEmpty().Max());
        _inclusionHashes.Clear();
        _consistencyHashes.Clear();
        return longest;
    }

    /// <summary>People whose devices have keys and no chain yet.</summary>
    public static async Task<IReadOnlyList<KeyLogMember>> AddPeopleAsync(
        NpgsqlDataSource owner, int count, CancellationToken cancellationToken)
    {
        var members = new List<KeyLogMember>(count);
        var random = new SplitMix64((ulong)Stopwatch.GetTimestamp());
        for (var number = 0; number < count; number++)
        {
            members.Add(KeyLogMember.Create(ref random, TimeProvider.System.GetUtcNow()));
        }

        await PeopleStore.AddAsync(owner, [.. members.Select(member => member.Person.Account)], cancellationToken);
        await ChatStore.AddSessionsAsync(owner, [.. members.Select(member => member.Person)], cancellationToken);
        return members;
    }

    /// <summary>Makes the log so long and has the server sign it.</summary>
    public async Task GrowAsync(
        NpgsqlDataSource owner, long size, KeyLogMember first, CancellationToken cancellationToken)
    {
        _roots = [.. _roots, .. await VaultLoadStore.GrowLogAsync(owner, size, cancellationToken)];
        _verifier ??= await VerifierAsync(first, cancellationToken);
        await AppendAsync(first, cancellationToken);
    }

    /// <summary>Each begins a chain: two entries in one request, several requests at once.</summary>
    public Task<SectionResult> AppendAsync(IReadOnlyList<KeyLogMember> members, CancellationToken cancellationToken)
    {
        var waiting = new ConcurrentQueue<KeyLogMember>(members);
        return RunAsync(
            () => waiting.TryDequeue(out var member) ? () => AppendAsync(member, cancellationToken) : null,
            cancellationToken);
    }

    /// <summary>People look at their chains: two entries, each with its proof.</summary>
    public Task<SectionResult> ProveInclusionAsync(
        IReadOnlyList<KeyLogMember> members, int requests, CancellationToken cancellationToken) =>
        CountedAsync(
            requests, number => AskAsync(members[number % members.Count], cancellationToken), cancellationToken);

    /// <summary>Somebody asks for the way from an earlier size to the present one.</summary>
    public Task<SectionResult> ProveConsistencyAsync(
        KeyLogMember member, int requests, CancellationToken cancellationToken) =>
        CountedAsync(
            requests,
            async number =>
            {
                var earlier = _roots[(number * 31) % _roots.Count];
                var reply = await GetAsync<ConsistencyReply>(
                    string.Create(CultureInfo.InvariantCulture, $"v1/keys/consistency?from={earlier.Size}"), member,
                    cancellationToken);
                var checkpoint = Open(reply.Checkpoint!);
                _consistencyHashes.Add(reply.Proof.Count);
                ProofsHold &= checkpoint is not null && ConsistencyProof.Verify(
                    earlier.Size, checkpoint.Size, earlier.Root, checkpoint.Root, reply.Proof) == LogRejection.None;
            },
            cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task AskAsync(KeyLogMember member, CancellationToken cancellationToken) => Check(
        await GetAsync<KeyChainReply>($"v1/keys/accounts/{member.Person.Account.Value:D}", member, cancellationToken));

    private async Task AppendAsync(KeyLogMember member, CancellationToken cancellationToken)
    {
        using var request = RequestOf(HttpMethod.Post, "v1/keys/entries", member);
        request.Content = new ByteArrayContent(member.Entries)
        {
            Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
        };
        Check(await SendAsync<KeyChainReply>(request, cancellationToken));
    }

    private void Check(KeyChainReply reply)
    {
        var checkpoint = Open(reply.Checkpoint);
        ProofsHold &= checkpoint is not null && reply.Entries.Count > 0;
        foreach (var logged in checkpoint is null ? [] : reply.Entries)
        {
            _inclusionHashes.Add(logged.Proof.Count);
            ProofsHold &= KeyLogEntry.TryRead(logged.Entry, out var entry, out _)
                && InclusionProof.Verify(
                    logged.Index, checkpoint!.Size, MerkleHash.Leaf(entry.Leaf(logged.Salt)), logged.Proof,
                    checkpoint.Root) == LogRejection.None;
        }
    }

    private Checkpoint? Open(string note) =>
        Checkpoint.Open(Encoding.UTF8.GetBytes(note), _verifier!.Name, _verifier, out var checkpoint) == LogRejection.None
            ? checkpoint : null;

    private async Task<NoteVerifier> VerifierAsync(KeyLogMember member, CancellationToken cancellationToken) =>
        NoteVerifier.TryParse(
            (await GetAsync<KeyLogView>("v1/keys/log", member, cancellationToken)).VerifierKey, out var verifier)
            ? verifier : throw new InvalidOperationException("The server's key log has no key.");

    private Task<SectionResult> CountedAsync(
        int requests, Func<int, Task> ask, CancellationToken cancellationToken)
    {
        var next = -1;
        return RunAsync(
            () => Interlocked.Increment(ref next) is var number && number < requests ? () => ask(number) : null,
            cancellationToken);
    }

    /// <param name="next">The next piece of work; null where none is left.</param>
    private async Task<SectionResult> RunAsync(Func<Func<Task>?> next, CancellationToken cancellationToken)
    {
        var latencies = new LatencyHistogram();
        var count = 0L;
        var before = await _probe.ReadAsync(_server, cancellationToken);
        var begun = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, CallersAtOnce).Select(async _ =>
        {
            while (next() is { } work)
            {
                var started = Stopwatch.GetTimestamp();
                await work();
                latencies.Record(Stopwatch.GetTimestamp() - started);
                Interlocked.Increment(ref count);
            }
        }));
        var elapsed = Stopwatch.GetElapsedTime(begun);
        var used = await _probe.ReadAsync(_server, cancellationToken) - before;
        return new SectionResult(
            count / elapsed.TotalSeconds, latencies.Percentile(0.5), latencies.Percentile(0.99),
            used.Server.TotalMicroseconds / count, used.Postgres?.TotalMicroseconds / count, null,
            used.WalBytes / (double)count, null)
        {
            DriverCpuMicros = used.Driver.TotalMicroseconds / count,
        };
    }

    private async Task<T> GetAsync<T>(string path, KeyLogMember member, CancellationToken cancellationToken)
    {
        using var request = RequestOf(HttpMethod.Get, path, member);
        return await SendAsync<T>(request, cancellationToken);
    }

    private static HttpRequestMessage RequestOf(HttpMethod method, string path, KeyLogMember member) =>
        new(method, new Uri(path, UriKind.Relative))
        {
            Headers = { Authorization = new AuthenticationHeaderValue("Bearer", member.Person.Token) },
        };

    private async Task<T> SendAsync<T>(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        using var response = await _http.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                "The server refused: " + await response.Content.ReadAsStringAsync(cancellationToken));
        }

        return (await response.Content.ReadFromJsonAsync<T>(s_json, cancellationToken))!;
    }
}

/// <summary>Somebody who is about to begin a chain.</summary>
/// <param name="Entries">The request's body: the first identity key, and the device.</param>
internal sealed record KeyLogMember(ChatPerson Person, byte[] Entries)
{
    public static KeyLogMember Create(ref SplitMix64 random, DateTimeOffset now)
    {
        using var identity = VaultDevice.NewKey();
        using var device = VaultDevice.NewKey();
        var person = ChatPerson.Create(ref random, now) with
        {
            SignatureKey = device.PublicKey.Export(KeyBlobFormat.RawPublicKey),
        };
        var first = KeyLogEntry.Identity(
            KeyLogPlace.First(person.Account), identity, identity);
        var second = KeyLogEntry.DeviceAdded(
            new KeyLogPlace(person.Account, 1, first.Hash()), person.Device, device, identity);
        return new KeyLogMember(person, JsonSerializer.SerializeToUtf8Bytes(
            new AppendKeysRequest([first.Encoding.ToArray(), second.Encoding.ToArray()]),
            JsonSerializerOptions.Web));
    }
}
