using ChatPay.Core.Mls;

namespace ChatPay.Tests.Mls;

/// <summary>
/// One member, of whichever implementation. A commit of its own waits until it is accepted or dropped; everything wrong
/// throws a <see cref="PeerException"/> and changes nothing.
/// </summary>
internal interface IPeer : IAsyncDisposable
{
    string Name { get; }

    Task<byte[]> KeyPackageAsync();

    Task AddPskAsync(byte[] id, byte[] secret);

    Task CreateAsync(byte[] groupId);

    Task JoinAsync(byte[] welcome);

    /// <summary>An external commit, which replaces this member's leaf where the group has one.</summary>
    Task<byte[]> JoinExternallyAsync(byte[] groupInfo, byte[] authenticatedData);

    Task<byte[]> ProposeAsync(Change change, HandshakeFormat format, byte[] authenticatedData);

    /// <summary>Commits everything proposed before, and the changes.</summary>
    Task<MadeCommit> CommitAsync(IReadOnlyList<Change> changes, HandshakeFormat format, byte[] authenticatedData);

    Task AcceptAsync();

    Task DropAsync();

    Task<byte[]> EncryptAsync(byte[] data, byte[] authenticatedData);

    Task<Received> ProcessAsync(byte[] message);

    Task<byte[]> GroupInfoAsync();

    Task<PeerView> DescribeAsync();
}

/// <summary>What a proposal asks for.</summary>
internal abstract record Change;

internal sealed record AddChange(byte[] KeyPackage) : Change;

internal sealed record RemoveChange(uint Leaf) : Change;

/// <summary>New keys for the proposer's own leaf.</summary>
internal sealed record UpdateChange : Change;

internal sealed record PskChange(byte[] Id) : Change;

/// <summary>The resumption key of an epoch of the same group.</summary>
internal sealed record ResumptionChange(ulong Epoch) : Change;

/// <param name="Welcome">Null where the commit adds nobody.</param>
internal sealed record MadeCommit(byte[] Message, byte[]? Welcome);

/// <param name="Sender">Leaf index; of application messages alone.</param>
internal sealed record Received(ContentType Kind, byte[] AuthenticatedData, uint Sender = 0, byte[]? Data = null);

/// <summary>What all members of an epoch must agree on, and where this one sits.</summary>
/// <param name="Exported">Of a label and a context that are the same for everybody.</param>
/// <param name="Leaves">Leaf indices and signature keys in hex, ascending.</param>
internal sealed record PeerView(
    ulong Epoch, string Authenticator, string Exported, uint OwnLeaf, bool IsActive, IReadOnlyList<(uint, string)> Leaves)
{
    public const string Label = "interop";
    public const int LengthBytes = 48;

    public static byte[] Context { get; } = [1, 2, 3];
}

/// <summary>A member did not do what it was asked to.</summary>
internal sealed class PeerException(string message, Exception? inner = null) : Exception(message, inner);
