using ChatPay.Core.Protocol;
using ChatPay.Server.Cards;
using ChatPay.Server.Conversations;
using ChatPay.Server.Hosting;

namespace ChatPay.Server.Realtime;

/// <summary>
/// The hub's <c>CardAct</c>, whichever way it comes: a post to a conversation that has moved on is answered with the commit that
/// it needs.
/// </summary>
internal sealed class CardCalls(CardService cards, ConversationService conversations)
{
    public async Task<Result<CardActReply>> ActAsync(
        Caller caller, CardActRequest request, CancellationToken cancellationToken)
    {
        var acted = await cards.ActAsync(caller, request, cancellationToken);
        return request.Post is { } post
            ? await conversations.ExplainAsync(caller, acted, post.Conversation, post.Epoch, cancellationToken)
            : acted;
    }
}
