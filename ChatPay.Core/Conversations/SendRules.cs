using ChatPay.Core.Mls;
using ChatPay.Core.Protocol;

namespace ChatPay.Core.Conversations;

/// <summary>
/// Whether something encrypted may be appended to a conversation. The order of the checks is part of the protocol: what
/// was accepted once is answered again whatever has happened since, so <c>stale_epoch</c> proves that this client
/// message id was not accepted.
/// </summary>
public static class SendRules
{
    /// <summary>Whether an account is in a conversation now; null if it is.</summary>
    public static Error? CheckMember(ConversationState? conversation, AccountId account) =>
        conversation?.Find(account) switch
        {
            null => ConversationErrors.Unknown(),
            { IsLive: false } => ConversationErrors.NotMember(),
            _ => null,
        };

    /// <summary>What a repeated send is answered; null if nothing stands under its client message id.</summary>
    public static Result<SendReply>? Repeated(Event? existing, SendRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (existing is null)
        {
            return null;
        }

        return existing.Kind == EventKind.Message && existing.Body.AsSpan().SequenceEqual(request.Body)
            ? new SendReply(existing.Seq, existing.At)
            : ConversationErrors.ClientIdReused();
    }

    /// <summary>Why a send that is not a repetition may not be appended; null if it may.</summary>
    public static Error? Refusal(ConversationState? conversation, AccountId account, SendRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return CheckMember(conversation, account)
            ?? CheckBody(conversation!, request.Epoch, request.Body, out _);
    }

    /// <summary>
    /// Checks the epoch a message claims and, in its header, that group, epoch and content type are right. Cards bind
    /// more in <paramref name="header"/>'s authenticated data, which is theirs to check.
    /// </summary>
    public static Error? CheckBody(
        ConversationState conversation, long epoch, byte[] body, out PrivateMessageHeader? header)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        header = null;
        if (epoch != conversation.Epoch)
        {
            return ConversationErrors.StaleEpoch(conversation.Epoch);
        }

        if (!PrivateMessageHeader.TryRead(body, out header, out var rejection))
        {
            return ConversationErrors.Malformed($"The body is not an MLS PrivateMessage: {rejection}.");
        }

        if (!GroupIds.TryRead(header.GroupId, out var group) || group != conversation.Id)
        {
            return ConversationErrors.Malformed("The body is encrypted for another group.");
        }

        if (header.Epoch != (ulong)epoch)
        {
            return ConversationErrors.Malformed("The body is encrypted in another epoch than the request says.");
        }

        return header.ContentType == ContentType.Application
            ? null : ConversationErrors.Malformed("The body holds a handshake; commits go as PublicMessage.");
    }
}
