using System.Threading.Channels;
using ChatPay.Core.Protocol;

namespace ChatPay.Server.Realtime;

/// <summary>
/// Conversations whose state accounts have to be told because they have just come into them. Fan-out asks, the
/// conversations feature answers with views.
/// </summary>
internal sealed class HeadRequests
{
    private const int Capacity = 4096;

    private readonly Channel<HeadRequest> _requests = Channel.CreateBounded<HeadRequest>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>Never waits; the oldest request of a full queue is dropped, for the next Hello answers it too.</summary>
    public void Ask(ConversationId conversation, IReadOnlyList<AccountId> accounts) =>
        _requests.Writer.TryWrite(new(conversation, accounts));

    public IAsyncEnumerable<HeadRequest> ReadAllAsync(CancellationToken cancellationToken) =>
        _requests.Reader.ReadAllAsync(cancellationToken);
}

internal sealed record HeadRequest(ConversationId Conversation, IReadOnlyList<AccountId> Accounts);
