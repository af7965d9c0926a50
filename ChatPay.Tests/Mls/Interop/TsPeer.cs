using System.Text.Json;
using ChatPay.Core.Mls;
using ChatPay.LoadTest.Baselines;

namespace ChatPay.Tests.Mls;

/// <summary>A ts-mls member; it lives in the driver's process.</summary>
internal sealed class TsPeer : IPeer
{
    private readonly NodeDriver _driver;
    private readonly CancellationToken _stop;

    private TsPeer(NodeDriver driver, string name, CancellationToken stop)
    {
        _driver = driver;
        Name = name;
        _stop = stop;
    }

    public string Name { get; }

    public static async Task<TsPeer> CreateAsync(
        NodeDriver driver, string name, MlsCipherSuite suite, byte[] identity, CancellationToken stop)
    {
        var peer = new TsPeer(driver, name, stop);
        await peer.AskAsync(new { op = "client", client = name, suite = suite.Id, identity });
        return peer;
    }

    public Task<byte[]> KeyPackageAsync() => BytesAsync(new { op = "keyPackage", client = Name });

    public Task AddPskAsync(byte[] id, byte[] secret) => AskAsync(new { op = "psk", client = Name, id, secret });

    public Task CreateAsync(byte[] groupId) => AskAsync(new { op = "create", client = Name, groupId });

    public Task JoinAsync(byte[] welcome) => AskAsync(new { op = "join", client = Name, welcome });

    public Task<byte[]> JoinExternallyAsync(byte[] groupInfo, byte[] authenticatedData) =>
        BytesAsync(new { op = "joinExternally", client = Name, groupInfo, authenticatedData });

    public Task<byte[]> ProposeAsync(Change change, HandshakeFormat format, byte[] authenticatedData) => BytesAsync(
        new { op = "propose", client = Name, change = Describe(change), @public = IsPublic(format), authenticatedData });

    public async Task<MadeCommit> CommitAsync(
        IReadOnlyList<Change> changes, HandshakeFormat format, byte[] authenticatedData)
    {
        var made = await AskAsync(new
        {
            op = "commit",
            client = Name,
            changes = changes.Select(Describe).ToArray(),
            @public = IsPublic(format),
            authenticatedData,
        });
        var welcome = made.GetProperty("welcome");
        return new(
            NodeDriver.BytesOf(made.GetProperty("commit")),
            welcome.ValueKind == JsonValueKind.Null ? null : NodeDriver.BytesOf(welcome));
    }

    public Task AcceptAsync() => AskAsync(new { op = "accept", client = Name });

    public Task DropAsync() => AskAsync(new { op = "drop", client = Name });

    public Task<byte[]> EncryptAsync(byte[] data, byte[] authenticatedData) =>
        BytesAsync(new { op = "encrypt", client = Name, data, authenticatedData });

    public async Task<Received> ProcessAsync(byte[] message)
    {
        var received = await AskAsync(new { op = "process", client = Name, message });
        var authenticatedData = NodeDriver.BytesOf(received.GetProperty("authenticatedData"));
        return received.GetProperty("kind").GetString() switch
        {
            "application" => new(
                ContentType.Application, authenticatedData, received.GetProperty("sender").GetUInt32(),
                NodeDriver.BytesOf(received.GetProperty("data"))),
            "proposal" => new(ContentType.Proposal, authenticatedData),
            _ => new(ContentType.Commit, authenticatedData),
        };
    }

    public Task<byte[]> GroupInfoAsync() => BytesAsync(new { op = "groupInfo", client = Name });

    public async Task<PeerView> DescribeAsync()
    {
        var view = await AskAsync(new
        {
            op = "describe",
            client = Name,
            label = PeerView.Label,
            context = PeerView.Context,
            length = PeerView.LengthBytes,
        });
        return new(
            view.GetProperty("epoch").GetUInt64(),
            Convert.ToHexString(NodeDriver.BytesOf(view.GetProperty("authenticator"))),
            Convert.ToHexString(NodeDriver.BytesOf(view.GetProperty("exported"))),
            view.GetProperty("ownLeaf").GetUInt32(),
            view.GetProperty("active").GetBoolean(),
            [
                .. view.GetProperty("leaves").EnumerateArray().Select(static leaf => (
                    leaf.GetProperty("leaf").GetUInt32(),
                    Convert.ToHexString(NodeDriver.BytesOf(leaf.GetProperty("signatureKey"))))),
            ]);
    }

    public async ValueTask DisposeAsync() => await AskAsync(new { op = "forget", client = Name });

    private static bool IsPublic(HandshakeFormat format) => format == HandshakeFormat.Public;

    private static object Describe(Change change) => change switch
    {
        AddChange add => new { kind = "add", keyPackage = add.KeyPackage },
        RemoveChange remove => new { kind = "remove", leaf = remove.Leaf },
        UpdateChange => new { kind = "update" },
        PskChange psk => new { kind = "psk", id = psk.Id },
        ResumptionChange resumption => new { kind = "resumption", epoch = resumption.Epoch },
        _ => throw new ArgumentOutOfRangeException(nameof(change)),
    };

    private async Task<byte[]> BytesAsync(object request) => NodeDriver.BytesOf(await AskAsync(request));

    private async Task<JsonElement> AskAsync(object request)
    {
        try
        {
            return await _driver.AskAsync(request, _stop);
        }
        catch (NodeDriverException refusal)
        {
            throw new PeerException($"{Name}: {refusal.Message}", refusal);
        }
    }
}
