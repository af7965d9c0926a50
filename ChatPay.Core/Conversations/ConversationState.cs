using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>
/// A conversation as it stands under its row lock while a batch is decided: its head, its epoch, and those of its
/// members and leaves that the batch asked for. Deciding changes it in memory; what changed is written at the end.
/// </summary>
public sealed class ConversationState(
    ConversationId id, ConversationKind kind, long head, long epoch, DateTimeOffset createdAt)
{
    private readonly Dictionary<AccountId, Member> _members = [];
    private readonly SortedDictionary<int, GroupLeaf> _leaves = [];
    private readonly HashSet<AccountId> _changedMembers = [];
    private readonly HashSet<int> _changedLeaves = [];

    public ConversationId Id { get; } = id;

    public ConversationKind Kind { get; } = kind;

    /// <summary>Seq of the newest event, 0 before the first.</summary>
    public long Head { get; private set; } = head;

    /// <summary><see cref="Head"/> as it was loaded.</summary>
    public long LoadedHead { get; } = head;

    /// <summary>The MLS epoch that the next message must be encrypted in.</summary>
    public long Epoch { get; private set; } = epoch;

    public DateTimeOffset CreatedAt { get; } = createdAt;

    /// <summary>For how long its log is kept, by its own setting; null for the server's default.</summary>
    public int? RetentionDays { get; init; }

    /// <summary>What <see cref="RetentionDays"/> is to be, where that was decided; the newest decision counts.</summary>
    public RetentionChange? NewRetention { get; private set; }

    /// <summary>Whether head or epoch differ from what was loaded.</summary>
    public bool IsChanged { get; private set; }

    /// <summary>Whether all members and leaves are here, not only those that single commands named.</summary>
    public bool IsComplete { get; init; }

    /// <summary>Everybody known to have a place here, now or once: all of them where <see cref="IsComplete"/>.</summary>
    public IReadOnlyCollection<Member> Members => _members.Values;

    public IEnumerable<Member> LiveMembers => _members.Values.Where(member => member.IsLive);

    /// <summary>All known leaves by index.</summary>
    public IReadOnlyCollection<GroupLeaf> Leaves => _leaves.Values;

    public IReadOnlyCollection<AccountId> ChangedMembers => _changedMembers;

    public IReadOnlyCollection<int> ChangedLeaves => _changedLeaves;

    /// <summary>A loaded row; unlike <see cref="Put(Member)"/> not a change.</summary>
    public void Load(Member member)
    {
        ArgumentNullException.ThrowIfNull(member);
        _members[member.Account] = member;
    }

    /// <summary>A loaded row; unlike <see cref="Put(GroupLeaf)"/> not a change.</summary>
    public void Load(GroupLeaf leaf)
    {
        ArgumentNullException.ThrowIfNull(leaf);
        _leaves[leaf.Index] = leaf;
    }

    /// <summary>The account's place here, now or once; null if it never had one or was not asked for.</summary>
    public Member? Find(AccountId account) => _members.GetValueOrDefault(account);

    public bool IsMember(AccountId account) => Find(account) is { IsLive: true };

    public GroupLeaf? LeafOf(DeviceId device) => _leaves.Values.FirstOrDefault(leaf => leaf.Device == device);

    public GroupLeaf? LeafAt(int index) => _leaves.GetValueOrDefault(index);

    /// <summary>Takes the next place in the log.</summary>
    public long NextSeq()
    {
        IsChanged = true;
        return ++Head;
    }

    /// <summary>A commit was appended: the group is in the next epoch.</summary>
    public void NextEpoch()
    {
        IsChanged = true;
        Epoch++;
    }

    public void Put(RetentionChange change) => NewRetention = change;

    public void Put(Member member)
    {
        Load(member);
        _changedMembers.Add(member.Account);
    }

    public void Put(GroupLeaf leaf)
    {
        Load(leaf);
        _changedLeaves.Add(leaf.Index);
    }

    public void RemoveLeaf(int index)
    {
        if (_leaves.Remove(index))
        {
            _changedLeaves.Add(index);
        }
    }

    /// <summary>RFC 9420 section 7.7: a new leaf takes the leftmost blank place, or extends the tree.</summary>
    public int LeftmostBlankLeaf()
    {
        var index = 0;
        foreach (var taken in _leaves.Keys)
        {
            if (taken != index)
            {
                break;
            }

            index++;
        }

        return index;
    }
}
