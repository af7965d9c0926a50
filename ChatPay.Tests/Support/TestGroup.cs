using ChatPay.Core.Protocol;
using ChatPay.Server.Hosting;
using Xunit;

namespace ChatPay.Tests.Support;

/// <summary>
/// A conversation as a well-behaved client keeps it: which epoch it is in and who sits at which leaf, so that tests can say
/// "send" and "add" and mean valid MLS messages.
/// </summary>
internal sealed class TestGroup
{
    private static readonly IdFactory s_ids = new(TimeProvider.System);

    private readonly SortedDictionary<int, Person> _leaves = [];

    private TestGroup(ConversationId id) => Id = id;

    public ConversationId Id { get; }

    public long Epoch { get; private set; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static Task<TestGroup> DirectAsync(Person creator, Person other) =>
        CreateAsync(ConversationKind.Direct, creator, [other]);

    public static Task<TestGroup> GroupAsync(Person creator, params IReadOnlyList<Person> others) =>
        CreateAsync(ConversationKind.Group, creator, others);

    public static ConversationId NewId() => s_ids.New<ConversationId>();

    public static ClientMessageId NewClientId() => new(s_ids.NewUuid());

    public int LeafOf(Person person) => _leaves.First(leaf => leaf.Value == person).Key;

    public SendRequest Message(Person sender, ClientMessageId? clientId = null, int ciphertextBytes = 300)
    {
        _ = sender;
        var id = clientId ?? NewClientId();
        return new(Id, id, Epoch, TestMls.PrivateMessage(Id, Epoch, id, ciphertextBytes));
    }

    public Task<SendReply> SendAsync(Person sender) => sender.Hub.SendAsync(Message(sender), Cancellation);

    /// <summary>A commit in the current epoch, with what a winner needs.</summary>
    public CommitRequest NewCommit(Person committer, IReadOnlyList<Person>? adds = null, IReadOnlyList<int>? removes = null)
    {
        byte[][] packages = [.. (adds ?? []).Select(person => person.KeyPackage())];
        var leaf = _leaves.Count == 0 ? 0 : LeafOf(committer);
        var commit = TestMls.Commit(Options(committer) with
        {
            SenderLeaf = leaf,
            Adds = packages,
            Removes = removes ?? [],
        });
        return new(
            Id, NewClientId(), Epoch, commit, packages.Length > 0 ? TestMls.Welcome(packages) : null,
            TestMls.GroupInfo(Id, Epoch + 1, committer.Key, leaf));
    }

    public async Task<CommitReply> CommitAsync(
        Person committer, IReadOnlyList<Person>? adds = null, IReadOnlyList<int>? removes = null)
    {
        var reply = await committer.Hub.SubmitCommitAsync(NewCommit(committer, adds, removes), Cancellation);
        Apply(adds ?? [], removes ?? []);
        return reply;
    }

    public async Task<CommitReply> JoinAsync(Person joiner)
    {
        var former = _leaves.Where(leaf => leaf.Value == joiner).Select(leaf => leaf.Key).ToArray();
        var leaf = former is [var own] ? Math.Min(own, Blank()) : Blank();
        var commit = TestMls.ExternalCommit(Options(joiner) with { Removes = former }, leaf);
        var reply = await joiner.Hub.SubmitCommitAsync(
            new(Id, NewClientId(), Epoch, commit, null, TestMls.GroupInfo(Id, Epoch + 1, joiner.Key, leaf)), Cancellation);
        Apply([joiner], former);
        return reply;
    }

    /// <summary>Somebody's commit was accepted that this object did not send.</summary>
    public void Apply(IReadOnlyList<Person> adds, IReadOnlyList<int> removes)
    {
        foreach (var leaf in removes)
        {
            _leaves.Remove(leaf);
        }

        foreach (var person in adds)
        {
            _leaves.Add(Blank(), person);
        }

        Epoch++;
    }

    public static CreateConversationRequest Creation(
        ConversationKind kind, Person creator, IReadOnlyList<Person> others, ConversationId? id = null)
    {
        var group = new TestGroup(id ?? new(s_ids.NewUuid()));
        var first = group.NewCommit(creator, others);
        return new(group.Id, kind, first.ClientId, first.Commit, first.Welcome, first.GroupInfo);
    }

    private static async Task<TestGroup> CreateAsync(
        ConversationKind kind, Person creator, IReadOnlyList<Person> others)
    {
        var request = Creation(kind, creator, others);
        await creator.Client.CreateConversationAsync(request, Cancellation);
        var group = new TestGroup(request.Id);
        group._leaves.Add(0, creator);
        group.Apply(others, []);
        return group;
    }

    private CommitOptions Options(Person committer) => new()
    {
        Conversation = Id,
        Epoch = Epoch,
        Account = committer.Id,
        Device = committer.Device,
        SignatureKey = committer.Key,
    };

    private int Blank()
    {
        var index = 0;
        while (_leaves.ContainsKey(index))
        {
            index++;
        }

        return index;
    }
}
