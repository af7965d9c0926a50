using ChatPay.Core.Conversations;
using ChatPay.Core.Protocol;
using ChatPay.Server.Realtime;
using Microsoft.Extensions.Options;

namespace ChatPay.Server.Conversations;

/// <summary>
/// What is said without being logged: receipts, which are stored as maxima, and typing, which is stored nowhere.
/// </summary>
internal sealed class SignalService(
    ConnectionRegistry registry, ConversationStore conversations, ReceiptFlusher receipts, Fanout fanout,
    IOptions<RealtimeOptions> options)
{
    public static Error TooMany(int most) => new(
        ErrorCode.InvalidArgument, $"At most {most} at once.",
        new Dictionary<string, object>(StringComparer.Ordinal) { ["max"] = most });

    public async Task<Result<Unit>> MarkAsync(
        ClientConnection connection, MarkRequest request, CancellationToken cancellationToken)
    {
        if (request.Marks.Count > Limits.MarksPerRequest)
        {
            return TooMany(Limits.MarksPerRequest);
        }

        // All or nothing: a request that gets an error has changed nothing.
        foreach (var mark in request.Marks)
        {
            if (mark is not { Delivered: >= 0, Read: >= 0 })
            {
                return new Error(ErrorCode.InvalidArgument, "A mark is a seq, from 0.");
            }

            if (await RefusalAsync(connection, mark.Conversation, cancellationToken) is { } refusal)
            {
                return refusal;
            }
        }

        var (account, device) = connection.Caller;
        foreach (var mark in request.Marks)
        {
            // What was read has been delivered.
            var receipt = new Receipt(
                mark.Conversation, account, device, Math.Max(mark.Delivered, mark.Read), mark.Read);
            if (!receipts.TryMark(receipt))
            {
                return new Error(ErrorCode.Overloaded, "The server has too much to do right now. Try again in a moment.");
            }
        }

        return default(Unit);
    }

    public async Task<Result<Unit>> TypeAsync(
        ClientConnection connection, TypingRequest request, CancellationToken cancellationToken)
    {
        if (await RefusalAsync(connection, request.Conversation, cancellationToken) is { } refusal)
        {
            return refusal;
        }

        var account = connection.Caller.Account;
        var signal = new EphemeralSignal(
            EphemeralKind.Typing, request.Conversation, account, request.Active, options.Value.TypingTtlMs);
        fanout.ToConversation(request.Conversation, Push.Of(signal), except: account);
        return default(Unit);
    }

    /// <summary>
    /// Memory knows which conversations a connection hears; only what it does not know, such as one created a moment ago, is
    /// asked of the database.
    /// </summary>
    private async Task<Error?> RefusalAsync(
        ClientConnection connection, ConversationId conversation, CancellationToken cancellationToken)
    {
        if (registry.Hears(connection, conversation))
        {
            return null;
        }

        return await conversations.FindMemberAsync(conversation, connection.Caller.Account, cancellationToken) switch
        {
            null => ConversationErrors.Unknown(),
            { IsLive: false } => ConversationErrors.NotMember(),
            _ => null,
        };
    }
}
