namespace ChatPay.Core.Mls;

/// <summary>
/// A commit of this client that the delivery service has not accepted yet, with the epoch that it begins. When it was
/// accepted, <see cref="Group.Apply"/> takes it up, or <see cref="Activate"/> for a group that this client was not in;
/// when another commit won, disposing drops it.
/// </summary>
/// <remarks>
/// Saved before it is sent, it outlasts a crash between sending and the answer: without it a client whose commit was
/// accepted could not follow its own group.
/// </remarks>
public sealed partial class PendingCommit : IDisposable
{
    private readonly MlsServices _services;
    private GroupState? _next;
    private byte[]? _groupInfo;

    /// <param name="before">
    /// Epoch authenticator of the epoch that the commit ends; null where the committer joins by it.
    /// </param>
    internal PendingCommit(
        GroupState next, MlsMember identity, MlsServices services, byte[]? before, byte[] message, byte[]? welcome)
    {
        _next = next;
        _services = services;
        Identity = identity;
        Before = before;
        Message = message;
        Welcome = welcome;
    }

    /// <summary>
    /// The commit as an MLSMessage, for the group. Empty where a new group is founded, for there is nobody to read it.
    /// </summary>
    public byte[] Message { get; }

    /// <summary>
    /// The Welcome as an MLSMessage, for those whom the commit adds; null where it adds nobody. It is delivered only
    /// once the commit is accepted.
    /// </summary>
    public byte[]? Welcome { get; }

    /// <summary>
    /// The new epoch's GroupInfo as an MLSMessage, with ratchet_tree and external_pub, for those who join by it.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The commit was applied or dropped.</exception>
    public byte[] GroupInfo => _groupInfo ??= TlsCodec.Encode(new MlsMessage(
        Next.SignInfo(Identity.SignatureKey, withTree: true, withExternalPub: true)));

    public byte[] GroupId => Next.Context.GroupId;

    /// <summary>The epoch that the commit begins.</summary>
    public ulong Epoch => Next.Context.Epoch;

    /// <summary>This client's leaf in it.</summary>
    public uint OwnLeaf => Next.OwnLeaf;

    /// <summary>The members in it, by ascending leaf index.</summary>
    public IReadOnlyList<GroupMember> Members =>
        [.. Next.Tree.Members().Select(static member => new GroupMember(member.Index, member.Leaf))];

    /// <summary>Whether this client joins by the commit, so that <see cref="Activate"/> is what takes it up.</summary>
    public bool IsJoining => Before is null;

    internal byte[]? Before { get; }

    internal MlsMember Identity { get; }

    /// <summary>The public part of the epoch that the commit begins.</summary>
    internal PublicState Known => Next.Public;

    private GroupState Next
    {
        get
        {
            ObjectDisposedException.ThrowIf(_next is null, this);
            return _next;
        }
    }

    /// <summary>Enters the group that this client joins or founds by the commit, once it was accepted.</summary>
    /// <exception cref="InvalidOperationException">
    /// The commit is of a member: <see cref="Group.Apply"/> takes it up.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The commit was activated or dropped before.</exception>
    public Group Activate() => IsJoining
        ? Group.Of(Take(), Identity, _services)
        : throw new InvalidOperationException("A member's commit is applied to its group.");

    public void Dispose()
    {
        _next?.Dispose();
        _next = null;
    }

    /// <exception cref="ObjectDisposedException">The commit was applied or dropped.</exception>
    internal void EnsureThere() => _ = Next;

    /// <summary>The same as what founds a group, in whose epoch 0 nobody else ever was; this one is used up.</summary>
    internal PendingCommit ForNobody() => new(Take(), Identity, _services, null, [], Welcome);

    /// <summary>Gives the next epoch away; whoever takes it disposes it.</summary>
    internal GroupState Take()
    {
        var next = Next;
        _next = null;
        return next;
    }
}
