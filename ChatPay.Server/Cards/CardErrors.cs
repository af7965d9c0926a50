using ChatPay.Core.Protocol;

namespace ChatPay.Server.Cards;

internal static class CardErrors
{
    /// <summary>Also for a card of a foreign conversation: whether it exists is nobody else's business.</summary>
    public static Error Unknown() => new(ErrorCode.CardUnknown, "There is no such card.");
}
